import keras
import map_networks
import numpy as np
import pytest
from families import BY_NAME
from families import PICTURE
from families import mlp
from keras import ops
from linear_gaussian import linear_gaussian_vae
from linear_gaussian import log_marginal

from keras_vae import DIPVAE
from keras_vae import IWAE
from keras_vae import VAE
from keras_vae import Autoencoder
from keras_vae import BetaTCVAE
from keras_vae import GaussianLikelihood
from keras_vae import GaussianMixture
from keras_vae import InfoVAE
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae import VampPrior
from keras_vae import evaluation

pytestmark = pytest.mark.compiled_once


@pytest.fixture
def model():
    return BY_NAME["vae"].model()


X = BY_NAME["vae"].data()


def test_importance_weights_by_hand(model):
    model.noise.reset_evaluation()
    z = model.encode(X).sample(model.noise.stream(False), 3)
    model.noise.reset_evaluation()
    log_w = ops.convert_to_numpy(model.log_importance_weights(X, 3))
    for k in range(3):
        expected = (
            model.decode(z[k]).log_prob(X)
            + model.prior_given().log_prob(z[k])
            - model.encode(X).log_prob(z[k])
        )
        np.testing.assert_allclose(log_w[k], ops.convert_to_numpy(expected), rtol=1e-4)


def test_prior_weights_are_likelihoods_of_draws_from_the_prior(model):
    model.noise.reset_evaluation()
    z = model.prior_given().sample(model.noise.stream(False), 3)
    model.noise.reset_evaluation()
    log_w = ops.convert_to_numpy(model.log_prior_weights(X, 3))
    assert log_w.shape == (3, len(X))
    likelihood = model.decode(z)  # of 3 draws
    for i, x in enumerate(X):
        expected = ops.convert_to_numpy(likelihood.log_prob(np.stack([x] * 3)))
        np.testing.assert_allclose(log_w[:, i], expected, rtol=1e-4)


def test_both_proposals_estimate_the_analytic_likelihood():
    model, parameters = linear_gaussian_vae(posterior_error=0.3)
    x = np.random.default_rng(0).standard_normal((5, 6)).astype("float32")
    exact = log_marginal(x, parameters)
    for proposal, num_samples in (("posterior", 2_000), ("prior", 100_000)):
        found = evaluation.log_likelihood(model, x, num_samples, proposal=proposal, seed=0)
        np.testing.assert_allclose(found, exact, atol=0.05)
    with pytest.raises(ValueError, match=r"`proposal`.*one of"):
        evaluation.log_likelihood(model, x, 5, proposal="decoder")


def test_samples_are_decoded_draws_of_the_prior(model):
    samples = model.sample(5, seed=3)
    with model.noise.seeded(3):
        z = model.prior_given().sample(model.noise.stream(False), model.sample_batch_size)
        means = ops.convert_to_numpy(model.decode(z).mean)
    np.testing.assert_allclose(samples, means[:5], atol=1e-6)


def test_samples_do_not_depend_on_how_many_are_drawn(model):
    many = model.sample(model.sample_batch_size + 3, seed=1)
    np.testing.assert_array_equal(many[:4], model.sample(4, seed=1))
    assert len(many) == model.sample_batch_size + 3
    assert not np.array_equal(many[:3], many[-3:])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [0, -2, 1.5])
def test_bad_numbers_of_samples_are_refused(model, num_samples):
    with pytest.raises(ValueError, match=r"`num_samples`.*positive integer"):
        model.sample(num_samples)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("kind", [VAE, IWAE])
def test_an_encoder_of_one_output_is_refused(kind):
    encoder = Autoencoder(*mlp(PICTURE)).encoder
    one = type(encoder)(PICTURE, 3, (8,), num_outputs=1)
    with pytest.raises(ValueError, match=f"encoder of {kind.__name__}.*return"):
        kind(one, mlp(PICTURE)[1])


def test_a_prior_fitted_afterwards_takes_the_place_of_the_first(model):
    x = np.tile(X, (100, 1, 1, 1))
    prior = GaussianMixture(2)
    prior.fit(model.encode(x).sample(seed=0))
    better = VAE(model.encoder, model.decoder, model.likelihood, prior=prior, seed=0)
    kl = []
    for m in (model, better):
        m.compile()
        kl.append(m.evaluate(x, return_dict=True, verbose=0)["kl"])
    assert kl[1] < kl[0]


def test_what_is_no_prior_is_refused():
    with pytest.raises(TypeError, match=r"`prior`.*layer"):
        VAE(*mlp(PICTURE), prior="normal")


def test_a_vamp_prior_is_attached_and_moves_with_the_encoder():
    model = VAE(*mlp(PICTURE), prior=VampPrior(4), seed=0)
    model.prior.initialize_from(X)
    before = ops.convert_to_numpy(model.prior_given().components.mean)
    pseudo_inputs = ops.convert_to_numpy(model.prior.pseudo_inputs)
    np.testing.assert_allclose(before, ops.convert_to_numpy(model.encode(pseudo_inputs).mean))
    model.encoder.set_weights([w + 0.1 for w in model.encoder.get_weights()])
    assert not np.array_equal(before, ops.convert_to_numpy(model.prior_given().components.mean))


COMPARING = {
    BetaTCVAE: {"num_examples": 50},
    DIPVAE: {"covariance_of": "z"},
    InfoVAE: {"kernel": "inverse_multiquadric"},
}


@pytest.mark.parametrize("family", COMPARING)
def test_latent_maps_are_compared_as_vectors(family):
    """z (2, 2, 2), whose numbers a broadcast would take for others, and the same z (8,)."""
    rows = MLPEncoder((6,), 8, ()), MLPDecoder((6,), 8, ())
    x, z = keras.Input((6,)), keras.Input((2, 2, 2))
    maps = (
        keras.Model(x, [keras.layers.Reshape((2, 2, 2))(y) for y in rows[0](x)]),
        keras.Model(z, rows[1](keras.layers.Flatten()(z))),
    )
    x = np.random.default_rng(0).standard_normal((5, 6)).astype("float32")
    found, expected = (
        family(*networks, likelihood=GaussianLikelihood(), seed=0, **COMPARING[family]).terms(x)
        for networks in (maps, rows)
    )
    for name, term in expected.items():
        np.testing.assert_allclose(
            ops.convert_to_numpy(found[name]), ops.convert_to_numpy(term), rtol=1e-5, err_msg=name
        )


@pytest.mark.parametrize("family", COMPARING)
def test_latents_of_any_size_are_not_compared(family):
    networks = map_networks.networks()
    with pytest.raises(ValueError, match=rf"{family.__name__} compares .* fixed `input_shape`"):
        family(*networks, likelihood=GaussianLikelihood(), **COMPARING[family])
