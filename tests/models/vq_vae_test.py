import itertools
import math

import keras
import numpy as np
import pytest
from families import BY_NAME
from families import map_networks
from keras import layers
from keras import ops

import keras_vae
from keras_vae.models import VQVAE
from keras_vae.models import PixelCNN
from keras_vae.models import TransformerPrior
from keras_vae.quantizers import FiniteScalarQuantizer
from keras_vae.quantizers import GradientUpdate
from keras_vae.quantizers import VectorQuantizer

pytestmark = pytest.mark.compiled_once

K, POSITIONS, DIM = 3, 2, 2
RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 6)).astype("float32")
CODES = RNG.standard_normal((K, DIM)).astype("float32")


def linear_vqvae(**options):
    """z_e = x W + b at two positions of two dimensions, x' = z_q U + c, p(x|z) = N(x; x', 0.25)."""
    encoder = keras.Sequential(
        [keras.Input((6,)), layers.Dense(POSITIONS * DIM), layers.Reshape((POSITIONS, DIM))]
    )
    decoder = keras.Sequential([keras.Input((POSITIONS, DIM)), layers.Flatten(), layers.Dense(6)])
    quantizer = VectorQuantizer(K, update=GradientUpdate(), initialization="uniform", revival=None)
    model = VQVAE(encoder, decoder, quantizer, keras_vae.GaussianLikelihood(0.5), seed=0, **options)
    (codebook,) = quantizer.trainable_variables
    codebook.assign(CODES)
    return model


def log_normal(x, mean):
    return -0.5 * np.sum(np.square((x - mean) / 0.5) + np.log(2 * np.pi * 0.25), axis=-1)


def by_hand(model, x):
    """Returns z_e, the indices and log p(x|z_q), in plain NumPy."""
    w, b = (ops.convert_to_numpy(v) for v in model.encoder.weights)
    u, c = (ops.convert_to_numpy(v) for v in model.decoder.weights)
    z_e = (x @ w + b).reshape(-1, POSITIONS, DIM)
    indices = np.square(z_e[:, :, None] - CODES).sum(axis=-1).argmin(axis=-1)
    mean = CODES[indices].reshape(len(x), -1) @ u + c
    return z_e, indices, log_normal(x, mean)


def terms(model, *pair, training=False):
    x, *y = map(ops.convert_to_tensor, pair)
    found = model.terms(x, model.given(*y, training=training), training)
    return {k: ops.convert_to_numpy(v) for k, v in found.items()}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("training", [False, True])
def test_terms_by_hand(training):
    model = linear_vqvae()
    z_e, indices, log_p = by_hand(model, X)
    found = terms(model, X, training=training)
    distance = np.square(z_e - CODES[indices]).sum(axis=(1, 2))
    np.testing.assert_array_equal(found["usage"], indices)
    np.testing.assert_allclose(found["reconstruction"], -log_p, rtol=1e-4)
    np.testing.assert_allclose(found["commitment"], distance, rtol=1e-4)
    np.testing.assert_allclose(found["codebook"], distance, rtol=1e-4)
    np.testing.assert_allclose(found["kl"], POSITIONS * math.log(K), rtol=1e-6)


def test_logs_weights_and_the_bound():
    model = linear_vqvae(commitment_weight=0.5, codebook_weight=2.0)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=4, verbose=0).history
    weighted = 0.5 * logs["commitment"][0] + 2.0 * logs["codebook"][0]
    assert logs["loss"][0] == pytest.approx(logs["reconstruction"][0] + weighted, rel=1e-5)
    found = model.evaluate(X, return_dict=True, verbose=0)
    assert found["loss"] == pytest.approx(-found["elbo"], rel=1e-6)
    log_p = by_hand(model, X)[2] - POSITIONS * math.log(K)
    np.testing.assert_allclose(model.log_likelihood(X), log_p, rtol=1e-4)
    assert found["elbo"] == pytest.approx(log_p.mean(), rel=1e-4)


def test_usage_and_perplexity_are_of_the_whole_epoch():
    model = linear_vqvae()
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=1, validation_data=X, verbose=0).history
    counts = np.bincount(by_hand(model, X)[1].ravel(), minlength=K)
    p = counts[counts > 0] / counts.sum()
    for prefix in ("", "val_"):
        assert logs[f"{prefix}usage"][0] == pytest.approx(np.mean(counts > 0))
        assert logs[f"{prefix}perplexity"][0] == pytest.approx(np.exp(-np.sum(p * np.log(p))))


