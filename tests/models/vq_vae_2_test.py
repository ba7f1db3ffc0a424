import math

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import keras_vae
from keras_vae.conditions import CodeCondition
from keras_vae.models import VQVAE2
from keras_vae.models import TransformerPrior
from keras_vae.quantizers import GradientUpdate
from keras_vae.quantizers import VectorQuantizer

pytestmark = pytest.mark.compiled_once

K = 3
RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 6)).astype("float32")
CODES = RNG.standard_normal((2, K, 2)).astype("float32")  # of z_1 and z_2


def linear(*shape, out):
    return keras.Sequential(
        [keras.Input(shape), layers.Flatten(), layers.Dense(math.prod(out)), layers.Reshape(out)]
    )


def quantizer(**options):
    return VectorQuantizer(
        K, update=GradientUpdate(), initialization="uniform", revival=None, **options
    )


def linear_vqvae2(**options):
    """h_1 (2, 1), h_2 (1, 2) of x; u_1 (2, 1) of z_2; z_1 the codes of [h_1, u_1]; x' of both."""
    model = VQVAE2(
        encoders=[linear(6, out=(2, 1)), linear(2, 1, out=(1, 2))],
        decoders=[linear(2, 3, out=(6,)), linear(1, 2, out=(2, 1))],
        quantizers=[quantizer(), quantizer()],
        likelihood=keras_vae.GaussianLikelihood(),
        seed=0,
        **options,
    )
    for part, codes in zip(model.quantizers, CODES, strict=True):
        part.trainable_variables[0].assign(codes)
    return model


def affine(network, x):
    w, b = (ops.convert_to_numpy(v) for v in network.weights)
    return (x.reshape(len(x), -1) @ w + b).reshape(len(x), *network.output_shape[1:])


def nearest(z_e, codes):
    return np.square(z_e[:, :, None] - codes).sum(axis=-1).argmin(axis=-1)


def by_hand(model, x):
    """Returns the indices of both levels, the mean of p(x|z), and the distances."""
    (up_1, up_2), (down_1, down_2) = model.encoders, model.decoders
    h_1 = affine(up_1, x)
    h_2 = affine(up_2, h_1)
    top = nearest(h_2, CODES[1])
    z_2 = CODES[1][top]
    u_1 = affine(down_2, z_2)
    z_e = np.concatenate([h_1, u_1], axis=-1)
    bottom = nearest(z_e, CODES[0])
    z_1 = CODES[0][bottom]
    mean = affine(down_1, np.concatenate([z_1, u_1], axis=-1))
    distance = np.square(h_2 - z_2).sum(axis=(1, 2)) + np.square(z_e - z_1).sum(axis=(1, 2))
    return [bottom, top], mean, distance


def test_terms_by_hand():
    model = linear_vqvae2()
    indices, mean, distance = by_hand(model, X)
    found = {k: ops.convert_to_numpy(v) for k, v in model.terms(X).items()}
    log_p = -0.5 * np.sum(np.square(X - mean) + np.log(2 * np.pi), axis=1)
    np.testing.assert_allclose(found["reconstruction"], -log_p, rtol=1e-4)
    np.testing.assert_allclose(found["commitment"], distance, rtol=1e-4)
    np.testing.assert_allclose(found["codebook"], distance, rtol=1e-4)
    for level, (codes, num_codes) in enumerate(zip(indices, (2, 1), strict=True), start=1):
        np.testing.assert_array_equal(found[f"usage_{level}"], codes)
        np.testing.assert_allclose(found[f"kl_{level}"], num_codes * np.log(K), rtol=1e-6)
    for found, expected in zip(model.encode_indices(X), indices, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(model.decode_indices(indices), mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(X), mean, rtol=1e-4, atol=1e-5)


def test_codes_of_all_levels_are_of_the_same_examples():
    model = linear_vqvae2()
    bottom, top = model.encode_indices(X)
    for indices, shapes in (([bottom], "1 levels"), ([bottom, top[:1]], r"2 levels.*\(1, ")):
        with pytest.raises(ValueError, match=rf"each of the 2 levels.*{shapes}"):
            model.decode_indices(indices)


def test_logs_of_each_level():
    model = linear_vqvae2()
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=2, verbose=0).history
    bottom, top = by_hand(model, X)[0]
    assert logs["usage_1"][0] == pytest.approx(len(np.unique(bottom)) / K)
    assert logs["usage_2"][0] == pytest.approx(len(np.unique(top)) / K)
    assert logs["kl"][0] == pytest.approx(logs["kl_1"][0] + logs["kl_2"][0])


