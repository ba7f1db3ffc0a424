"""Black and white pictures from grey ones."""

from collections.abc import Sequence

import numpy as np

from keras_vae.typing import Array


def binarize(x: Array, seed: int | Sequence[int]) -> np.ndarray:
    """Draws every pixel black or white with the probability its grey value says.

    `b ~ Bernoulli(x)`, independently for every pixel (Salakhutdinov and Murray, 2008). The draw
    depends on `x` and `seed` alone: not on the backend, nor on any global state.

    Args:
        x: array of any shape with values in [0, 1].
        seed: int or sequence of ints, each at least 0.

    Returns:
        A new float32 array of 0s and 1s with the shape of `x`. A pixel is 1 with probability `x`
        (exact to 2**-24): never where `x` is 0, always where it is 1.

    Raises:
        ValueError: if a value of `x` is outside [0, 1], or NaN.

    Example:

    ```python
    x = np.array([0.0, 1.0], dtype="float32")
    binarize(x, seed=0)  # [0., 1.]
    ```

    Reference:
        - Salakhutdinov and Murray, On the quantitative analysis of deep belief networks, ICML 2008.
    """
    x = check_unit_range(x)
    return bernoulli(x, np.random.default_rng(seed))


def bernoulli(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One float32 draw of 0s and 1s; the caller has checked the range of `probabilities`."""
    noise = rng.random(probabilities.shape, dtype=np.float32)
    return (noise < probabilities).astype(np.float32)


def check_unit_range(x: Array) -> np.ndarray:
    """`x` as an array; a ValueError where it cannot be a grey value or a probability."""
    x = np.asarray(x)
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(
            f"binarize reads the values of `x` as probabilities, so they must lie in [0, 1]. "
            f"Received: values from {x.min()} to {x.max()} (dtype {x.dtype}). "
            f"Pictures of 0 to 255 must be divided by 255 first."
        )
    return x
