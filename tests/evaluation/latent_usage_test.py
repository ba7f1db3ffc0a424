import numpy as np
import pytest
from linear_gaussian import linear_gaussian_vae

from keras_vae import evaluation


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
        np.testing.assert_array_equal(evaluation.active_units(model, x, threshold), expected)


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
