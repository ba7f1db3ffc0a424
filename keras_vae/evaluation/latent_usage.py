"""How much of the latent space a model uses."""

import keras
import numpy as np

from keras_vae.batching import map_batches
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.distributions import kl_divergence
from keras_vae.distributions import kl_per_dimension as gaussian_kl_per_dimension


def active_units(model, x, *, threshold=0.01, condition=None):
    """Returns which latent dimensions depend on x: Var_x(E_q[z_j|x]) > threshold.

    Args:
        model: model whose `encode(x)` returns a distribution.
        x: array (N, S), a few thousand examples.
        threshold: float, the paper's 0.01.
        condition: conditions (N, ...) of a conditional model.

    Returns:
        NumPy bool array of the latent's shape; its sum is the number of active units. A list of
        them, one a level, of a hierarchical model.

    Raises:
        ValueError: the model has no posterior.

    Reference: Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2.
    """
    arrays = model.check_inputs(x, condition)
    means = map_batches(model, lambda *batch: _means(model, *batch), *arrays)
    return keras.tree.map_structure(lambda m: vary(m, threshold), means)


def _means(model, *batch):
    posterior = model.encode(*batch)
    if isinstance(posterior, list):  # of all levels
        return [level.mean for level in posterior]
    return posterior_of(model, *batch).mean


def vary(means, threshold):
    """Returns which latent dimensions vary over the posterior means (N, ...)."""
    return np.var(means.astype("float64"), axis=0) > threshold


def kl_per_dimension(model, x, condition=None):
    """Returns KL(q(z_j|x) || p(z_j)) of each latent dimension, averaged over x.

    Args:
        model: model with a Gaussian posterior and prior.
        x: array (N, S).
        condition: conditions (N, ...) of a conditional model.

    Returns:
        NumPy array of the latent's shape, nats; its sum is the KL term of the ELBO.

    Raises:
        ValueError: posterior or prior is not a diagonal Gaussian.
    """

    def per_example(x, *condition):
        posterior, prior = (
            posterior_of(model, x, *condition),
            model.prior_given(model.embedded(*condition)),
        )
        check_gaussian(posterior, "q(z|x)")
        check_gaussian(prior, "p(z)")
        return gaussian_kl_per_dimension(posterior, prior)

    kl = map_batches(model, per_example, *model.check_inputs(x, condition))
    return np.mean(kl.astype("float64"), axis=0)


def mean_and_kl(model):
    """Returns a function: E_q[z|x] and KL(q(z|x) || p(z)) of each example, the same every time.

    The KL is in closed form where there is one, else estimated from one draw.
    """

    def per_example(x, *condition):
        posterior, prior = (
            posterior_of(model, x, *condition),
            model.prior_given(model.embedded(*condition)),
        )
        # With an integer seed none of the model's random streams moves on.
        return posterior.mean, kl_divergence(posterior, prior, sample=posterior.sample(seed=0))

    return per_example


def posterior_of(model, x, *condition):
    """Returns q(z|x), after checking that there is one."""
    posterior = model.encode(x, *condition)
    if not isinstance(posterior, Distribution):
        raise ValueError(
            f"{type(model).__name__} has no q(z|x) over one latent to measure: its `encode` must "
            f"return a distribution. Received: {type(posterior).__name__}."
        )
    return posterior


def check_gaussian(distribution, name):
    """Raises `ValueError` where a distribution is not a diagonal Gaussian."""
    if not isinstance(distribution, DiagonalGaussian):
        raise ValueError(
            f"The model's {name} must be a DiagonalGaussian, for which this number has a closed "
            f"form. Received: {type(distribution).__name__}."
        )
