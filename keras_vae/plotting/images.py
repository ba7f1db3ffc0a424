"""Grids of images."""

import math
import os
from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_vae.plotting.figure import new_figure
from keras_vae.plotting.figure import save
from keras_vae.typing import Array

_TITLE_HEIGHT = 34  # pixels
_LABEL_WIDTH = 56
_LETTER_WIDTH = 9
_PAIR_GAP = 4  # pixels, before images are enlarged
_LONGEST_SIDE = 1200
_LARGEST_ZOOM = 8


def image_grid(
    images: Array,
    path: str | os.PathLike[str],
    columns: int | None = None,
    title: str | None = None,
) -> None:
    """Plots images in a grid, row by row.

    Pixels are not interpolated; small images are enlarged by an integer factor.

    Args:
        images: Array (N, H, W, 1 or 3), (N, H, W), or (N, D) with D a square number: floats in
            [0, 1], or uint8. Floats may leave [0, 1] by up to 0.5, as Gaussian means do, and are
            clipped.
        path: Path of the file to write; its suffix is the format.
        columns: Integer, the number of images in a row. By default there are about as many columns
            as rows.
        title: Optional string, a line of text above the plot.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `images` has another shape or range.

    Example:

    ```python
    image_grid(model.sample(64), "samples.png")
    ```
    """
    images = as_pictures(images, "images")
    canvas = tile(images, columns or math.ceil(math.sqrt(len(images))))
    _save_canvas(canvas, path, title)


def reconstructions(
    originals: Array,
    reconstructions: Array,
    path: str | os.PathLike[str],
    columns: int = 10,
    title: str | None = None,
) -> None:
    """Plots images, with the reconstruction of each below it.

    Args:
        originals: Array of N images, as for `image_grid`.
        reconstructions: Array of N images of the same shape.
        path: Path of the file to write; its suffix is the format.
        columns: Integer, the number of pairs in a row.
        title: Optional string, a line of text above the plot.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If the shapes differ, or if an array has another shape or range.

    Example:

    ```python
    x = data.test.x[:20]
    reconstructions(x, model.reconstruct(x), "reconstructions.png")
    ```
    """
    originals = as_pictures(originals, "originals")
    reconstructions = as_pictures(reconstructions, "reconstructions")
    if originals.shape != reconstructions.shape:
        raise ValueError(
            "`originals` and `reconstructions` must have the same shape. "
            f"Received: {originals.shape} and {reconstructions.shape}"
        )
    height = originals.shape[1]
    line = np.ones_like(originals[:, :1])
    pairs = np.concatenate([originals, line, reconstructions], axis=1)
    canvas = tile(pairs, min(columns, len(pairs)), row_gap=_PAIR_GAP)
    labels: list[tuple[float, str]] = []
    for top in range(0, len(canvas), pairs.shape[1] + _PAIR_GAP):
        labels += [(top + height / 2, "data"), (top + 1.5 * height + 1, "model")]
    _save_canvas(canvas, path, title, labels)


def as_pictures(images: Array, name: str) -> np.ndarray:
    """Converts images to a float32 array (N, H, W, C) in [0, 1], with C 1 or 3.

    Args:
        images: Array of images, as for `image_grid`.
        name: String, what to call `images` in errors.

    Returns:
        NumPy array.

    Raises:
        ValueError: If the array does not have the shape or the range of images.
    """
    images = ops.convert_to_numpy(images)
    if images.ndim == 2 and math.isqrt(images.shape[1]) ** 2 == images.shape[1]:
        side = math.isqrt(images.shape[1])
        images = images.reshape(-1, side, side)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or images.size == 0:
        raise ValueError(
            f"`{name}` must be images (N, height, width, channels) with 1 or 3 channels, "
            f"(N, height, width), or (N, D) with D a square number. Received: shape {images.shape}"
        )
    images = images.astype("float32") / (255 if images.dtype == np.uint8 else 1)
    if not (images.min() >= -0.5 and images.max() <= 1.5):
        raise ValueError(
            f"`{name}` must be floats in [0, 1], or uint8. "
            f"Received: values from {images.min()} to {images.max()}"
        )
    return np.clip(images, 0, 1)


def tile(images: np.ndarray, columns: int, row_gap: int = 1) -> np.ndarray:
    """Arranges images on a white canvas (height, width, C), with a pixel between columns."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    shape = (rows, height + row_gap, columns, width + 1, channels)
    canvas = np.ones(shape, dtype="float32")
    for i, image in enumerate(images):
        canvas[i // columns, :height, i % columns, :width] = image
    canvas = canvas.reshape(shape[0] * shape[1], shape[2] * shape[3], channels)
    return canvas[:-row_gap, :-1]


def _save_canvas(
    canvas: np.ndarray,
    path: str | os.PathLike[str],
    title: str | None,
    labels: Sequence[tuple[float, str]] = (),
) -> None:
    """Writes a canvas, enlarged by an integer factor, with text above and to the left.

    `labels` are pairs of a row of the canvas and the text beside it.
    """
    zoom = max(1, min(_LARGEST_ZOOM, _LONGEST_SIDE // max(canvas.shape[:2])))
    canvas = np.repeat(np.repeat(canvas, zoom, axis=0), zoom, axis=1)
    height, width = canvas.shape[:2]
    top = _TITLE_HEIGHT if title else 0
    left = _LABEL_WIDTH if labels else 0
    whole_width = max(left + width, _LETTER_WIDTH * len(title or ""))
    left += (whole_width - left - width) // 2
    figure = new_figure(whole_width, top + height)
    if canvas.shape[-1] == 1:
        canvas = np.repeat(canvas, 3, axis=-1)
    figure.figimage(canvas, xo=left, yo=0, origin="upper")
    if title:
        y = 1 - top / 2 / (top + height)
        figure.text(0.5, y, title, ha="center", va="center", fontsize=11)
    for row, text in labels:
        x, y = (left - 8) / whole_width, (height - zoom * row) / (top + height)
        figure.text(x, y, text, ha="right", va="center", fontsize=9, color="0.3")
    save(figure, path)
