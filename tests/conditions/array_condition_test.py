import numpy as np
import pytest

from keras_vae import ArrayCondition


def test_arrays_are_checked():
    condition = ArrayCondition((2, 2, 1))
    x = np.arange(8).reshape(2, 2, 2, 1)
    assert condition.check(x, 2).dtype == np.float32
    np.testing.assert_array_equal(condition(condition.check(x, 2)), x)
    with pytest.raises(ValueError, match=r"\(N, 2, 2, 1\).*Add the batch axis"):
        condition.check(x[0], 1)
    bad = x.astype("float32")
    bad[1, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match=r"not finite.*index 1"):
        condition.check(bad, 2)
