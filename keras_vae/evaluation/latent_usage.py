"""How much of the latent space a model uses."""

from collections.abc import Callable

import keras
import numpy as np

from keras_vae.batching import map_batches
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.distributions import kl_divergence
from keras_vae.distributions import kl_per_dimension as gaussian_kl_per_dimension
from keras_vae.typing import Array
from keras_vae.typing import Tensor


def active_units(
    model: keras.Model, x: Array, *, threshold: float = 0.01, condition: Array | None = None
) -> np.ndarray | list[np.ndarray]:
    """Returns which latent dimensions depend on x: Var_x(E_q[z_j|x]) > threshold.

    Args:
        model: Model whose `encode(x)` returns a distribution.
        x: Array (N, *S) of a few thousand examples.
        threshold: Float. The paper uses 0.01.
        condition: Array (N, ...), the conditions, if the model is conditional.

    Returns:
        NumPy bool array in the shape of the latent, whose sum is the number of active units; for a
        hierarchical model, a list with one array per level.

    Raises:
        ValueError: If the model has no posterior, or if `x` is not valid data for it.

    Reference:
        - [Burda et al., 2016](https://arxiv.org/abs/1509.00519), section 5.2
    """
    arrays = model.check_inputs(x, condition)
    means = map_batches(model, lambda *b: _means(model, *b), *arrays, key="posterior means")
    return keras.tree.map_structure(lambda m: vary(m, threshold), means)


def _means(model: keras.Model, *batch: Tensor) -> Tensor | list[Tensor]:
    posterior = model.encode(*batch)
    if isinstance(posterior, list):  # one per level
        return [level.mean for level in posterior]
    return posterior_of(model, *batch).mean


def vary(means: np.ndarray, threshold: float) -> np.ndarray:
    """Returns in which latent dimensions the posterior means (N, ...) vary across examples."""
    return np.var(means.astype("float64"), axis=0) > threshold


def kl_per_dimension(model: keras.Model, x: Array, condition: Array | None = None) -> np.ndarray:
    """Computes KL(q(z_j|x) || p(z_j)) of each latent dimension, averaged over x.

    Args:
        model: Model whose posterior and prior are diagonal Gaussians.
        x: Array (N, *S).
        condition: Array (N, ...), the conditions, if the model is conditional.

    Returns:
        NumPy array in the shape of the latent, in nats, whose sum is the KL term of the ELBO.

    Raises:
        ValueError: If the posterior or the prior is not a diagonal Gaussian.
    """

    def per_example(x: Tensor, *condition: Tensor) -> Tensor:
        posterior, prior = (
            posterior_of(model, x, *condition),
            model.prior_given(model.embedded(*condition)),
        )
        return gaussian_kl_per_dimension(
            check_gaussian(posterior, "q(z|x)"), check_gaussian(prior, "p(z)")
        )

    arrays = model.check_inputs(x, condition)
    kl = map_batches(model, per_example, *arrays, key="kl_per_dimension")
    return np.mean(kl.astype("float64"), axis=0)


def mean_and_kl(model: keras.Model) -> Callable[..., tuple[Tensor, Tensor]]:
    """Returns a function that computes E_q[z|x] and KL(q(z|x) || p(z)) of each example.

    The function is deterministic: if the KL has no closed form, it is estimated from one draw with
    a fixed seed.
    """

    def per_example(x: Tensor, *condition: Tensor) -> tuple[Tensor, Tensor]:
        posterior, prior = (
            posterior_of(model, x, *condition),
            model.prior_given(model.embedded(*condition)),
        )
        # With an integer seed, none of the model's random streams advances.
        return posterior.mean, kl_divergence(posterior, prior, sample=posterior.sample(seed=0))

    return per_example


def posterior_of(model: keras.Model, x: Tensor, *condition: Tensor) -> Distribution:
    """Returns q(z|x).

    Raises:
        ValueError: If the model does not encode x to a distribution.
    """
    posterior = model.encode(x, *condition)
    if not isinstance(posterior, Distribution):
        raise ValueError(
            f"{type(model).__name__} has no q(z|x) over one latent to measure: its `encode` must "
            f"return a distribution. Received: {type(posterior).__name__}."
        )
    return posterior


def check_gaussian(distribution: Distribution, name: str) -> DiagonalGaussian:
    """Returns a distribution of a model.

    Raises:
        ValueError: If it is not a diagonal Gaussian.
    """
    if not isinstance(distribution, DiagonalGaussian):
        raise ValueError(
            f"The model's {name} must be a DiagonalGaussian, for which this number has a closed "
            f"form. Received: {type(distribution).__name__}."
        )
    return distribution
