import keras
import numpy as np
import pytest

if keras.config.backend() != "jax":
    pytest.skip("runs on JAX", allow_module_level=True)

import threading

import jax
from keras import layers
from keras import ops

import keras_vae
from keras_vae.steps import jax_convolutions
from keras_vae.steps.jax_convolutions import fast_gradients

RNG = np.random.default_rng(0)


def gradients(function, *arrays):
    outputs, pull_back = jax.vjp(function, *arrays)
    cotangent = np.random.default_rng(1).standard_normal(outputs.shape, dtype="float32")
    return pull_back(jax.numpy.asarray(cotangent))


def used(monkeypatch):
    """Returns a list that grows with each convolution whose gradients are computed otherwise."""
    found, original = [], jax_convolutions.exchanged
    monkeypatch.setattr(jax_convolutions, "exchanged", lambda f: (found.append(f), original(f))[1])
    return found


CASES = [
    # dimensions, kernel, strides, dilation, padding, channels into and out of it, whether exchanged
    ("conv_transpose", 2, 3, 2, 1, "same", (3, 2), True),
    ("conv_transpose", 2, 2, 2, 1, "valid", (2, 3), True),
    ("conv_transpose", 1, 5, 3, 1, "same", (2, 2), True),
    ("conv_transpose", 3, 2, 2, 1, "same", (2, 2), True),
    ("conv_transpose", 2, 3, 1, 2, "same", (3, 2), True),
    ("conv_transpose", 2, 3, 1, 1, "same", (2, 3), False),
    ("conv", 2, 3, 1, 1, "same", (3, 2), True),
    ("conv", 1, 4, 1, 2, "valid", (3, 2), True),
    ("conv", 2, 3, 1, 1, "same", (2, 3), False),
    ("conv", 2, 3, 2, 1, "same", (3, 2), False),
]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("kind", "dimensions", "size", "strides", "dilation", "padding", "channels", "is_used"), CASES
)
def test_gradients_equal_those_of_jax(
    monkeypatch, data_format, kind, dimensions, size, strides, dilation, padding, channels, is_used
):
    into, out = channels
    spatial = (9, 8, 7)[:dimensions]
    shape = (2, *spatial, into) if data_format == "channels_last" else (2, into, *spatial)
    last = (into, out) if kind == "conv" else (out, into)
    x = RNG.standard_normal(shape, dtype="float32")
    kernel = RNG.standard_normal((*[size] * dimensions, *last), dtype="float32")

    def function(x, kernel):
        options = {"data_format": data_format, "dilation_rate": dilation}
        return getattr(ops, kind)(x, kernel, strides, padding, **options)

    expected, exchanges = gradients(function, x, kernel), used(monkeypatch)
    with fast_gradients():
        found = gradients(function, x, kernel)
    assert len(exchanges) == is_used
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5)


def users_vae():
    keras.utils.set_random_seed(0)
    decoder = keras.Sequential(
        [
            layers.Dense(4 * 4 * 3),
            layers.Reshape((4, 4, 3)),
            layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
        ]
    )
    model = keras_vae.VAE(keras_vae.ConvEncoder((8, 8, 1), 2, (4,)), decoder, seed=0)
    model.compile(keras.optimizers.SGD(1e-3))
    return model


def test_it_is_how_any_decoder_trains(monkeypatch):
    x, exchanges = RNG.uniform(size=(8, 8, 8, 1)).astype("float32"), used(monkeypatch)
    found, expected = users_vae(), users_vae()
    functions = jax.lax.conv_transpose, jax.lax.conv_general_dilated
    found.fit(x, batch_size=4, verbose=0)
    assert exchanges
    assert functions == (jax.lax.conv_transpose, jax.lax.conv_general_dilated)
    found.evaluate(x, verbose=0)
    monkeypatch.setattr(jax_convolutions, "_IS_FASTER", {})
    expected.fit(x, batch_size=4, verbose=0)
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_other_devices_other_threads_and_what_comes_after_are_left_alone(monkeypatch):
    x = RNG.standard_normal((1, 4, 4, 3), dtype="float32")
    kernel, exchanges = RNG.standard_normal((3, 3, 2, 3), dtype="float32"), used(monkeypatch)

    def convolve():
        ops.conv_transpose(x, kernel, 2)

    with fast_gradients():
        other = threading.Thread(target=convolve)
        other.start()
        other.join()
    convolve()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with fast_gradients():
        convolve()
    assert not exchanges


@keras.saving.register_keras_serializable(package="tests")
class ForwardMode(keras_vae.VAE):
    """Its cost has a derivative of the decoder, in forward mode."""

    def objective(self):
        return {**super().objective(), "slope": keras_vae.Term()}

    def terms(self, x, c=None, training=False):
        z = ops.ones((ops.shape(x)[0], 2))
        _, slope = jax.jvp(self.decoder, (z,), (z,))
        return {**super().terms(x, c, training), "slope": ops.sum(slope**2, axis=(1, 2, 3))}


def test_derivatives_in_forward_mode_fall_back():
    networks = users_vae()
    model = ForwardMode(networks.encoder, networks.decoder, seed=0)
    model.compile(keras.optimizers.SGD(1e-3))
    x = RNG.uniform(size=(8, 8, 8, 1)).astype("float32")
    assert np.isfinite(model.fit(x, batch_size=4, verbose=0).history["slope"]).all()
