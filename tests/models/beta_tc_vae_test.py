import itertools

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

import keras_vae
from keras_vae.evaluation import total_correlation_split
from keras_vae.models import VAE
from keras_vae.models import BetaTCVAE
from keras_vae.models.beta_tc_vae import mixture_weights

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 6)).astype("float32")
PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")


def networks(data_dim=6, latent_dim=3):
    keras.utils.set_random_seed(0)
    return (
        keras_vae.MLPEncoder((data_dim,), latent_dim, ()),
        keras_vae.MLPDecoder((data_dim,), latent_dim, ()),
    )


def small_vae(**options):
    options = {"num_examples": 50, "seed": 0, **options}
    return BetaTCVAE(*networks(), likelihood=keras_vae.GaussianLikelihood(), **options)


def vae_of_codes(posterior_variance, **options):
    """A model whose z_mean is x, of two dimensions."""
    model = BetaTCVAE(*networks(2, 2), likelihood=keras_vae.GaussianLikelihood(), seed=0, **options)
    model.encoder.get_layer("z_mean").set_weights([np.eye(2), np.zeros(2)])
    log_var = np.full(2, np.log(posterior_variance))
    model.encoder.get_layer("z_log_var").set_weights([np.zeros((2, 2)), log_var])
    return model


def terms(model, x, training=False):
    return {k: ops.convert_to_numpy(v) for k, v in model.terms(x, training=training).items()}


def weights(batch_size, num_examples, estimator="stratified"):
    return ops.convert_to_numpy(mixture_weights(batch_size, num_examples, estimator))


def log_densities(z, mean, log_var):
    """log N(z_ij; mean_nj, var_nj), (B, N, D), in float64."""
    return stats.norm.logpdf(z[:, None], mean[None], np.exp(0.5 * log_var.astype("float64"))[None])


@pytest.fixture
def drawn(monkeypatch):
    """Fixes the noise, and returns a function from a model to z, z_mean and z_log_var."""
    noise = RNG.standard_normal((len(X), 3)).astype("float32")
    monkeypatch.setattr(keras.random, "normal", lambda shape, *a, **k: ops.convert_to_tensor(noise))

    def of(model):
        mean, log_var = (ops.convert_to_numpy(v) for v in model.encoder(X))
        return mean + np.exp(0.5 * log_var) * noise, mean, log_var

    return of


