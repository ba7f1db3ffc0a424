import keras
import numpy as np
import pytest
from families import BY_NAME
from families import PICTURE
from families import mlp
from keras import ops
from scipy import stats

import keras_vae
from keras_vae import CVAE
from keras_vae import VAE
from keras_vae import ArrayCondition
from keras_vae import ConditionalGaussian
from keras_vae import LabelCondition

pytestmark = pytest.mark.compiled_once

FAMILY = BY_NAME["cvae"]
X, LABELS = FAMILY.pairs()


@pytest.fixture
def model():
    return FAMILY.compiled()


def linear_gaussian_cvae(data_dim=5, latent_dim=2, condition_dim=3, seed=0):
    """Returns a CVAE with p(z|c) = N(A c, diag s^2), p(x|z, c) = N(W z + B c, sigma^2), and
    the mean matrix and covariance of p(x|c) = N((W A + B) c, W diag(s^2) W' + sigma^2 I)."""
    rng = np.random.default_rng(seed)
    columns = np.linalg.qr(rng.standard_normal((data_dim, latent_dim)))[0]  # W, orthogonal
    to_mean = rng.standard_normal((latent_dim, condition_dim))  # A
    to_data = rng.standard_normal((data_dim, condition_dim))  # B
    sigma, scale = 0.6, np.array([0.8, 1.3])
    variance = 1 / (1 / scale**2 + 1 / sigma**2)  # of the exact posterior
    # Its mean: variance (A c / s^2 + W'(x - B c) / sigma^2)
    of_x = variance[:, None] * columns.T / sigma**2
    of_c = variance[:, None] * (to_mean / scale[:, None] ** 2 - columns.T @ to_data / sigma**2)

    shape = (condition_dim,)
    encoder = keras_vae.MLPEncoder((data_dim,), latent_dim, (), condition_shape=shape)
    decoder = keras_vae.MLPDecoder((data_dim,), latent_dim, (), condition_shape=shape)
    prior = ConditionalGaussian()
    likelihood = keras_vae.GaussianLikelihood(sigma)
    model = CVAE(encoder, decoder, ArrayCondition(shape), likelihood, prior=prior, seed=0)
    zeros = np.zeros((data_dim + condition_dim, latent_dim))
    encoder.get_layer("z_mean").set_weights([np.hstack([of_x, of_c]).T, np.zeros(latent_dim)])
    encoder.get_layer("z_log_var").set_weights([zeros, np.log(variance) + 0.3])
    decoder.get_layer("output").set_weights([np.hstack([columns, to_data]).T])
    log_var = np.tile(2 * np.log(scale), (1, 1))[0]
    kernel = np.vstack([to_mean, np.zeros((latent_dim, condition_dim))]).T
    prior.set_weights([kernel, np.concatenate([np.zeros(latent_dim), log_var])])
    covariance = columns @ np.diag(scale**2) @ columns.T + sigma**2 * np.eye(data_dim)
    return model, columns @ to_mean + to_data, covariance


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("proposal", ["posterior", "prior"])
def test_the_linear_gaussian_model_has_its_analytic_likelihood(proposal):
    model, mean, covariance = linear_gaussian_cvae()
    rng = np.random.default_rng(1)
    c = rng.standard_normal((50, 3)).astype("float32")
    x = (c @ mean.T + rng.multivariate_normal(np.zeros(5), covariance, 50)).astype("float32")
    exact = [
        stats.multivariate_normal(mean @ ci, covariance).logpdf(xi)
        for xi, ci in zip(x, c, strict=True)
    ]
    num_samples = 2_000 if proposal == "posterior" else 20_000
    found = keras_vae.evaluation.log_likelihood(
        model, x, num_samples, condition=c, proposal=proposal, seed=0
    )
    assert abs(found.mean() - np.mean(exact)) < 0.02
    if proposal == "posterior":
        np.testing.assert_allclose(found, exact, atol=0.02)
    model.compile()
    x, c = np.tile(x, (40, 1)), np.tile(c, (40, 1))  # many draws of each
    elbo = model.evaluate(x, c, return_dict=True, verbose=0)["elbo"]
    assert elbo < np.mean(exact)


def test_everything_depends_on_the_condition(model):
    posteriors = [ops.convert_to_numpy(model.encode(X, np.full(8, c)).mean) for c in (0, 1)]
    assert np.abs(posteriors[0] - posteriors[1]).max() > 1e-3
    means = [model.sample(4, condition=c, seed=0) for c in (0, 1)]
    assert np.abs(means[0] - means[1]).max() > 1e-3
    nats = [
        model.log_likelihood(X, num_samples=10, seed=0, condition=np.full(8, c)) for c in (0, 1)
    ]
    assert np.abs(nats[0] - nats[1]).max() > 1e-3
    pictures = [model.reconstruct(X, np.full(8, c)) for c in (0, 1)]
    assert np.abs(pictures[0] - pictures[1]).max() > 1e-3


