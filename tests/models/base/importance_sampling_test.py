import keras
import numpy as np
import pytest
from linear_gaussian import linear_gaussian_vae
from linear_gaussian import log_marginal

import keras_vae
from keras_vae.models.base import importance_sampling


@pytest.fixture(scope="module")
def exact():
    """A linear-Gaussian VAE (probabilistic PCA) with nearly its exact posterior, and data."""
    model, parameters = linear_gaussian_vae(posterior_error=0.1)
    rng = np.random.default_rng(0)
    weights, sigma = parameters["weights"], parameters["sigma"]
    z = rng.standard_normal((40, weights.shape[0]))
    x = z @ weights + parameters["mean"] + sigma * rng.standard_normal((40, weights.shape[1]))
    return model, x.astype("float32"), log_marginal(x, parameters)


def test_agrees_with_the_analytic_marginal_to_a_hundredth_of_a_nat(exact):
    model, x, expected = exact
    estimate = model.log_likelihood(x, num_samples=5000, seed=0)
    assert np.abs(estimate - expected).max() < 0.05
    assert abs(estimate.mean() - expected.mean()) < 0.01


def test_bound_rises_with_the_number_of_samples(exact):
    _, x, expected = exact
    model, _ = linear_gaussian_vae(posterior_error=1.0)  # a loose bound has room to rise
    means = [
        model.log_likelihood(np.repeat(x, 20, axis=0), num_samples=k, seed=1).mean()
        for k in (1, 10, 100)
    ]
    assert means[0] < means[1] < means[2] <= expected.mean() + 0.01


def test_one_sample_is_the_elbo(exact):
    model, x, _ = exact
    model.compile("sgd")
    many = np.repeat(x, 100, axis=0)
    bound = model.log_likelihood(many, num_samples=1, seed=0)
    elbo = model.evaluate(many, batch_size=400, return_dict=True, verbose=0)["elbo"]
    # Both estimate the ELBO; the one-sample terms differ by the noise of the analytic KL.
    assert abs(bound.mean() - elbo) < 4 * bound.std() / np.sqrt(len(bound))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [1, 7, 250, 251, 601])
def test_number_of_samples_is_honoured_exactly(exact, num_samples):
    model, x, _ = exact
    drawn = []

    class Spy:
        data_shape = model.data_shape
        decoder = model.decoder
        noise = model.noise

        def check_inputs(self, x, condition):
            return model.check_inputs(x, condition)

        def jitted_once(self, key, function):
            def call(wanted, batch):
                drawn.append(int(wanted))
                return model_function(wanted, batch)

            model_function = model.jitted(function)
            return call

        def embedded(self, condition=None):
            return None

        def log_importance_weights(self, x, k, c):
            # Every weight is 1, so the mean of exactly K of them is 1 and its logarithm 0.
            return keras.ops.zeros((k, keras.ops.shape(x)[0]))

    estimate = importance_sampling.log_likelihood(Spy(), x, None, num_samples, seed=0)
    assert sum(drawn) == num_samples
    np.testing.assert_allclose(estimate, 0.0, atol=1e-6)


def test_same_seed_same_estimate_and_training_noise_untouched(exact):
    model, x, _ = exact
    before = keras.ops.convert_to_numpy(model.noise.training_stream.state)
    first = model.log_likelihood(x, num_samples=50, seed=3)
    again = model.log_likelihood(x, num_samples=50, seed=3)
    other = model.log_likelihood(x, num_samples=50, seed=4)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0
    after = keras.ops.convert_to_numpy(model.noise.training_stream.state)
    np.testing.assert_array_equal(before, after)


def test_estimate_does_not_depend_on_the_other_examples_chunk(exact, monkeypatch):
    model, x, expected = exact
    largest = 4 * x.shape[1]  # bytes of x; the linear decoder has no larger layer
    for draws_at_once in (3 * 250, 100):  # three examples a chunk; a part of the draws of one
        monkeypatch.setattr(importance_sampling, "MAX_BYTES", draws_at_once * largest)
        estimate = model.log_likelihood(x, num_samples=1000, seed=0)
        assert estimate.shape == (40,)
        assert np.abs(estimate - expected).max() < 0.1


def test_no_layer_of_the_decoder_makes_more_than_the_budget(monkeypatch):
    networks = keras_vae.MLPEncoder((4,), 2, (8,)), keras_vae.MLPDecoder((4,), 2, (64, 8))
    model = keras_vae.VAE(*networks, seed=0)
    rows = []

    def generate(z, *arguments, **options):
        rows.append(z.shape[0])
        return keras_vae.VAE.generate(model, z, *arguments, **options)

    monkeypatch.setattr(model, "generate", generate)
    monkeypatch.setattr(importance_sampling, "MAX_BYTES", 30 * 64 * 4)
    model.log_likelihood(np.zeros((7, 4), "float32"), num_samples=10, seed=0)
    assert set(rows) == {30}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [0, -1, 2.5, "many", True])
def test_bad_number_of_samples(exact, num_samples):
    model, x, _ = exact
    with pytest.raises(ValueError, match=r"`num_samples`.*positive integer"):
        model.log_likelihood(x, num_samples=num_samples)


def test_a_number_in_the_place_of_the_condition_is_told_by_name(exact):
    model, x, _ = exact
    with pytest.raises(ValueError, match=r"no `condition`.*write `num_samples=1000`"):
        model.log_likelihood(x, 1000)
