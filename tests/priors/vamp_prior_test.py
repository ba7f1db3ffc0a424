import keras
import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

import keras_vae
from keras_vae.distributions import DiagonalGaussian
from keras_vae.priors import VampPrior


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def encode(u):
    return DiagonalGaussian(u[:, :2] + 1.0, u[:, 1:])


def attached(num_components=4, data_shape=(3,)):
    prior = VampPrior(num_components)
    prior.attach(encode, data_shape)
    prior.build((2,))
    return prior


def vae(num_components=4):
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    return keras_vae.VAE(*networks, prior=VampPrior(num_components), seed=0)


def test_density_is_the_mean_of_the_posteriors_of_the_pseudo_inputs():
    prior = attached()
    u = np.random.default_rng(0).normal(size=(4, 3))
    prior.pseudo_inputs.assign(u)
    z = np.random.default_rng(1).normal(size=(5, 2))
    each = stats.norm.logpdf(z[:, None], u[:, :2] + 1, np.exp(u[:, 1:] / 2)).sum(axis=-1)
    expected = special.logsumexp(each, axis=1) - np.log(4)
    np.testing.assert_allclose(numpy(prior().log_prob(z)), expected, rtol=1e-5)


def test_pictures_and_spatial_latents():
    prior = VampPrior(4)
    prior.attach(lambda u: DiagonalGaussian(u, 0.0), (2, 2, 1))
    prior.build((2, 2, 1))
    u = numpy(prior.pseudo_inputs)
    each = stats.norm.logpdf(0.0, u, 1.0).sum(axis=(1, 2, 3))
    expected = special.logsumexp(each) - np.log(4)
    np.testing.assert_allclose(numpy(prior().log_prob(np.zeros((1, 2, 2, 1)))), [expected], 1e-5)


def test_initialize_from_draws_each_example_once():
    prior = attached()
    x = np.arange(15.0).reshape(5, 3)
    prior.initialize_from(x, seed=1)
    chosen = numpy(prior.pseudo_inputs)
    assert len(np.unique(chosen[:, 0])) == 4
    assert set(chosen[:, 0]) <= set(x[:, 0])
    np.testing.assert_array_equal(chosen[:, 0] + 2, chosen[:, 2])  # whole examples
    prior.initialize_from(x, seed=1)
    np.testing.assert_array_equal(numpy(prior.pseudo_inputs), chosen)
    prior.initialize_from(x[:2])  # fewer than components: drawn again
    assert set(numpy(prior.pseudo_inputs)[:, 0]) <= {0.0, 3.0}


def test_only_the_pseudo_inputs_are_its_own_and_the_encoder_stays_the_models():
    model = vae()
    assert len(model.prior.weights) == 1
    assert not [layer for layer in model.prior._flatten_layers() if layer is not model.prior]
    names = [w.path for w in model.trainable_variables]
    assert len(set(names)) == len(names) == len(model.encoder.weights + model.decoder.weights) + 1
    assert sum("pseudo_inputs" in name for name in names) == 1


def test_the_prior_of_a_loaded_model_uses_the_loaded_encoder(tmp_path):
    model = vae()
    x = np.random.default_rng(0).integers(0, 2, (32, 6)).astype("float32")
    model.prior.initialize_from(x)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for weight in again.encoder.weights:
        weight.assign(0.0 * weight)
    z = np.zeros((1, 2))  # all posteriors are N(0, I) now
    np.testing.assert_allclose(numpy(again.prior().log_prob(z)), [-np.log(2 * np.pi)], rtol=1e-5)
    assert np.abs(numpy(model.prior().log_prob(z)) + np.log(2 * np.pi)) > 1e-3


def test_use_before_it_is_attached_is_refused():
    prior = VampPrior()
    with pytest.raises(ValueError, match=r"needs the model's encoder.*prior\.attach"):
        prior.build((2,))
    with pytest.raises(ValueError, match="before it is built"):
        prior.initialize_from(np.zeros((5, 3)))


def test_other_examples_and_conditional_models_are_refused():
    with pytest.raises(ValueError, match=r"Expected: shape \('N', 3\). Received: \(5, 2\)"):
        attached().initialize_from(np.zeros((5, 2)))
    prior = VampPrior()
    prior.attach(encode, (3,))
    with pytest.raises(ValueError, match=r"conditional model.*condition_shape=\(10,\)"):
        prior.build((2,), (10,))
    with pytest.raises(ValueError, match="`num_components`"):
        VampPrior(0)
