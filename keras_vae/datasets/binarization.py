"""Black and white images from grayscale ones."""

from collections.abc import Sequence

import numpy as np

from keras_vae.typing import Array


def binarize(x: Array, seed: int | Sequence[int]) -> np.ndarray:
    """Draws every pixel black or white with its gray value as the probability.

    `b ~ Bernoulli(x)`, independently for every pixel (Salakhutdinov and Murray, 2008). The
    result depends on `x` and `seed` only, not on the backend or on global state.

    Args:
        x: Array of any shape with values in [0, 1].
        seed: Int or sequence of ints, each at least 0.

    Returns:
        A new float32 array of 0s and 1s with the shape of `x`. A pixel is 1 with probability `x`
        (exact to 2**-24), so never where `x` is 0 and always where it is 1.

    Raises:
        ValueError: If a value of `x` is outside [0, 1] or NaN.

    Example:

    ```python
    x = np.array([0.0, 1.0], dtype="float32")
    binarize(x, seed=0)  # [0., 1.]
    ```

    Reference:
        - [Salakhutdinov and Murray, 2008](https://doi.org/10.1145/1390156.1390266), "On the
          quantitative analysis of deep belief networks"
    """
    x = check_unit_range(x)
    return bernoulli(x, np.random.default_rng(seed))


def bernoulli(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns a float32 draw of 0s and 1s; the caller has checked the range of `probabilities`."""
    noise = rng.random(probabilities.shape, dtype=np.float32)
    return (noise < probabilities).astype(np.float32)


def check_unit_range(x: Array) -> np.ndarray:
    """Returns `x` as an array.

    Raises:
        ValueError: If a value is outside [0, 1] or NaN.
    """
    x = np.asarray(x)
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(
            f"`x` must have values in [0, 1] to be binarized, as they are read as probabilities. "
            f"Received: values from {x.min()} to {x.max()} (dtype {x.dtype}). "
            f"Images with values from 0 to 255 must be divided by 255 first."
        )
    return x
