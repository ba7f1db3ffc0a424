"""Conversion from nats per example to bits per dimension."""

import math

import numpy as np

from keras_vae.typing import Array
from keras_vae.typing import Shape


def bits_per_dim(nll: Array, data_shape: Shape) -> np.ndarray:
    """Converts nats per example to bits per dimension: `nll / (log(2) * dimensions)`.

    If p(x) is a density over x in [0, 1] rather than the probability of 8-bit levels, add 8 bits,
    since the 256 levels have a width of 1/256 (Theis et al., section 3.1).

    Args:
        nll: Number or array, -log p(x) in nats per example.
        data_shape: Tuple of ints, the shape of one example. Every channel of every pixel counts as
            a dimension.

    Returns:
        NumPy number or array in the shape of `nll`, in bits per dimension; lower is better.

    Reference:
        - [Theis et al., 2016](https://arxiv.org/abs/1511.01844)
    """
    return np.asarray(nll) / (math.log(2) * math.prod(data_shape))
