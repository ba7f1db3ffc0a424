"""Pictures with quadrants hidden, to be completed from the others."""

import numpy as np

from keras_vae.typing import Array

# The order in which quadrants come to be seen: bottom left, top left, bottom right.
_SEEN = ((1, 0), (0, 0), (1, 1))
MAX_SEEN = len(_SEEN)


def seen_quadrants(x: Array, num_seen: int | Array) -> np.ndarray:
    """Returns what is seen of pictures of which some quadrants are hidden.

    One quadrant is the bottom left, two are the left half, three all but the top right.

    Args:
        x: array (N, H, W, C).
        num_seen: int from 1 to 3, or an array (N,) of them, one for each picture.

    Returns:
        Float32 array (N, H, W, 2C): the picture with 0 where it is hidden, and the mask, 1 where
        it is seen.

    Raises:
        ValueError: x is no batch of pictures, or `num_seen` is not 1, 2 or 3.

    Example:

    ```python
    left_half = seen_quadrants(x, num_seen=2)
    model.sample(16, condition=left_half[:16])
    ```

    Reference: Sohn, Lee, Yan 2015, "Learning Structured Output Representation using Deep
    Conditional Generative Models", section 5.1.
    """
    x, num_seen = np.asarray(x, "float32"), np.asarray(num_seen)
    if x.ndim != 4:
        raise ValueError(f"`x` must be pictures (N, H, W, C). Received: shape {x.shape}.")
    if not np.isin(num_seen, range(1, MAX_SEEN + 1)).all() or num_seen.shape not in (
        (),
        x.shape[:1],
    ):
        raise ValueError(
            f"`num_seen` must be 1, 2 or 3, or one of them for each of the {len(x)} pictures. "
            f"Received: {num_seen!r}."
        )
    mask = np.zeros_like(x)
    half_height, half_width = x.shape[1] // 2, x.shape[2] // 2
    for i, (lower, right) in enumerate(_SEEN):
        rows = slice(half_height, None) if lower else slice(half_height)
        columns = slice(half_width, None) if right else slice(half_width)
        is_seen = np.broadcast_to(num_seen > i, len(x))
        mask[:, rows, columns] += is_seen[:, None, None, None]
    return np.concatenate([x * mask, mask], axis=-1)


def random_quadrants(x: Array, rng: np.random.Generator) -> np.ndarray:
    """Returns `seen_quadrants` of pictures x (N, H, W, C), for each one, two or three of them by
    the `np.random.Generator` rng."""
    return seen_quadrants(x, rng.integers(1, MAX_SEEN + 1, size=len(x)))
