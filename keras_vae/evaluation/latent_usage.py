"""How much of the latent space a model uses."""

import numpy as np

from keras_vae.distributions import kl_per_dimension as gaussian_kl_per_dimension
from keras_vae.evaluation.batching import map_batches


def active_units(model, x, threshold=0.01):
    """Returns which latent dimensions depend on x: Var_x(E_q[z_j|x]) > threshold.

    Args:
        model: model whose `encode(x)` returns a distribution.
        x: array (N, S), a few thousand examples.
        threshold: float, the paper's 0.01.

    Returns:
        NumPy bool array of the latent's shape; its sum is the number of active units.

    Reference: Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2.
    """
    means = map_batches(model, lambda batch: model.encode(batch).mean, x)
    return np.var(means.astype("float64"), axis=0) > threshold


def kl_per_dimension(model, x):
    """Returns KL(q(z_j|x) || p(z_j)) of each latent dimension, averaged over x.

    Args:
        model: model with a Gaussian posterior and prior.
        x: array (N, S).

    Returns:
        NumPy array of the latent's shape, nats; its sum is the KL term of the ELBO.
    """

    def per_example(batch):
        return gaussian_kl_per_dimension(model.encode(batch), model.prior())

    return np.mean(map_batches(model, per_example, x).astype("float64"), axis=0)
