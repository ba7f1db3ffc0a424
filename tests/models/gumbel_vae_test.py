import itertools
import json

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special

import keras_vae
from keras_vae.conditions import LabelCondition
from keras_vae.distributions import BinaryCodes
from keras_vae.distributions import CategoricalCodes
from keras_vae.distributions import OneHotCategorical
from keras_vae.models import GumbelVAE
from keras_vae.models import StraightThroughGumbelVAE
from keras_vae.priors import Prior
from keras_vae.schedules import ExponentialAnnealing
from keras_vae.schedules import LinearAnnealing

pytestmark = pytest.mark.compiled_once

BITS = np.random.default_rng(0).integers(0, 2, (16, 5)).astype("float32")
KINDS = {
    "categorical": (CategoricalCodes(3), np.eye(3)),  # 1 latent of 3 classes
    "two_categorical": (
        CategoricalCodes(2),
        np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]]),
    ),
    "binary": (BinaryCodes(), np.array(list(itertools.product([0, 1], repeat=2)))),
}


def small(codes, latent_dim, family=GumbelVAE, condition_shape=None, **options):
    """Returns a model whose codes matter to x, and x to its codes."""
    keras.utils.set_random_seed(1)
    shapes = {"hidden_units": (), "condition_shape": condition_shape}
    model = family(
        keras_vae.MLPEncoder((5,), latent_dim, num_outputs=1, **shapes),
        keras_vae.MLPDecoder((5,), latent_dim, **shapes),
        codes,
        seed=0,
        **options,
    )
    kernel = model.decoder.get_layer("output").kernel
    kernel.assign(2 * kernel)
    return model


@pytest.fixture(params=KINDS)
def kind(request):
    """Returns the kind of codes, and every code there is."""
    return KINDS[request.param]


def decoded(monkeypatch, model, training):
    """Returns the z that the decoder is given in a step."""
    seen, generate = [], model.generate
    monkeypatch.setattr(
        model, "generate", lambda z, *a, **k: [seen.append(z), generate(z, *a, **k)][1]
    )
    model.terms(ops.convert_to_tensor(BITS), training=training)
    return ops.convert_to_numpy(seen[0])


def log_p_x_given(model, all_codes, x, condition=None):
    """Returns log p(x|z), (M, N), of every code."""
    z = ops.convert_to_tensor(np.repeat(all_codes[:, None], len(x), 1).astype("float32"))
    return ops.convert_to_numpy(
        model.log_p_x(ops.convert_to_tensor(x), z, model.embedded(condition))
    )


@pytest.mark.first_case_elsewhere
def test_bounds_against_the_exact_marginal(kind):
    codes, all_codes = kind
    model = small(codes, all_codes.shape[1])
    log_p = log_p_x_given(model, all_codes, BITS)
    marginal = special.logsumexp(log_p, axis=0) - np.log(len(all_codes))
    estimate = model.log_likelihood(BITS, num_samples=5000, seed=0)
    assert abs(np.mean(estimate - marginal)) < 0.01
    np.testing.assert_allclose(estimate, marginal, atol=0.1)

    posterior = model.encode(BITS)
    log_q = ops.convert_to_numpy(posterior.log_prob(all_codes[:, None].repeat(16, 1)))
    np.testing.assert_allclose(np.exp(log_q).sum(axis=0), 1, rtol=1e-5)
    exact_kl = np.sum(np.exp(log_q) * (log_q + np.log(len(all_codes))), axis=0)
    elbo = np.sum(np.exp(log_q) * log_p, axis=0) - exact_kl
    assert np.all(elbo < marginal)
    terms = model.terms(ops.convert_to_tensor(np.tile(BITS, (200, 1))))
    reconstruction, kl = (
        ops.convert_to_numpy(terms[k]).reshape(200, 16) for k in ("reconstruction", "kl")
    )
    np.testing.assert_allclose(kl[0], exact_kl, rtol=1e-4, atol=1e-6)
    drawn = -np.mean(reconstruction + kl, axis=1)
    assert abs(drawn.mean() - elbo.mean()) < 4 * drawn.std() / np.sqrt(200)


