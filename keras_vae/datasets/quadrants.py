"""Images with hidden quadrants, to be completed from the others."""

import numpy as np

from keras_vae.typing import Array

# (lower, right) in the order in which quadrants are revealed: bottom left, top left, bottom right.
_SEEN = ((1, 0), (0, 0), (1, 1))
MAX_SEEN = len(_SEEN)


def seen_quadrants(x: Array, num_seen: int | Array) -> np.ndarray:
    """Returns the visible part of images whose other quadrants are hidden.

    One quadrant is the bottom left, two are the left half, three all but the top right.

    Args:
        x: Array (N, H, W, C).
        num_seen: Int from 1 to 3, or an array (N,) of them, one per image.

    Returns:
        Float32 array (N, H, W, 2C): the image, 0 where it is hidden, and the mask, 1 where it is
        seen.

    Raises:
        ValueError: If `x` is not a batch of images, or `num_seen` is not 1, 2 or 3.

    Example:

    ```python
    left_half = seen_quadrants(x, num_seen=2)
    model.sample(16, condition=left_half[:16])
    ```

    Reference:
        - [Sohn et al., 2015](https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html),
          section 5.1
    """
    x, num_seen = np.asarray(x, "float32"), np.asarray(num_seen)
    if x.ndim != 4:
        raise ValueError(f"`x` must be images (N, H, W, C). Received: shape {x.shape}.")
    if not np.isin(num_seen, range(1, MAX_SEEN + 1)).all() or num_seen.shape not in (
        (),
        x.shape[:1],
    ):
        raise ValueError(
            f"`num_seen` must be 1, 2 or 3, or one of these for each of the {len(x)} images. "
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
    """Returns `seen_quadrants` of images x (N, H, W, C), with one, two or three drawn for each.

    Args:
        x: Array (N, H, W, C).
        rng: `np.random.Generator` to draw from.
    """
    return seen_quadrants(x, rng.integers(1, MAX_SEEN + 1, size=len(x)))