def test_codes_and_back():
    model = linear_vqvae()
    indices = model.encode_indices(X)
    assert indices.dtype == np.int32
    np.testing.assert_array_equal(indices, by_hand(model, X)[1])
    np.testing.assert_array_equal(indices, ops.convert_to_numpy(model.encode(X).indices))
    pictures = model.decode_indices(indices)
    np.testing.assert_allclose(pictures, model.reconstruct(X), rtol=1e-5, atol=1e-6)
    many = np.repeat(indices[:1], 4000, axis=0)
    drawn = model.decode_indices(many, seed=0, from_likelihood=True)
    np.testing.assert_allclose(drawn.mean(axis=0), pictures[0], atol=0.05)
    np.testing.assert_allclose(drawn.std(axis=0), 0.5, atol=0.03)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("indices", [[[0, 3]], [[-1, 0]], [[0, 1, 2]], [[0.0, 1.0]]])
def test_indices_that_are_none(indices):
    with pytest.raises(ValueError, match=r"`indices`.*0 to 2.*\(N, 2\)"):
        linear_vqvae().decode_indices(np.array(indices))


def test_the_bound_is_below_the_likelihood_with_every_prior():
    model = linear_vqvae()
    prior = TransformerPrior((POSITIONS,), K, width=8, num_layers=1, num_heads=2, seed=1)
    model.fit_prior(X, prior=prior, epochs=3, verbose=0)
    every = np.array(list(itertools.product(range(K), repeat=POSITIONS)))
    log_prior = model.prior.log_likelihood(every)
    assert np.exp(log_prior).sum() == pytest.approx(1.0, abs=1e-5)
    log_p = log_normal(X[:, None], model.decode_indices(every)[None]) + log_prior
    exact = np.logaddexp.reduce(log_p, axis=1)
    bound = model.log_likelihood(X)
    assert (bound < exact).all()
    own = by_hand(model, X)[1]
    row = own[:, 0] * K + own[:, 1]
    np.testing.assert_allclose(bound, log_p[np.arange(4), row], rtol=1e-4)
    np.testing.assert_allclose(terms(model, X)["kl"], -log_prior[row], rtol=1e-4)


@pytest.mark.slow
def test_samples_follow_the_prior_and_a_preset_keeps_it(tmp_path):
    model = linear_vqvae()
    with pytest.raises(ValueError, match=r"no prior.*fit_prior"):
        model.sample(2)
    prior = TransformerPrior((POSITIONS,), K, width=8, num_layers=1, num_heads=2, seed=1)
    history = model.fit_prior(
        X,
        prior=prior,
        optimizer=keras.optimizers.Adam(0.03),
        epochs=40,
        verbose=0,
        validation_data=X,
    )
    assert history.history["val_nll"][-1] < history.history["nll"][0]
    samples = model.sample(200, seed=3)
    every = model.decode_indices(np.array(list(itertools.product(range(K), repeat=POSITIONS))))
    gap = np.abs(samples[:, None] - every[None]).max(axis=-1)
    assert gap.min(axis=1).max() < 1e-5
    assert len(np.unique(gap.argmin(axis=1))) > 1
    np.testing.assert_array_equal(samples[:3], model.sample(3, seed=3))
    coldest = model.sample(50, seed=3, temperature=1e-3)
    assert len(np.unique(coldest, axis=0)) == 1
    np.testing.assert_array_equal(coldest, model.sample(50, seed=4, top_k=1))

    model.save_to_preset(tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    for again in (
        VQVAE.from_preset(tmp_path / "preset"),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        np.testing.assert_allclose(again.log_likelihood(X), model.log_likelihood(X), rtol=1e-6)
        np.testing.assert_allclose(again.sample(5, seed=3), samples[:5], rtol=1e-5, atol=1e-6)


def test_a_prior_is_not_trained_with_the_codes_and_may_be_replaced():
    model = linear_vqvae()
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.1))
    model.fit(X, verbose=0)
    num_weights = len(model.weights)
    for _ in range(2):
        prior = TransformerPrior((POSITIONS,), K, width=8, num_layers=1, num_heads=2)
        model.fit_prior(X, prior=prior, verbose=0)
        assert model.prior is prior
        assert len(model.weights) == num_weights + len(prior.weights)
    before = prior.get_weights()
    evaluated = model.evaluate(X, return_dict=True, verbose=0)["kl"]
    assert evaluated == pytest.approx(-model.prior.log_likelihood(model.encode_indices(X)).mean())
    model.fit(X, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, prior.get_weights(), strict=True))
    model.fit_prior(X, verbose=0)  # goes on with the one it has
    assert any(not np.array_equal(a, b) for a, b in zip(before, prior.get_weights(), strict=True))


