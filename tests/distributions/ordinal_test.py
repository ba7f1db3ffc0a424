import numpy as np
from keras import ops
from scipy import special

from keras_vae.distributions import Ordinal

THRESHOLDS = np.array([-2.0, -0.5, 0.5, 3.0])


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_probabilities_are_differences_of_the_cumulative_ones():
    location = np.random.default_rng(0).normal(size=(10, 3)) * 2
    cumulative = special.expit(THRESHOLDS - location[..., None])
    expected = np.diff(cumulative, axis=-1, prepend=0, append=1)
    got = numpy(Ordinal(location, THRESHOLDS).probs)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(got.sum(axis=-1), 1, rtol=1e-6)


def test_log_prob_of_far_classes_is_exact():
    got = numpy(Ordinal([[100.0]], THRESHOLDS).log_prob([[0]]))
    np.testing.assert_allclose(got, [-102.0], rtol=1e-6)


def test_a_larger_location_gives_larger_classes():
    location = np.linspace(-6, 6, 50)[:, None]
    ordinal = Ordinal(location, THRESHOLDS)
    assert (np.diff(numpy(ordinal.mean)[:, 0]) > 0).all()
    assert (np.diff(numpy(ordinal.median)[:, 0]) >= 0).all()


def test_median_divides_the_probability():
    ordinal = Ordinal(np.random.default_rng(0).normal(size=(50, 1)), THRESHOLDS)
    cumulative = numpy(ordinal.probs).cumsum(axis=-1)
    np.testing.assert_array_equal(numpy(ordinal.median), np.argmax(cumulative >= 0.5, axis=-1))


def test_extreme_parameters_have_finite_values_and_gradients(value_and_gradients):
    x, location = np.meshgrid(np.arange(5), np.array([-1e4, 0, 1e4], "float32"))

    def log_prob(location, thresholds):
        return Ordinal(location, thresholds).log_prob(x)

    value, gradients = value_and_gradients(log_prob, location, THRESHOLDS)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)