@pytest.mark.slow
def test_the_default_priors_tell_the_bottom_what_is_above(tmp_path):
    model = linear_vqvae2()
    histories = model.fit_prior(X, epochs=2, verbose=0)
    assert len(histories) == 2
    below, above = model.priors
    assert isinstance(below.condition, CodeCondition)
    assert above.condition is None
    bottom, top = model.encode_indices(X)
    bound = model.log_likelihood(X)
    log_prior = below.log_likelihood(bottom, top) + above.log_likelihood(top)
    mean = by_hand(model, X)[1]
    log_p = -0.5 * np.sum(np.square(X - mean) + np.log(2 * np.pi), axis=1)
    np.testing.assert_allclose(bound, log_p + log_prior, rtol=1e-4)
    samples = model.sample(6, seed=1)
    assert samples.shape == (6, 6)
    np.testing.assert_array_equal(samples[:2], model.sample(2, seed=1))

    model.save_to_preset(tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    for again in (
        VQVAE2.from_preset(tmp_path / "preset"),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        np.testing.assert_allclose(again.log_likelihood(X), bound, rtol=1e-6)
        np.testing.assert_allclose(again.sample(6, seed=1), samples, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_the_bottom_learns_from_the_top():
    model = linear_vqvae2()
    x = np.random.default_rng(1).standard_normal((200, 6)).astype("float32")
    options = {"optimizer": keras.optimizers.Adam(0.02), "epochs": 30, "verbose": 0}
    small = {"width": 8, "num_layers": 1, "num_heads": 2, "seed": 0}
    told = CodeCondition((1,), K, embedding_dim=4)
    priors = [
        TransformerPrior((2,), K, condition=told, **small),
        TransformerPrior((1,), K, **small),
    ]
    model.fit_prior(x, prior=priors, batch_size=50, **options)
    bottom, top = model.encode_indices(x)
    joint = np.bincount((bottom[:, 0] * K + top[:, 0]), minlength=K * K).reshape(K, K) / len(x)
    alone = TransformerPrior((2,), K, **small)
    alone.compile(keras.optimizers.Adam(0.02))
    alone.fit(bottom, batch_size=50, epochs=30, verbose=0)
    p, q = joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True)
    information = np.nansum(joint * np.log(np.maximum(joint, 1e-9) / np.maximum(p * q, 1e-9)))
    assert information > 0.05  # else there is nothing to be told
    gain = np.mean(priors[0].log_likelihood(bottom, top) - alone.log_likelihood(bottom))
    assert gain > 0.5 * information


def test_parts_that_do_not_fit():
    networks = [linear(6, out=(2, 1))], [linear(2, 2, out=(6,))]
    with pytest.raises(ValueError, match=r"`quantizers`.*list of 1"):
        VQVAE2(*networks, quantizers=[quantizer(), quantizer()])
    with pytest.raises(ValueError, match=r"`encoders` and `decoders`.*one network each"):
        VQVAE2(networks[0] * 2, networks[1], [quantizer()])
    model = linear_vqvae2()
    small = {"width": 8, "num_layers": 1, "num_heads": 2}
    priors = [TransformerPrior((2,), K, **small), TransformerPrior((1,), K, **small)]
    with pytest.raises(ValueError, match=r"codes above.*CodeCondition\(\(1,\), 3\)"):
        model.fit_prior(X, prior=priors)
    with pytest.raises(ValueError, match=r"one prior.*2 levels"):
        model.fit_prior(X, prior=priors[:1])
    assert not model.priors
