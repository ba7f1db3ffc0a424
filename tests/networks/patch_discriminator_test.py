import numpy as np
import pytest
from keras import ops

from keras_vae.networks.patch_discriminator import PatchDiscriminator


def test_logits_are_of_patches(unreached, assert_round_trip):
    network = PatchDiscriminator((None, None, 2), (3, 4), activation="tanh")
    assert network.output_shape == (None, None, None, 1)
    x = np.random.default_rng(0).normal(size=(2, 64, 64, 2)).astype("float32")
    logits = ops.convert_to_numpy(network(x))
    assert logits.shape == (2, 16, 16, 1)
    elsewhere = x.copy()
    elsewhere[:, 48:, 48:] = 0
    changed = (ops.convert_to_numpy(network(elsewhere)) != logits).any(axis=(0, 3))
    assert changed[-1, -1]
    assert not changed[:6].any()  # whose patches end before the change
    assert not changed[:, :6].any()
    assert unreached(PatchDiscriminator((8, 8, 2), (3, 4), activation="tanh")) == []
    assert_round_trip(network)


def test_a_bad_shape_raises():
    with pytest.raises(ValueError, match=r"`input_shape`"):
        PatchDiscriminator((8, 8))
