"""Promises of every prior, kept by each of them, and a prior of one's own."""

import json

import gradients
import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import kl_divergence
from keras_vae.priors import ConditionalGaussian
from keras_vae.priors import FlowPrior
from keras_vae.priors import GaussianMixture
from keras_vae.priors import Prior
from keras_vae.priors import StandardNormal
from keras_vae.priors import VampPrior


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def encode(u):
    """A posterior q(z|u) of u (N, 3) over z (N, 2), as a model would attach."""
    mean = ops.matmul(u, np.array([[1.0, 0.5], [-0.5, 1.0], [0.3, 0.0]], "float32"))
    return DiagonalGaussian(mean, ops.tanh(u[:, :2]) - 1.0)


UNCONDITIONAL = {
    "standard_normal": StandardNormal,
    "gaussian_mixture": lambda: GaussianMixture(3),
    "vamp_prior": lambda: VampPrior(4),
    "flow_prior": lambda: FlowPrior(3, (8,)),
}
PRIORS = {**UNCONDITIONAL, "conditional_gaussian": lambda: ConditionalGaussian((5,), "relu")}


def learned(make, condition_shape=None):
    """Returns a prior over 2-D z that is no longer as it started."""
    prior = make()
    prior.attach(encode, (3,))
    prior.build((2,), condition_shape)
    rng = np.random.default_rng(0)
    for weight in prior.weights:
        weight.assign(numpy(weight) + 0.6 * rng.normal(size=weight.shape))
    return prior


@pytest.fixture(params=UNCONDITIONAL)
def prior(request):
    return learned(UNCONDITIONAL[request.param])


def on_a_grid(prior, limit=15.0, num_points=301):
    """Returns points of the plane and the probability of the cell around each."""
    axis = np.linspace(-limit, limit, num_points)
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    log_density = numpy(prior().log_prob(z)).astype("float64")
    return z, np.exp(log_density) * (axis[1] - axis[0]) ** 2


def test_density_integrates_to_one(prior):
    _, masses = on_a_grid(prior)
    assert masses.sum() == pytest.approx(1, abs=1e-3)


def test_samples_have_the_moments_of_the_density(prior):
    z, masses = on_a_grid(prior)
    draws = numpy(prior().sample(seed=0, num_samples=10_000)).astype("float64")
    first, second = z[:, 0], z[:, 1]
    monomials = [np.stack([a, b, a * a, b * b, a * b]) for a, b in ((first, second), draws.T)]
    expected, estimates = (monomials[0] * masses).sum(axis=1), monomials[1].mean(axis=1)
    standard_errors = monomials[1].std(axis=1) / np.sqrt(len(draws))
    assert (np.abs(estimates - expected) < 4 * standard_errors + 1e-3).all()


def test_leading_axes_of_z_are_kept(prior):
    z = np.random.default_rng(1).normal(size=(3, 4, 2))
    each = [numpy(prior().log_prob(row)) for row in z]
    np.testing.assert_allclose(numpy(prior().log_prob(z)), each, rtol=1e-5)
    assert prior().log_prob(z[0, 0]).shape == ()
    assert prior().sample(seed=0).shape == (2,)
    assert prior().sample(seed=0, num_samples=5).shape == (5, 2)


def test_kl_of_a_posterior_is_estimated_without_bias(prior):
    q = DiagonalGaussian([[1.0, -0.5]], [[-1.0, 0.0]])
    z, masses = on_a_grid(lambda: q)
    expected = (masses * numpy(q.log_prob(z) - prior().log_prob(z))).sum()
    kl = numpy(kl_divergence(q, prior(), sample=q.sample(seed=0, num_samples=4000)))
    standard_error = kl.std() / np.sqrt(kl.size)  # 0 for a closed form
    assert abs(kl.mean() - expected) < 4 * standard_error + 1e-3


@pytest.mark.parametrize("name", PRIORS)
def test_gradients_reach_all_weights(name):
    condition = np.eye(2) if name == "conditional_gaussian" else None
    prior = learned(PRIORS[name], None if condition is None else (2,))
    z = np.array([[1.0, -2.0], [0.5, 0.5]], "float32")
    if not prior.trainable_variables:
        assert name == "standard_normal"
        return
    slopes = gradients.gradients_of_weights(
        lambda: prior(condition).log_prob(z), prior.trainable_variables
    )
    assert all(np.isfinite(g).all() and np.abs(g).max() > 1e-5 for g in slopes)


@pytest.mark.parametrize("name", PRIORS)
def test_config_holds_the_constructors_arguments(name):
    prior = PRIORS[name]()
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(prior)))
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(prior)
    assert again.get_config() == prior.get_config()


@pytest.mark.parametrize("name", UNCONDITIONAL)
def test_a_model_trains_and_saves_it(name, tmp_path):
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    model = keras_vae.VAE(*networks, prior=UNCONDITIONAL[name](), seed=0)
    model.compile(keras.optimizers.SGD(0.1))
    x = np.random.default_rng(0).integers(0, 2, (32, 6)).astype("float32")
    before = [numpy(w) for w in model.prior.trainable_variables]
    model.fit(x, epochs=2, verbose=0)  # the first gradient stops at the zeros in a fresh flow
    after = [numpy(w) for w in model.prior.trainable_variables]
    moved = [np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True)]
    assert all(moved)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    from_preset = keras_vae.VAE.from_preset(tmp_path / "preset")
    z = np.random.default_rng(1).normal(size=(5, 2))
    expected = numpy(model.prior().log_prob(z))
    for other in (again, from_preset):
        assert len(other.prior.weights) == len(model.prior.weights)
        np.testing.assert_allclose(numpy(other.prior().log_prob(z)), expected, rtol=1e-6)


def test_call_must_be_defined():
    prior = Prior()
    prior.build((2,))
    with pytest.raises(NotImplementedError):
        prior()


class LearnedMean(Prior):
    """A prior of one's own: N(mean, I) with a learned mean."""

    def build(self, latent_shape, condition_shape=None):
        super().build(latent_shape)
        self.mean = self.add_weight(name="mean", shape=latent_shape, initializer="ones")

    def call(self, condition=None):
        return DiagonalGaussian(self.mean, 0.0, batch_ndims=0)


def test_a_learned_prior_plugs_into_vae_and_is_trained_and_computed_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    model = keras_vae.VAE(*networks, prior=LearnedMean(), seed=0)
    assert model.prior.mean.dtype == "float32"
    model.compile(keras.optimizers.SGD(0.1))
    x = np.random.default_rng(0).integers(0, 2, (32, 6)).astype("float32")
    model.fit(x, epochs=2, verbose=0)
    moved = keras.ops.convert_to_numpy(model.prior.mean)
    assert np.abs(moved - 1).max() > 1e-3
