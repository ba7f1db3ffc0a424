import functools

import numpy as np
import pytest
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture
from keras_vae.distributions import OneHotCategorical
from keras_vae.distributions import StandardGaussian
from keras_vae.distributions import has_closed_form
from keras_vae.distributions import kl_divergence
from keras_vae.distributions import register_kl
from keras_vae.distributions.kl import _CLOSED_FORMS

# Every class that stands in a registered pair: constructor, shapes of its parameters.
CLASSES = {
    DiagonalGaussian: (DiagonalGaussian, [(4, 3), (4, 3)]),
    StandardGaussian: (lambda batch_ndims=0: StandardGaussian((3,)), []),
    Bernoulli: (Bernoulli, [(4, 3)]),
    Categorical: (Categorical, [(4, 3, 5)]),
    OneHotCategorical: (functools.partial(OneHotCategorical, num_classes=5), [(4, 15)]),
}
REGISTERED = list(_CLOSED_FORMS)
IDS = [f"{q.__name__}-{p.__name__}" for q, p in REGISTERED]


def test_a_closed_form_serves_subclasses_too():
    class Own(DiagonalGaussian):
        pass

    assert has_closed_form(Own, DiagonalGaussian)
    assert not has_closed_form(DiagonalGaussian, Mixture)
    assert not has_closed_form(DiagonalGaussian, Categorical)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture(params=REGISTERED, ids=IDS)
def pair(request):
    """The constructors of q and p, and parameters for each."""
    (make_q, shapes_q), (make_p, shapes_p) = (CLASSES[c] for c in request.param)
    rng = np.random.default_rng(1)
    return (
        make_q,
        make_p,
        *([rng.normal(size=s) for s in shapes] for shapes in (shapes_q, shapes_p)),
    )


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("distribution", [q for q, p in REGISTERED if q is p])
def test_kl_of_a_distribution_to_itself_is_zero_and_not_symmetric(distribution):
    make, shapes = CLASSES[distribution]
    rng = np.random.default_rng(1)
    q, p = (make(*[rng.normal(size=s) for s in shapes]) for _ in "qp")
    np.testing.assert_allclose(numpy(kl_divergence(q, q)), 0.0)
    assert (np.abs(numpy(kl_divergence(q, p)) - numpy(kl_divergence(p, q))) > 1e-4).all()


@pytest.mark.first_case_elsewhere
def test_kl_is_positive_and_agrees_with_monte_carlo(pair):
    make_q, make_p, q, p = pair
    q, p = make_q(*q), make_p(*p)
    assert numpy(kl_divergence(q, p)).shape == (4,)
    assert (numpy(kl_divergence(q, p)) > 0).all()
    draws = q.sample(seed=0, num_samples=20000)
    estimates = numpy(q.log_prob(draws) - p.log_prob(draws)).astype("float64")
    standard_error = estimates.std(0) / np.sqrt(len(estimates))
    deviation = np.abs(estimates.mean(0) - numpy(kl_divergence(q, p)))
    assert (deviation < 3 * standard_error).all()


@pytest.mark.first_case_elsewhere
def test_kl_and_its_gradient_stay_finite_for_parameters_up_to_1e4(pair, value_and_gradients):
    make_q, make_p, q, p = pair
    values = [-1e4, -300.0, -20.0, -1.0, 0.0, 1.0, 20.0, 300.0, 1e4]
    rng = np.random.default_rng(0)
    extreme = [rng.choice(values, a.shape) for a in (*q, *p)]
    extremes = [extreme, [np.full(a.shape, 1e4) for a in q] + [np.full(a.shape, -1e4) for a in p]]

    def kl(*parameters):
        return kl_divergence(make_q(*parameters[: len(q)]), make_p(*parameters[len(q) :]))

    for arrays in extremes:
        value, gradients = value_and_gradients(kl, *arrays)
        assert np.isfinite(value)
        assert all(np.isfinite(g).all() for g in gradients)


@pytest.mark.first_case_elsewhere
def test_a_prior_without_batch_axes_serves_the_batch(pair):
    make_q, make_p, q, p = pair
    single = make_p(*[a[0] for a in p], batch_ndims=0)
    repeated = make_p(*[np.repeat(a[:1], 4, axis=0) for a in p])
    got, expected = (numpy(kl_divergence(make_q(*q), prior)) for prior in (single, repeated))
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
