import keras
import numpy as np
import pytest
from linear_gaussian import linear_gaussian_vae

from keras_vae import evaluation
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture
from keras_vae.evaluation import latent_usage


@pytest.fixture(scope="module")
def model_and_data():
    model, parameters = linear_gaussian_vae()
    x = np.random.default_rng(0).standard_normal((500, 6)).astype("float32")
    return model, x, parameters


def test_a_unit_cut_from_its_input_is_inactive(model_and_data):
    _, x, _ = model_and_data
    model, _ = linear_gaussian_vae()
    kernel, bias = model.encoder.get_layer("z_mean").get_weights()
    kernel[:, 1] = 0
    model.encoder.get_layer("z_mean").set_weights([kernel, bias])
    np.testing.assert_array_equal(evaluation.active_units(model, x), [True, False, True])


def test_threshold_is_on_the_variance_of_the_posterior_means(model_and_data):
    model, x, _ = model_and_data
    kernel, bias = model.encoder.get_layer("z_mean").get_weights()
    variance = np.var(x @ kernel + bias, axis=0)
    for threshold in variance * 0.99:
        expected = variance > threshold
        np.testing.assert_array_equal(
            evaluation.active_units(model, x, threshold=threshold), expected
        )


def test_kl_per_dimension_by_hand_and_its_sum_is_the_kl_of_evaluate(model_and_data):
    model, x, parameters = model_and_data
    kernel, bias = model.encoder.get_layer("z_mean").get_weights()
    mean, variance = x @ kernel + bias, parameters["variance"]
    by_hand = 0.5 * (np.mean(mean**2, axis=0) + variance - 1 - np.log(variance))
    measured = evaluation.kl_per_dimension(model, x)
    np.testing.assert_allclose(measured, by_hand, rtol=1e-4)
    model.compile("sgd")
    kl = model.evaluate(x, batch_size=128, return_dict=True, verbose=0)["kl"]
    assert abs(measured.sum() - kl) < 1e-3


def test_kl_per_dimension_needs_a_gaussian_prior():
    model, _ = linear_gaussian_vae()
    components = DiagonalGaussian(np.zeros((2, 3)), 0.0)
    model.prior_given = lambda c: Mixture(np.zeros(2), components, batch_ndims=0)
    with pytest.raises(ValueError, match=r"p\(z\) must be a DiagonalGaussian.* Mixture"):
        evaluation.kl_per_dimension(model, np.zeros((4, 6), "float32"))


def test_mean_and_kl_are_those_of_the_other_functions(model_and_data):
    model, x, _ = model_and_data
    mean, kl = evaluation.map_batches(model, latent_usage.mean_and_kl(model), x)
    np.testing.assert_array_equal(latent_usage.vary(mean, 0.01), evaluation.active_units(model, x))
    assert abs(kl.mean() - evaluation.kl_per_dimension(model, x).sum()) < 1e-4


def test_kl_without_a_closed_form_is_the_same_every_time_and_leaves_the_noise_alone():
    model, _ = linear_gaussian_vae()
    x = np.random.default_rng(0).standard_normal((9, 6)).astype("float32")
    first_posterior = model.encode(x[:1])
    components = DiagonalGaussian(first_posterior.mean, first_posterior.log_var)
    model.prior_given = lambda c: Mixture(np.zeros(1), components, batch_ndims=0)
    before = keras.ops.convert_to_numpy(model.noise.evaluation_stream.state)
    kl, again = (
        evaluation.map_batches(model, latent_usage.mean_and_kl(model), x)[1] for _ in range(2)
    )
    np.testing.assert_array_equal(kl, again)
    assert abs(kl[0]) < 1e-5  # q and p are the same there
    assert kl[1:].max() > 0.1
    after = keras.ops.convert_to_numpy(model.noise.evaluation_stream.state)
    np.testing.assert_array_equal(before, after)


def test_a_code_without_a_distribution_is_refused():
    model, _ = linear_gaussian_vae()
    model.encode = lambda x: x
    with pytest.raises(ValueError, match=r"VAE has no q\(z\|x\)"):
        evaluation.active_units(model, np.zeros((4, 6), "float32"))