def test_one_condition_serves_all_samples_or_each_has_its_own(model):
    same = model.sample(5, condition=[2] * 5, seed=3)
    np.testing.assert_array_equal(model.sample(5, condition=2, seed=3), same)
    mixed = model.sample(5, condition=[2, 0, 2, 0, 2], seed=3)
    np.testing.assert_allclose(mixed[::2], same[::2], atol=1e-6)
    assert np.abs(mixed[1::2] - same[1::2]).max() > 1e-3


def test_more_samples_than_a_batch_keep_their_conditions(monkeypatch):
    # Without noise a sample is a function of its label alone.
    monkeypatch.setattr(
        keras.random, "normal", lambda shape, *args, dtype=None, **kwargs: ops.zeros(shape, dtype)
    )
    labels = np.arange(7) % 3
    of_each = FAMILY.model().sample(3, condition=[0, 1, 2])
    assert np.abs(of_each[0] - of_each[1]).max() > 1e-3
    monkeypatch.setattr(CVAE, "sample_batch_size", 4)
    by_four = FAMILY.model().sample(7, condition=labels)
    np.testing.assert_allclose(by_four, of_each[labels], atol=1e-6)


def test_one_hot_labels_are_labels(model):
    one_hot = np.eye(3, dtype="float32")[LABELS]
    np.testing.assert_array_equal(model.reconstruct(X, one_hot), model.reconstruct(X, LABELS))


def test_labels_dropped_in_training_may_be_left_out(model):
    zeros = np.zeros((8, 3), "float32")
    np.testing.assert_array_equal(model.reconstruct(X), model.reconstruct(X, zeros))
    nats = model.log_likelihood(X, num_samples=5, seed=0)
    np.testing.assert_array_equal(
        nats, model.log_likelihood(X, num_samples=5, seed=0, condition=zeros)
    )
    assert model.sample(2, seed=0).shape == (2, *PICTURE)
    strict = BY_NAME["conditional_iwae"].model()
    for missing in (strict.reconstruct, strict.log_likelihood):
        with pytest.raises(ValueError, match="condition is missing"):
            missing(X)


def test_dropout_is_of_training_only(model, monkeypatch):
    monkeypatch.setattr(model.condition, "dropout", 0.999)
    labels = ops.convert_to_tensor(LABELS)
    assert not ops.convert_to_numpy(model.given(labels, training=True)).any()
    kept = ops.convert_to_numpy(model.given(labels))
    np.testing.assert_array_equal(kept.argmax(axis=-1), LABELS)


def test_without_a_learned_prior_it_is_the_standard_normal():
    model = BY_NAME["completing_cvae"].model()
    _, c = BY_NAME["completing_cvae"].pairs()
    prior = model.prior_given(model.embedded(c))
    assert prior.batch_ndims == 0
    np.testing.assert_array_equal(ops.convert_to_numpy(prior.mean), np.zeros(3))


@pytest.mark.slow
def test_it_learns_what_the_label_says():
    keras.utils.set_random_seed(0)
    labels = LabelCondition(2)
    model = CVAE(
        *mlp((4,), condition_shape=(2,)), labels, keras_vae.GaussianLikelihood(0.5), seed=0
    )
    y = np.arange(64) % 2
    x = np.where(y[:, None] == 1, 1.0, -1.0) * np.ones((64, 4))
    model.compile(keras.optimizers.Adam(2e-2))
    model.fit(x, y, epochs=150, verbose=0)
    assert model.sample(20, condition=1, seed=0).mean() > 0.8
    assert model.sample(20, condition=0, seed=0).mean() < -0.8


def test_a_condition_is_needed():
    with pytest.raises(ValueError, match="CVAE needs a `condition`"):
        CVAE(*mlp(PICTURE), None)
    with pytest.raises(TypeError, match=r"`condition`.*layer"):
        CVAE(*mlp(PICTURE), 10)


def test_an_unconditional_model_takes_no_condition():
    vae = BY_NAME["vae"].model()
    for use in (vae.reconstruct, vae.log_likelihood):
        with pytest.raises(ValueError, match="VAE has no `condition`"):
            use(X, condition=LABELS)
    with pytest.raises(ValueError, match="VAE has no `condition`"):
        vae.sample(2, condition=1)


def test_networks_without_a_place_for_the_condition_are_refused():
    with pytest.raises(ValueError, match=r"\[x, condition\].*`condition_shape`"):
        CVAE(*mlp(PICTURE), LabelCondition(3))
    with pytest.raises(ValueError, match="Build it without `condition_shape`"):
        VAE(*mlp(PICTURE, condition_shape=(3,)))


def test_predict_takes_pairs(model):
    means = model.predict((X, LABELS), verbose=0)
    np.testing.assert_array_equal(means, model.predict([X, LABELS], verbose=0))
    np.testing.assert_array_equal(means, model.predict_on_batch((X, LABELS)))
    with pytest.raises(ValueError, match=r"condition is missing.*`condition`"):
        model.predict(X)
