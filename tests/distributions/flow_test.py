import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Flow
from keras_vae.distributions import kl_divergence

MATRIX = np.array([[2.0, 0.0], [-1.0, 0.5]], "float32")
SHIFT = np.array([1.0, -2.0], "float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def affine_flow():
    """z = e A + b with e ~ N(0, I), which is N(b, A^T A)."""
    base = DiagonalGaussian(np.zeros(2), 0.0, batch_ndims=0)
    log_det = -np.log(np.abs(np.linalg.det(MATRIX))).astype("float32")
    inverse = np.linalg.inv(MATRIX)
    return Flow(base, lambda z: (ops.matmul(z - SHIFT, inverse), log_det), from_noise)


def from_noise(e):
    return ops.matmul(e, MATRIX) + SHIFT


def test_an_affine_flow_is_the_correlated_gaussian():
    z = np.random.default_rng(0).normal(size=(3, 5, 2)) * 3
    expected = stats.multivariate_normal.logpdf(z, SHIFT, MATRIX.T @ MATRIX)
    np.testing.assert_allclose(numpy(affine_flow().log_prob(z)), expected, rtol=1e-5)


def test_samples_are_the_mapped_noise():
    flow = affine_flow()
    draws = numpy(flow.sample(seed=3, num_samples=7))
    noise = numpy(flow.base.sample(seed=3, num_samples=7))
    np.testing.assert_allclose(draws, noise @ MATRIX + SHIFT, rtol=1e-5)
    assert flow.sample(seed=3).shape == flow.shape == (2,)


def test_a_base_with_a_batch_axis_gives_one_flow_an_example():
    base = DiagonalGaussian([[0.0], [5.0]], 0.0)
    flow = Flow(base, lambda z: (z / 2, -np.log(2.0)), lambda e: 2 * e)
    got = numpy(flow.log_prob([[0.0], [10.0]]))
    np.testing.assert_allclose(got, stats.norm.logpdf(0.0, 0.0, 2.0).repeat(2), rtol=1e-6)


def test_kl_to_a_flow_is_estimated_from_the_sample():
    q = DiagonalGaussian([[1.0, 0.0], [0.0, 2.0]], -1.0)
    flow, z = affine_flow(), q.sample(seed=0, num_samples=4)
    got = numpy(kl_divergence(q, flow, sample=z))
    np.testing.assert_allclose(got, numpy(q.log_prob(z) - flow.log_prob(z)), rtol=1e-6)
    with pytest.raises(NotImplementedError, match=r"DiagonalGaussian \|\| Flow"):
        kl_divergence(q, flow)


def test_mean_and_mode_say_what_to_do_instead():
    for name in ("mean", "mode"):
        with pytest.raises(NotImplementedError, match=rf"{name} of a Flow.*num_samples"):
            getattr(affine_flow(), name)


def test_an_event_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="trailing axes of `x`"):
        affine_flow().log_prob(np.zeros((4, 1)))