def test_stratified_weights_by_hand():
    # N = 10, M = 2: 1/N of the example itself, (N - M) / NM = 8/20 of the next, 1/M of the other.
    by_hand = [[0.1, 0.4, 0.5], [0.5, 0.1, 0.4], [0.4, 0.5, 0.1]]
    np.testing.assert_allclose(weights(3, 10), by_hand, rtol=1e-6)
    np.testing.assert_allclose(weights(2, 10), [[0.1, 0.9], [0.9, 0.1]], rtol=1e-6)
    for batch_size in (1, 2, 5, 16):
        np.testing.assert_allclose(weights(batch_size, 16).sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(weights(4, 10, "weighted"), np.full((4, 4), 1 / 40), rtol=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("batch_size", [2, 3, 4])
def test_the_stratified_estimate_of_q_is_unbiased(batch_size):
    densities = np.array([0.3, 2.0, 0.7, 5.0])  # of one z under the posteriors of all of N = 4
    w = weights(batch_size, 4)
    others = itertools.permutations((1, 2, 3), batch_size - 1)
    estimates = [w[0] @ densities[[0, *rest]] for rest in others]
    np.testing.assert_allclose(np.mean(estimates), densities.mean(), rtol=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("estimator", ["weighted", "stratified"])
def test_terms_by_hand(drawn, estimator):
    model = small_vae(estimator=estimator)
    z, mean, log_var = drawn(model)
    log_q = log_densities(z, mean, log_var)
    w = weights(len(X), 50, estimator)
    log_joint = np.log(
        [sum(w[i, n] * np.exp(log_q[i, n].sum()) for n in range(8)) for i in range(8)]
    )
    log_each = np.log(np.einsum("in,inj->ij", w, np.exp(log_q))).sum(axis=1)
    log_posterior = np.array([log_q[i, i].sum() for i in range(8)])
    log_prior = stats.norm.logpdf(z).sum(axis=1)
    found = terms(model, X)
    by_hand = {
        "mutual_information": np.mean(log_posterior - log_joint),
        "total_correlation": np.mean(log_joint - log_each),
        "dimension_wise_kl": np.mean(log_each - log_prior),
    }
    for name, expected in by_hand.items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)
    whole = sum(found[name] for name in PARTS)
    np.testing.assert_allclose(whole, np.mean(log_posterior - log_prior), rtol=1e-4)


def test_a_batch_of_all_examples_gives_the_numbers_of_the_data_set(drawn):
    model = small_vae(num_examples=len(X), estimator="weighted")
    z, mean, log_var = drawn(model)
    log_q = log_densities(z, mean, log_var)
    log_joint = np.log(np.mean(np.exp(log_q.sum(axis=-1)), axis=1))
    log_each = np.log(np.mean(np.exp(log_q), axis=1)).sum(axis=1)
    found, log_n = terms(model, X), np.log(len(X))
    # Its q(z) is the mixture divided by N once more, in every logarithm.
    exact = np.mean(log_joint - log_each)
    np.testing.assert_allclose(found["total_correlation"] - 2 * log_n, exact, rtol=1e-4, atol=1e-5)
    information = np.mean([log_q[i, i].sum() for i in range(len(X))] - log_joint)
    np.testing.assert_allclose(found["mutual_information"] - log_n, information, rtol=1e-4)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_stratified_batches_estimate_the_closed_form_and_the_split_of_the_data_set(rho):
    variance, num_examples = 0.25, 2000
    covariance = (1 - variance) * np.array([[1.0, rho], [rho, 1.0]])  # of z_mean
    x = RNG.multivariate_normal([0, 0], covariance, num_examples).astype("float32")
    model = vae_of_codes(variance, num_examples=num_examples)
    batches = [terms(model, x[i : i + 200]) for i in range(0, num_examples, 200)]
    found = {name: np.mean([batch[name] for batch in batches]) for name in PARTS}
    correlation = (1 - variance) * rho  # of z, whose variances are 1
    closed_form = -0.5 * np.log(1 - correlation**2)
    np.testing.assert_allclose(found["total_correlation"], closed_form, atol=0.04)
    split = total_correlation_split(model, x, num_samples=5)
    for name in PARTS:
        np.testing.assert_allclose(found[name], getattr(split, name), atol=0.06)


def test_logs_and_validation():
    model = small_vae(
        total_correlation_weight=keras_vae.LinearAnnealing(2, start=1.0, end=5.0),
        mutual_information_weight=0.5,
        dimension_wise_kl_weight=3.0,
        kl_weight=2.0,
    )
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=8, validation_data=X, epochs=3, verbose=0).history
    parts = {k: np.array(v) for k, v in logs.items()}
    expected = parts["reconstruction"] + 2 * parts["kl"] + 0.5 * parts["mutual_information"]
    expected += np.array([1.0, 3.0, 5.0]) * parts["total_correlation"]
    expected += 3 * parts["dimension_wise_kl"]
    np.testing.assert_allclose(parts["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(parts["val_loss"], -parts["val_elbo"], rtol=1e-6)
    assert {f"val_{name}" for name in PARTS} <= logs.keys()


def test_without_weights_it_trains_as_the_vae():
    model = small_vae(total_correlation_weight=0.0)
    vae = VAE(*networks(), keras_vae.GaussianLikelihood(), seed=0)
    for m in (model, vae):
        m.compile(keras.optimizers.Adam(0.01))
        m.fit(X, batch_size=3, epochs=3, verbose=0)
    for a, b in zip(model.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_the_penalty_makes_codes_independent():
    x = RNG.multivariate_normal([0, 0], [[1.0, 0.8], [0.8, 1.0]], 512).astype("float32")
    model = vae_of_codes(0.1, num_examples=512, total_correlation_weight=20.0)
    before = np.corrcoef(ops.convert_to_numpy(model.encode(x).mean).T)[0, 1]
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(x, batch_size=128, epochs=15, verbose=0)
    after = np.corrcoef(ops.convert_to_numpy(model.encode(x).mean).T)[0, 1]
    assert before > 0.75
    assert abs(after) < 0.3


def test_a_single_example_has_no_information_and_no_correlation():
    # Its posterior is all that the batch knows of q(z).
    found = terms(small_vae(num_examples=20), X[:1])
    np.testing.assert_allclose(found["mutual_information"], 0.0, atol=1e-5)
    np.testing.assert_allclose(found["total_correlation"], 0.0, atol=1e-5)


def test_a_preset_holds_the_arguments(tmp_path):
    small_vae(num_examples=77, estimator="weighted", kl_weight=2.0).save_to_preset(tmp_path)
    loaded = BetaTCVAE.from_preset(tmp_path)
    assert (loaded.num_examples, loaded.estimator, loaded.kl_weight) == (77, "weighted", 2.0)


def test_what_does_not_belong():
    with pytest.raises(ValueError, match=r"`num_examples`.*positive integer"):
        small_vae(num_examples=0)
    with pytest.raises(ValueError, match=r"`estimator`.*one of 'stratified', 'weighted'"):
        small_vae(estimator="exact")
    with pytest.raises(ValueError, match="`mutual_information_weight` must be a number"):
        small_vae(mutual_information_weight=-1.0)
    with pytest.raises(ValueError, match=r"must be StandardNormal.*Received: <GaussianMixture"):
        small_vae(prior=keras_vae.GaussianMixture(2))
