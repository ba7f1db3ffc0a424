"""Nats per example to bits per dimension."""

import math

import numpy as np


def bits_per_dim(nll, data_shape):
    """Returns `nll / (log(2) * dimensions)`.

    For a density over x in [0, 1] instead of the probability of 8-bit levels, add 8 bits: the
    density of 256 levels of width 1/256 (Theis et al. 2016, "A Note on the Evaluation of
    Generative Models", section 3.1).

    Args:
        nll: number or array, minus log p(x) in nats per example.
        data_shape: shape of one example; every channel of every pixel is a dimension.

    Returns:
        As `nll`, in bits per dimension; lower is better.
    """
    return np.asarray(nll) / (math.log(2) * math.prod(data_shape))
