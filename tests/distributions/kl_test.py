import numpy as np
import pytest
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture
from keras_vae.distributions import kl_divergence
from keras_vae.distributions import register_kl

# name: (constructor, shapes of its parameters)
CLOSED_FORMS = {
    "gaussian": (DiagonalGaussian, [(4, 3), (4, 3)]),
    "bernoulli": (Bernoulli, [(4, 3)]),
    "categorical": (Categorical, [(4, 3, 5)]),
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture(params=CLOSED_FORMS)
def pair(request):
    constructor, shapes = CLOSED_FORMS[request.param]
    rng = np.random.default_rng(1)
    return constructor, *([rng.normal(size=s) for s in shapes] for _ in "qp")


def test_kl_of_a_distribution_to_itself_is_zero(pair):
    constructor, q, _ = pair
    np.testing.assert_allclose(numpy(kl_divergence(constructor(*q), constructor(*q))), 0.0)


def test_kl_is_positive_and_not_symmetric(pair):
    constructor, q, p = pair
    forward = numpy(kl_divergence(constructor(*q), constructor(*p)))
    backward = numpy(kl_divergence(constructor(*p), constructor(*q)))
    assert forward.shape == (4,)
    assert (forward > 0).all()
    assert (np.abs(forward - backward) > 1e-4).all()


def test_kl_agrees_with_monte_carlo(pair):
    constructor, q, p = pair
    q, p = constructor(*q), constructor(*p)
    draws = q.sample(seed=0, num_samples=20000)
    estimates = numpy(q.log_prob(draws) - p.log_prob(draws)).astype("float64")
    standard_error = estimates.std(0) / np.sqrt(len(estimates))
    deviation = np.abs(estimates.mean(0) - numpy(kl_divergence(q, p)))
    assert (deviation < 3 * standard_error).all()


def test_kl_and_its_gradient_stay_finite_for_parameters_up_to_1e4(pair, value_and_gradients):
    constructor, q, p = pair
    values = [-1e4, -300.0, -20.0, -1.0, 0.0, 1.0, 20.0, 300.0, 1e4]
    rng = np.random.default_rng(0)
    extreme = [rng.choice(values, a.shape) for a in (*q, *p)]
    extremes = [extreme, [np.full(a.shape, 1e4) for a in q] + [np.full(a.shape, -1e4) for a in p]]

    def kl(*parameters):
        return kl_divergence(constructor(*parameters[: len(q)]), constructor(*parameters[len(q) :]))

    for arrays in extremes:
        value, gradients = value_and_gradients(kl, *arrays)
        assert np.isfinite(value)
        assert all(np.isfinite(g).all() for g in gradients)


def test_a_prior_without_batch_axes_serves_the_batch(pair):
    constructor, q, p = pair
    single = constructor(*[a[0] for a in p], batch_ndims=0)
    repeated = constructor(*[np.repeat(a[:1], 4, axis=0) for a in p])
    got, expected = (numpy(kl_divergence(constructor(*q), prior)) for prior in (single, repeated))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def gaussian_and_mixture():
    q = DiagonalGaussian([[1.0, 0.0], [0.0, 2.0]], -1.0)
    components = DiagonalGaussian([[0.0, 0.0], [1.0, 1.0]], 0.0)
    return q, Mixture([0.0, 1.0], components, batch_ndims=0)


def test_without_a_closed_form_the_sample_estimates():
    q, p = gaussian_and_mixture()
    z = q.sample(seed=0, num_samples=7)
    got = numpy(kl_divergence(q, p, sample=z))
    assert got.shape == (7, 2)
    np.testing.assert_allclose(got, numpy(q.log_prob(z)) - numpy(p.log_prob(z)), rtol=1e-6)


def test_a_mixture_of_equal_gaussians_estimates_the_closed_form():
    q = DiagonalGaussian([[1.0, -0.5]], [[-1.0, 0.5]])
    p = Mixture([0.0, 1.0], DiagonalGaussian(np.zeros((2, 2)), 0.0), batch_ndims=0)
    expected = float(kl_divergence(q, DiagonalGaussian(np.zeros(2), 0.0, batch_ndims=0))[0])
    draws = numpy(kl_divergence(q, p, sample=q.sample(seed=0, num_samples=20000)))[:, 0]
    assert abs(draws.mean() - expected) < 3 * draws.std() / np.sqrt(len(draws))


def test_without_a_closed_form_and_sample_the_error_names_both():
    with pytest.raises(NotImplementedError, match=r"DiagonalGaussian \|\| Mixture.*sample=q"):
        kl_divergence(*gaussian_and_mixture())


def test_other_event_axes_are_refused():
    q = DiagonalGaussian(np.zeros((2, 3)), 0.0)
    with pytest.raises(ValueError, match="same event axes"):
        kl_divergence(q, DiagonalGaussian(0.0, 0.0, batch_ndims=0))
    with pytest.raises(ValueError, match="same event axes"):
        kl_divergence(q, DiagonalGaussian(np.zeros((2, 1)), 0.0))


def test_subclasses_inherit_and_override():
    class Child(DiagonalGaussian):
        pass

    q, p = Child(np.ones((1, 2)), 0.0), DiagonalGaussian(np.zeros(2), 0.0, batch_ndims=0)
    assert float(kl_divergence(q, p)[0]) == 1.0

    @register_kl(Child, DiagonalGaussian)
    def _kl(q, p):
        return ops.convert_to_tensor([42.0])

    assert float(kl_divergence(q, p)[0]) == 42.0
    assert float(kl_divergence(DiagonalGaussian(np.ones((1, 2)), 0.0), p)[0]) == 1.0


def test_a_pair_is_registered_once():
    with pytest.raises(ValueError, match="registered already"):
        register_kl(DiagonalGaussian, DiagonalGaussian)(lambda q, p: 0.0)
