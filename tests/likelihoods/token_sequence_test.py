import numpy as np
import pytest
from keras import ops

from keras_vae import TokenLikelihood


def test_by_hand():
    logits = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    x = np.array([[3, 1, 0], [2, 2, 2]])
    got = ops.convert_to_numpy(TokenLikelihood(4)(ops.convert_to_tensor(logits)).log_prob(x))
    log_p = logits - np.log(np.exp(logits[..., 1:]).sum(axis=-1, keepdims=True))
    expected = [log_p[0, 0, 3] + log_p[0, 1, 1], log_p[1, [0, 1, 2], 2].sum()]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_what_it_refuses():
    likelihood = TokenLikelihood(4)
    likelihood.check(np.array([[3, 1, 0]]))
    with pytest.raises(ValueError, match="from 0 to 3"):
        likelihood.check(np.array([[4, 1, 0]]))
    with pytest.raises(ValueError, match=r"`num_tokens`.*at least 3"):
        TokenLikelihood(2)


def test_config():
    assert TokenLikelihood.from_config(TokenLikelihood(9).get_config()).num_tokens == 9
