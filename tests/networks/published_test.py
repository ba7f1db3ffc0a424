import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks import published


@pytest.mark.one_backend
def test_flags_and_sizes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"`has_norm` must be True or False. Received: 1"):
        published.check_flag("has_norm", 1)
    with pytest.raises(ValueError, match=r"`input_shape`.*multiples of 8. Received: \(12, 16, 3\)"):
        published.input_picture((12, 16, 3), 3)
    with pytest.raises(ValueError, match=r"`output_shape`.*multiples of 4"):
        published.input_map((8, 6, 3), 4, 2)
    with pytest.raises(ValueError, match=r"`num_groups` must divide.*num_groups=4.*6 channels"):
        published.normalized(keras.Input((8, 8, 6)), 4, "norm")


@pytest.mark.one_backend
def test_inputs_of_a_decoder_are_as_large_as_the_latents():
    assert published.input_map((32, 16, 3), 4, 3).shape == (None, 4, 2, 4)
    assert published.input_map((None, None, 3), 4, 3).shape == (None, None, None, 4)


def test_the_clamp_against_numpy():
    z = np.array([-100.0, -1.0, 0.0, 0.1, 5.0], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(published.soft_clamp(ops.convert_to_tensor(z))),
        3 * np.tanh(z / 3),
        atol=1e-6,
    )


def test_doubling_repeats_every_vector():
    x = keras.Input((2, 2, 1))
    y = keras.Model(x, published.doubled(x, "repeating"))(np.arange(4.0).reshape(1, 2, 2, 1))
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    assert np.array_equal(ops.convert_to_numpy(y)[0, ..., 0], expected)
