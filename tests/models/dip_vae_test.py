import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.models import DIPVAE
from keras_vae.models import VAE

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 6)).astype("float32")
# As z_mean they have the covariance [[2, 1], [1, 1/2]], divided by B.
CODES = np.array([[2, 1], [-2, -1], [0, 0], [0, 0]], "float32") + np.array([3, -1], "float32")


def networks(data_dim=6, latent_dim=3):
    keras.utils.set_random_seed(0)
    return (
        keras_vae.MLPEncoder((data_dim,), latent_dim, ()),
        keras_vae.MLPDecoder((data_dim,), latent_dim, ()),
    )


def small_vae(**options):
    return DIPVAE(*networks(), likelihood=keras_vae.GaussianLikelihood(), seed=0, **options)


def vae_of_codes(posterior_variance=0.25, **options):
    """A model whose z_mean is x, of two dimensions."""
    model = DIPVAE(*networks(2, 2), likelihood=keras_vae.GaussianLikelihood(), seed=0, **options)
    model.encoder.get_layer("z_mean").set_weights([np.eye(2), np.zeros(2)])
    log_var = np.full(2, np.log(posterior_variance))
    model.encoder.get_layer("z_log_var").set_weights([np.zeros((2, 2)), log_var])
    return model


def terms(model, x, training=False):
    return {k: ops.convert_to_numpy(v) for k, v in model.terms(x, training=training).items()}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "covariance_of, diagonal",
    [
        ("mean", (2 - 1) ** 2 + (0.5 - 1) ** 2),
        ("z", (2 + 0.25 - 1) ** 2 + (0.5 + 0.25 - 1) ** 2),
    ],
)
def test_terms_by_hand(covariance_of, diagonal):
    found = terms(vae_of_codes(0.25, covariance_of=covariance_of), CODES)
    np.testing.assert_allclose(found["off_diagonal"], 1**2 + 1**2, rtol=1e-5)
    np.testing.assert_allclose(found["diagonal"], diagonal, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("covariance_of", ["mean", "z"])
def test_terms_against_numpy(covariance_of):
    model = small_vae(covariance_of=covariance_of)
    mean, log_var = (ops.convert_to_numpy(v).astype("float64") for v in model.encoder(X))
    covariance = np.cov(mean.T, bias=True)
    if covariance_of == "z":
        covariance += np.diag(np.exp(log_var).mean(axis=0))
    error = (covariance - np.eye(3)) ** 2
    found = terms(model, X)
    np.testing.assert_allclose(found["diagonal"], np.trace(error), rtol=1e-4)
    np.testing.assert_allclose(found["off_diagonal"], error.sum() - np.trace(error), rtol=1e-4)


def test_the_covariance_of_z_is_that_of_its_draws():
    x = RNG.multivariate_normal([0, 0], [[0.5, 0.3], [0.3, 0.7]], 50_000).astype("float32")
    model = vae_of_codes(0.25, covariance_of="z")
    z = ops.convert_to_numpy(model.encode(x).sample(seed=0))
    error = (np.cov(z.T) - np.eye(2)) ** 2
    found = terms(model, x)
    np.testing.assert_allclose(found["diagonal"], np.trace(error), atol=0.02)
    np.testing.assert_allclose(found["off_diagonal"], 2 * error[0, 1], atol=0.01)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("covariance_of, variance", [("mean", 1.0), ("z", 0.75)])
def test_codes_with_the_covariance_of_the_prior_cost_nothing(covariance_of, variance):
    std = np.sqrt(variance)
    x = std * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], "float32")
    found = terms(vae_of_codes(0.25, covariance_of=covariance_of), x)
    np.testing.assert_allclose([found["off_diagonal"], found["diagonal"]], 0.0, atol=1e-10)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("covariance_of", ["mean", "z"])
def test_a_batch_given_twice_costs_the_same(covariance_of):
    model = small_vae(covariance_of=covariance_of)
    once, twice = terms(model, X), terms(model, np.concatenate([X, X]))
    for name in ("off_diagonal", "diagonal"):
        np.testing.assert_allclose(twice[name], once[name], rtol=1e-4)


def test_logs_and_validation():
    weight = keras_vae.LinearAnnealing(2, start=1.0, end=5.0)
    model = small_vae(off_diagonal_weight=weight, diagonal_weight=7.0, kl_weight=2.0)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=8, validation_data=X, epochs=3, verbose=0).history
    parts = {k: np.array(v) for k, v in logs.items()}
    expected = parts["reconstruction"] + 2 * parts["kl"] + 7 * parts["diagonal"]
    expected += np.array([1.0, 3.0, 5.0]) * parts["off_diagonal"]
    np.testing.assert_allclose(parts["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(parts["val_loss"], -parts["val_elbo"], rtol=1e-6)
    assert {"val_off_diagonal", "val_diagonal"} <= logs.keys()


def test_without_weights_it_trains_as_the_vae():
    model = small_vae(off_diagonal_weight=0.0, diagonal_weight=0.0)
    vae = VAE(*networks(), keras_vae.GaussianLikelihood(), seed=0)
    for m in (model, vae):
        m.compile(keras.optimizers.Adam(0.01))
        m.fit(X, batch_size=3, epochs=3, verbose=0)
    for a, b in zip(model.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("covariance_of", ["mean", "z"])
def test_the_penalty_draws_the_covariance_to_that_of_the_prior(covariance_of):
    x = RNG.multivariate_normal([0, 0], [[2.0, 1.5], [1.5, 2.0]], 512).astype("float32")
    model = vae_of_codes(
        covariance_of=covariance_of, off_diagonal_weight=100.0, diagonal_weight=100.0
    )
    model.compile(keras.optimizers.Adam(0.03))
    model.fit(x, batch_size=128, epochs=30, verbose=0)
    posterior = model.encode(x)
    drawn = posterior.mean if covariance_of == "mean" else posterior.sample(seed=0)
    np.testing.assert_allclose(np.cov(ops.convert_to_numpy(drawn).T), np.eye(2), atol=0.15)


def test_a_preset_holds_the_arguments(tmp_path):
    small_vae(covariance_of="z", diagonal_weight=10.0, kl_weight=2.0).save_to_preset(tmp_path)
    loaded = DIPVAE.from_preset(tmp_path)
    assert (loaded.covariance_of, loaded.diagonal_weight, loaded.kl_weight) == ("z", 10.0, 2.0)


def test_what_does_not_belong():
    with pytest.raises(ValueError, match=r"`covariance_of`.*one of 'mean', 'z'"):
        small_vae(covariance_of="draws")
    with pytest.raises(ValueError, match=r"`diagonal_weight`.*at least 0"):
        small_vae(diagonal_weight=-1.0)
    with pytest.raises(ValueError, match=r"must be StandardNormal.*Received: GaussianMixture"):
        small_vae(prior=keras_vae.GaussianMixture(2))