def test_a_conditional_model_is_bound_by_its_exact_marginal():
    labels = np.arange(16) % 2
    condition = LabelCondition(2)
    model = small(CategoricalCodes(3), 3, condition_shape=(2,), condition=condition)
    log_p = log_p_x_given(model, np.eye(3), BITS, ops.convert_to_tensor(labels))
    marginal = special.logsumexp(log_p, axis=0) - np.log(3)
    estimate = model.log_likelihood(BITS, num_samples=5000, condition=labels, seed=0)
    assert abs(np.mean(estimate - marginal)) < 0.01
    assert model.sample(3, condition=1, seed=0).shape == (3, 5)


@pytest.mark.first_case_elsewhere
def test_evaluation_decodes_discrete_codes_and_training_relaxed_ones(kind, monkeypatch):
    codes, all_codes = kind
    for family in (GumbelVAE, StraightThroughGumbelVAE):
        model = small(codes, all_codes.shape[1], family)
        rows = {tuple(row) for row in decoded(monkeypatch, model, training=False)}
        assert rows <= {tuple(row) for row in all_codes}
    rows = {tuple(row) for row in decoded(monkeypatch, model, training=True)}
    assert rows <= {tuple(row) for row in all_codes}  # straight through
    relaxed = decoded(monkeypatch, small(codes, all_codes.shape[1]), training=True)
    assert np.all((relaxed > 0) & (relaxed < 1))


def test_temperature_moves_with_the_updates_made(monkeypatch):
    model = small(BinaryCodes(), 2, temperature=ExponentialAnnealing(0.5, start=2.0, end=0.9))
    model.compile(keras.optimizers.SGD(0.0))
    stream = model.noise.training_stream.state
    start = ops.convert_to_numpy(stream)
    scaled = []  # logit(z) * temperature = logits + noise
    for temperature in (2.0, 2.0 * np.exp(-0.5), 0.9, 0.9):
        stream.assign(start)
        with monkeypatch.context() as patch:
            z = decoded(patch, model, training=True)
        scaled.append(special.logit(z.astype("float64")) * temperature)
        model.train_on_batch(BITS)
    np.testing.assert_allclose(scaled[1:], [scaled[0]] * 3, rtol=1e-2, atol=1e-3)


def test_evaluation_knows_no_temperature():
    numbers = [
        small(CategoricalCodes(3), 3, temperature=t).evaluate(BITS, verbose=0) for t in (0.1, 9.0)
    ]
    assert numbers[0] == numbers[1]


