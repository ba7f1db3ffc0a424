import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.layers.seen_pixels import SeenPixels

# One row of four pixels: seen 1, seen 0, unseen, unseen.
LOGITS = np.array([-2.0, 3.0, 0.5, -4.0], "float32").reshape(1, 1, 4, 1)
CONDITION = np.array([[1.0, 1], [0, 1], [0, 0], [0, 0]], "float32").reshape(1, 1, 4, 2)


def test_logits_are_certain_where_seen_and_untouched_elsewhere():
    y = ops.convert_to_numpy(SeenPixels()([LOGITS, CONDITION]))
    assert y.ravel().tolist() == [30.0, -30.0, 0.5, -4.0]


def test_values_come_first_and_masks_last_along_the_channels():
    values, mask = np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 1, 0])
    condition = np.concatenate([values, mask]).reshape(1, 1, 1, 8)
    y = ops.convert_to_numpy(SeenPixels()([np.full((1, 1, 1, 4), 7.0), condition]))
    assert y.ravel().tolist() == [30.0, 7.0, -30.0, 7.0]


def test_likelihood_is_that_of_the_unseen_pixels():
    x = np.array([1.0, 0, 1, 0], "float32").reshape(1, 1, 4, 1)
    likelihood = Bernoulli(SeenPixels()([LOGITS, CONDITION]))
    expected = -np.log1p(np.exp(-0.5)) - np.log1p(np.exp(-4.0))
    assert ops.convert_to_numpy(likelihood.log_prob(x)).item() == pytest.approx(expected, rel=1e-6)
    seen = Bernoulli(SeenPixels()([LOGITS[:, :, :2], CONDITION[:, :, :2]]))
    cost = -ops.convert_to_numpy(seen.log_prob(x[:, :, :2])).item()
    assert cost == pytest.approx(2 * np.exp(-30.0), rel=1e-5)
    assert ops.convert_to_numpy(likelihood.mean).ravel()[:2] == pytest.approx([1, 0], abs=1e-12)


def test_no_gradient_reaches_the_logits_of_seen_pixels():
    logits = keras.Input((1, 4, 1))
    condition = keras.Input((1, 4, 2))
    weighted = keras.layers.EinsumDense("bhwc,w->bhwc", (1, 4, 1), name="scale")
    model = keras.Model([logits, condition], SeenPixels()([weighted(logits), condition]))
    weighted.kernel.assign(np.ones(4))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch([LOGITS, CONDITION], np.zeros_like(LOGITS))
    moved = ops.convert_to_numpy(weighted.kernel) != 1
    assert moved.tolist() == [False, False, True, True]


def test_float32_under_every_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    y = SeenPixels()([ops.cast(LOGITS, "bfloat16"), CONDITION])
    assert keras.backend.standardize_dtype(y.dtype) == "float32"


def test_bad_conditions_name_the_shape():
    with pytest.raises(ValueError, match=r"`condition` must have .* \(B, 1, 4, 2\).* \(1, 4, 1\)"):
        SeenPixels()([LOGITS, CONDITION[..., :1]])
    with pytest.raises(ValueError, match=r"Received: \(1, 3, 2\)"):
        SeenPixels()([LOGITS, CONDITION[:, :, :3]])


def test_config_round_trip():
    layer = SeenPixels(name="seen")
    assert SeenPixels.from_config(layer.get_config()).get_config() == layer.get_config()
