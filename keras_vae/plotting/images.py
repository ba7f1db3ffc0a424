"""Grids of pictures."""

import math

import numpy as np
from keras import ops

from keras_vae.plotting.figure import new_figure
from keras_vae.plotting.figure import save

_TITLE_HEIGHT = 34  # pixels
_LABEL_WIDTH = 56
_LETTER_WIDTH = 9
_PAIR_GAP = 4  # pixels of a picture, before it is enlarged
_LONGEST_SIDE = 1200
_LARGEST_ZOOM = 8


def image_grid(images, path, columns=None, title=None):
    """Draws pictures side by side, row by row.

    Pixels are drawn as they are, enlarged by a whole number where they are small.

    Args:
        images: array (N, H, W, 1 or 3), (N, H, W), or (N, D) with D a square number: floats in
            [0, 1], or uint8. A mean of a Gaussian may leave [0, 1] a little (by 0.5) and is
            clipped.
        path: the file to write; its suffix is the format.
        columns: int, pictures in a row. Defaults to a grid about as wide as high.
        title: None, or a line of text above.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if `images` has another shape or range.

    Example:

    ```python
    image_grid(model.sample(64), "samples.png")
    ```
    """
    images = as_pictures(images, "images")
    canvas = tile(images, columns or math.ceil(math.sqrt(len(images))))
    _save_canvas(canvas, path, title)


def reconstructions(originals, reconstructions, path, columns=10, title=None):
    """Draws originals, and below each its reconstruction.

    Args:
        originals: array of N pictures, as for `image_grid`.
        reconstructions: array of N pictures of the same shape.
        path: the file to write; its suffix is the format.
        columns: int, pairs in a row.
        title: None, or a line of text above.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if an array has another shape or range.

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
            "`originals` and `reconstructions` must have one shape. "
            f"Received: {originals.shape} and {reconstructions.shape}"
        )
    height = originals.shape[1]
    line = np.ones_like(originals[:, :1])
    pairs = np.concatenate([originals, line, reconstructions], axis=1)
    canvas = tile(pairs, min(columns, len(pairs)), row_gap=_PAIR_GAP)
    labels = []
    for top in range(0, len(canvas), pairs.shape[1] + _PAIR_GAP):
        labels += [(top + height / 2, "data"), (top + 1.5 * height + 1, "model")]
    _save_canvas(canvas, path, title, labels)


def as_pictures(images, name):
    """Float32 pictures (N, H, W, C) in [0, 1], C 1 or 3.

    Raises:
        ValueError: if the shape or the range is not that of pictures; it names the argument.
    """
    images = ops.convert_to_numpy(images)
    if images.ndim == 2 and math.isqrt(images.shape[1]) ** 2 == images.shape[1]:
        side = math.isqrt(images.shape[1])
        images = images.reshape(-1, side, side)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or images.size == 0:
        raise ValueError(
            f"`{name}` must be pictures (N, height, width, channels) with 1 or 3 channels, "
            f"(N, height, width), or (N, D) with D a square number. Received: shape {images.shape}"
        )
    images = images.astype("float32") / (255 if images.dtype == np.uint8 else 1)
    if not (images.min() >= -0.5 and images.max() <= 1.5):
        raise ValueError(
            f"`{name}` must be floats in [0, 1], or uint8. "
            f"Received: values from {images.min()} to {images.max()}"
        )
    return np.clip(images, 0, 1)


def tile(images, columns, row_gap=1):
    """One white canvas (height, width, C) with the pictures on it, a pixel between columns."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    shape = (rows, height + row_gap, columns, width + 1, channels)
    canvas = np.ones(shape, dtype="float32")
    for i, image in enumerate(images):
        canvas[i // columns, :height, i % columns, :width] = image
    canvas = canvas.reshape(shape[0] * shape[1], shape[2] * shape[3], channels)
    return canvas[:-row_gap, :-1]


def _save_canvas(canvas, path, title, labels=()):
    """Writes a canvas, each pixel a square of whole pixels, with text above and to the left.

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
