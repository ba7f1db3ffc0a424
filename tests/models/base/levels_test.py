import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae.models.base import levels

X = keras.KerasTensor((None, 6), "float32")


def test_shapes_from_the_bottom_up():
    encoders = [MLPEncoder((6,), 4, (8,), num_outputs=3), MLPEncoder((4,), 3)]
    assert levels.latent_shapes(encoders, X, passed_up=0) == ((4,), (3,))
    encoders[1] = MLPEncoder((8,), 2)
    assert levels.latent_shapes(encoders, X, passed_up=2) == ((4,), (2,))


def test_what_the_decoder_is_given_holds_features_too():
    decoders = [MLPDecoder((6,), 4), MLPEncoder((3,), 4)]
    assert levels.symbolic_state(decoders, ((4,), (3,))).shape == (None, 4)
    decoders = [MLPDecoder((6,), 9), MLPEncoder((3,), 4, (5,), num_outputs=3)]
    assert levels.symbolic_state(decoders, ((4,), (3,))).shape == (None, 9)


def test_joined_along_the_last_axis():
    z, features = np.ones((2, 3, 1)), np.zeros((2, 3, 2))
    assert levels.joined(z, []) is z
    both = ops.convert_to_numpy(levels.joined(z, [features]))
    np.testing.assert_array_equal(both, np.broadcast_to([1.0, 0.0, 0.0], (2, 3, 3)))


def test_what_does_not_fit_is_named():
    encoders = [MLPEncoder((6,), 4), MLPEncoder((5,), 3)]
    with pytest.raises(ValueError, match=r"`encoders\[1\]` .*shape \(5,\).*: \(4,\). Cause: "):
        levels.latent_shapes(encoders, X, 0)
    with pytest.raises(ValueError, match=r"`decoders\[1\]` .* of z_1.*\(4,\).*: \(2,\)"):
        levels.symbolic_state([MLPDecoder((6,), 4), MLPEncoder((3,), 2)], ((4,), (3,)))


def test_wrong_lists():
    one = MLPEncoder((6,), 3)
    assert levels.check_networks([one, one], (one, one)) == 2
    with pytest.raises(ValueError, match="3 encoders and 2 decoders"):
        levels.check_networks([one] * 3, [one] * 2)
    with pytest.raises(ValueError, match=r"`encoders`.*list of networks"):
        levels.check_networks(one, [one])
    with pytest.raises(ValueError, match=r"`decoders`.*list of networks"):
        levels.check_networks([one], [])