def test_a_prior_of_other_codes_changes_nothing():
    model = linear_vqvae()
    for prior, found in (
        (TransformerPrior((3,), K, width=8, num_layers=1, num_heads=2), r"\(3,\), 3"),
        (TransformerPrior((2,), 4, width=8, num_layers=1, num_heads=2), r"\(2,\), 4"),
    ):
        with pytest.raises(ValueError, match=rf"does not fit its codes.*Received: {found}"):
            model.fit_prior(X, prior=prior)
    with pytest.raises(TypeError, match="autoregressive model"):
        model.fit_prior(X, prior=keras_vae.StandardNormal())
    assert model.prior is None


@pytest.mark.slow
def test_a_prior_may_be_told_labels():
    model, labels = linear_vqvae(), np.array([0, 1, 0, 1])
    condition = keras_vae.LabelCondition(2)
    prior = TransformerPrior(
        (POSITIONS,), K, width=8, num_layers=1, num_heads=2, condition=condition, seed=0
    )
    with pytest.raises(ValueError, match="A condition is missing"):
        model.fit_prior(X, prior=prior)
    options = {"optimizer": keras.optimizers.Adam(0.03), "epochs": 60, "verbose": 0}
    model.fit_prior(X, labels, prior=prior, validation_data=(X, labels), **options)
    model.compile()
    logs = model.evaluate(X, labels, return_dict=True, verbose=0)
    codes = model.encode_indices(X)
    assert logs["kl"] == pytest.approx(-prior.log_likelihood(codes, labels).mean(), rel=1e-5)
    np.testing.assert_allclose(model.log_likelihood(X, labels).mean(), logs["elbo"], rtol=1e-5)
    assert model.sample(3, condition=1, seed=0).shape == (3, 6)
    assert model.reconstruct(X).shape == X.shape  # which needs no label
    with pytest.raises(ValueError, match="A condition is missing"):
        model.evaluate(X, verbose=0)
    with pytest.raises(ValueError, match="A condition is missing"):
        model.sample(3)


def test_the_default_prior_is_one_of_grids():
    encoder = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 3, 2, "same")])
    decoder = keras.Sequential([keras.Input((2, 2, 2)), layers.UpSampling2D(), layers.Conv2D(1, 1)])
    model = VQVAE(encoder, decoder, VectorQuantizer(K), seed=0)
    x = (RNG.random((8, 4, 4, 1)) > 0.5).astype("float32")
    model.fit_prior(x, verbose=0)
    assert isinstance(model.prior, PixelCNN)
    assert model.prior.data_shape == (2, 2)


def test_what_is_no_quantizer():
    encoder = keras.Sequential([keras.Input((6,)), layers.Dense(4)])
    with pytest.raises(TypeError, match="quantizer layer"):
        VQVAE(encoder, encoder, layers.Dense(3))


@pytest.mark.slow
def test_a_codebook_with_99_of_100_codes_dead_recovers_within_5_epochs_of_digits():
    digits = keras_vae.datasets.load("mnist_mini")
    shape, dim, num_codes = (28, 28, 1), 16, 100
    quantizer = VectorQuantizer(num_codes, initialization="uniform")
    model = VQVAE(
        keras_vae.ConvMapEncoder(shape, dim, filters=(16, 32)),
        keras_vae.ConvMapDecoder(shape, dim, filters=(32, 16)),
        quantizer,
        keras_vae.GaussianLikelihood(0.2),
        seed=0,
    )
    far = np.full((num_codes, dim), 1e3, "float32")
    far[0] = 0.0
    quantizer.codebook.assign(far)
    assert np.all(model.encode_indices(digits.test.x) == 0)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(digits.train.x, epochs=5, batch_size=50, verbose=0)  # 80 steps each; MNIST has 1,200
    assert keras_vae.evaluation.codebook_usage(model, digits.test.x).usage >= 0.9


def test_a_prior_in_a_file_of_weights_is_restored_or_missed(tmp_path):
    family, path = BY_NAME["vqvae_with_prior"], tmp_path / "model.weights.h5"
    model, again = family.model(), family.model()
    for variable in model.priors[0].trainable_weights + model.priors[0].weights:
        variable.assign(variable + 1.0)
    model.save_weights(path)
    again.load_weights(path)
    for found, expected in zip(again.priors[0].weights, model.priors[0].weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(found), ops.convert_to_numpy(expected))
    without = VQVAE(*map_networks(), FiniteScalarQuantizer((4, 2)), seed=1)
    before = without.get_weights()
    with pytest.raises(ValueError, match="holds a prior"):
        without.load_weights(path)
    assert all(map(np.array_equal, before, without.get_weights()))
