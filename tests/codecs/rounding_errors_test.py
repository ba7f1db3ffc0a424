import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

import keras_vae
from keras_vae.codecs.rounding_errors import LARGEST_DIFFERENCE
from keras_vae.codecs.rounding_errors import margins


def posterior_of(model):
    def parameters(x):
        posterior = model.infer(x)
        return posterior.mean, posterior.log_var

    return parameters


def test_a_margin_is_ten_times_the_largest_difference_at_least():
    family, model = BY_NAME["vae"], BY_NAME["vae"].model()
    found = margins(model, ("mean", "log_var"), posterior_of(model), family.pairs())
    assert found[0] >= 10 * LARGEST_DIFFERENCE["mean"]
    assert found[1] >= 10 * LARGEST_DIFFERENCE["log_var"]


def test_a_model_whose_outputs_cancel_gets_a_wider_margin():
    dense = keras.layers.Dense(1)
    network = keras.Sequential([keras.Input((100,)), dense])
    decoder = keras.Sequential([keras.Input((1,)), keras.layers.Dense(100)])
    model = keras_vae.Autoencoder(network, decoder, keras_vae.GaussianLikelihood())
    x = np.random.default_rng(0).normal(size=(8, 100)).astype("float32")
    found = []
    for scale in (1.0, 1e5):
        dense.set_weights([np.full((100, 1), scale, "float32"), np.zeros(1, "float32")])
        centred = x - x.mean(axis=1, keepdims=True)  # sums to about 0
        (margin,) = margins(model, ("logits",), lambda t: (network(t),), [centred])
        found.append(margin)
    assert found[1] > 100 * found[0]


def test_the_model_is_left_as_it_was():
    family = BY_NAME["vae"]
    model = family.model()
    before = model.get_weights()
    margins(model, ("mean", "log_var"), posterior_of(model), family.pairs())
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_differences_of_log_variances_are_relative_to_their_size():
    model = BY_NAME["vae"].model()
    variable = model.trainable_weights[0]
    variable.assign(ops.full(variable.shape, 15.0))
    both = ("log_var", "logits")

    def outputs(x):
        value = ops.reshape(ops.convert_to_tensor(variable), (-1,))[:1]
        return value, value

    found = margins(model, both, outputs, [np.zeros((4, 1), "float32")])
    floors = [10 * LARGEST_DIFFERENCE[k] for k in both]
    assert found[0] == pytest.approx(max(14 * 15 * 2**-24 / 16, floors[0]), rel=0.2)
    assert found[1] == pytest.approx(max(14 * 15 * 2**-24, floors[1]), rel=0.2)
