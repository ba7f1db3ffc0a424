import numpy as np
from keras import ops

from keras_vae.layers import LastToken

FEATURES = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")
TOKENS = np.array([[5, 1, 0, 0], [4, 4, 4, 1], [1, 0, 0, 0]])


def test_takes_the_features_at_the_last_token():
    last = ops.convert_to_numpy(LastToken()([FEATURES, TOKENS]))
    assert np.array_equal(last, FEATURES[[0, 1, 2], [1, 3, 0]])
