import math

import numpy as np

from keras_vae.evaluation import bits_per_dim


def test_uniform_bytes_cost_eight_bits():
    nll = 12 * math.log(256)
    assert math.isclose(bits_per_dim(nll, (2, 2, 3)), 8.0)


def test_takes_arrays():
    np.testing.assert_allclose(bits_per_dim(np.array([0.0, math.log(2)]), (1,)), [0.0, 1.0])