def test_kl_weight_weighs_training_and_not_validation():
    model = small(CategoricalCodes(3), 3, kl_weight=LinearAnnealing(4, start=2.0, end=0.0))
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(BITS, batch_size=16, validation_data=BITS, verbose=0).history
    trained = logs["reconstruction"][0] + 2.0 * logs["kl"][0]
    np.testing.assert_allclose(logs["loss"][0], trained, rtol=1e-5)
    np.testing.assert_allclose(logs["val_loss"][0], -logs["val_elbo"][0], rtol=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("family", [GumbelVAE, StraightThroughGumbelVAE])
def test_encoder_learns_from_what_its_codes_decode_to(family):
    patterns = np.repeat(np.eye(3), 2, axis=1).astype("float32")  # 3 pictures of 6 pixels
    keras.utils.set_random_seed(0)
    model = family(
        keras_vae.MLPEncoder((6,), 3, (), num_outputs=1),
        keras_vae.MLPDecoder((6,), 3, ()),
        CategoricalCodes(3),
        seed=0,
    )
    model.decoder.get_layer("output").set_weights([10 * patterns - 5])  # class c draws picture c
    model.decoder.trainable = False
    model.compile(keras.optimizers.Adam(0.1))
    model.fit(np.tile(patterns, (1200, 1)), batch_size=60, verbose=0)
    assert np.all(np.diag(ops.convert_to_numpy(model.encode(patterns).mean)) > 0.9)
    nll = -model.log_likelihood(patterns, num_samples=100, seed=0)
    np.testing.assert_allclose(nll, np.log(3) + 6 * np.log1p(np.exp(-5)), atol=0.05)
    np.testing.assert_allclose(model.reconstruct(patterns), patterns, atol=0.01)


@pytest.mark.first_case_elsewhere
def test_reconstruct_decodes_the_most_probable_code(kind):
    codes, all_codes = kind
    model = small(codes, all_codes.shape[1])
    log_q = ops.convert_to_numpy(model.encode(BITS).log_prob(all_codes[:, None].repeat(16, 1)))
    best = all_codes[np.argmax(log_q, axis=0)].astype("float32")
    expected = ops.convert_to_numpy(model.decode(best).mean)
    np.testing.assert_allclose(model.reconstruct(BITS), expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
def test_samples_are_decoded_codes_as_frequent_as_in_the_prior(kind):
    codes, all_codes = kind
    model = small(codes, all_codes.shape[1])
    pictures = ops.convert_to_numpy(model.decode(all_codes.astype("float32")).mean)
    drawn = model.sample(2000, seed=0)
    distances = np.abs(drawn[:, None] - pictures).max(axis=-1)
    assert distances.min(axis=1).max() < 1e-5
    counts = np.bincount(distances.argmin(axis=1), minlength=len(pictures))
    p = 1 / len(pictures)
    assert np.all(np.abs(counts / 2000 - p) < 4 * np.sqrt(p * (1 - p) / 2000))


class Skewed(Prior):
    """p = (1/8, 2/8, 5/8), a prior of somebody else."""

    def call(self, condition=None):
        return OneHotCategorical(np.log([1.0, 2.0, 5.0]), 3, batch_ndims=0)


def test_any_prior_over_the_codes():
    model = small(CategoricalCodes(3), 3, prior=Skewed())
    q = ops.convert_to_numpy(model.encode(BITS).mean)
    by_hand = np.sum(q * np.log(q / np.array([1 / 8, 2 / 8, 5 / 8])), axis=1)
    kl = ops.convert_to_numpy(model.terms(ops.convert_to_tensor(BITS))["kl"])
    np.testing.assert_allclose(kl, by_hand, rtol=1e-4, atol=1e-5)
    marginal = special.logsumexp(
        log_p_x_given(model, np.eye(3), BITS), axis=0, b=np.array([[1], [2], [5]]) / 8
    )
    estimate = model.log_likelihood(BITS, num_samples=5000, seed=0)
    assert abs(np.mean(estimate - marginal)) < 0.01


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("family", [GumbelVAE, StraightThroughGumbelVAE])
def test_config_and_preset_round_trip(family, kind, tmp_path):
    codes, all_codes = kind
    options = {"temperature": ExponentialAnnealing(1e-3), "kl_weight": LinearAnnealing(10)}
    model = small(codes, all_codes.shape[1], family, **options)
    model.save_to_preset(tmp_path)
    loaded = family.from_preset(tmp_path)
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert loaded.temperature.get_config() == options["temperature"].get_config()
    assert loaded.codes.get_config() == codes.get_config()
    np.testing.assert_array_equal(loaded.reconstruct(BITS), model.reconstruct(BITS))
    np.testing.assert_array_equal(loaded.sample(5, seed=1), model.sample(5, seed=1))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("temperature", [0, -1.0, np.float32(0), float("nan")])
def test_temperature_is_checked(temperature):
    with pytest.raises(ValueError, match=r"`temperature`.*greater than 0"):
        small(BinaryCodes(), 2, temperature=temperature)


def test_parts_are_checked():
    with pytest.raises(ValueError, match=r"multiple of `num_classes`.*num_classes=3"):
        small(CategoricalCodes(3), 4)
    for options in ({}, {"prior": keras_vae.StandardNormal()}):
        with pytest.raises(TypeError, match=r"`codes`.*Received: 3"):
            small(3, 3, **options)
    with pytest.raises(ValueError, match=r"`kl_weight`.*at least 0"):
        small(BinaryCodes(), 2, kl_weight=-1)
