"""Weights that follow from their names, so that a fixture holds only what a peer computed.

Only NumPy is imported: the environment of the peer, which writes the fixtures, has no Keras.
"""

import zlib

import numpy as np


def drawn(name, shape):
    """Returns the tensor of a name and a shape, of the size that keeps activations near 1."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = rng.normal(size=shape)
    if len(shape) > 1:
        return (values / np.sqrt(np.prod(shape[1:]))).astype("float32")
    return (values * 0.1 + ("norm" in name and name.endswith("weight"))).astype("float32")
