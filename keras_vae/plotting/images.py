"""Grids of images."""

import math
from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_vae.plotting.figure import Figure
from keras_vae.plotting.figure import PathLike
from keras_vae.plotting.figure import finish
from keras_vae.plotting.figure import new_figure
from keras_vae.typing import Array

_TITLE_HEIGHT = 34  # pixels
_LABEL_HEIGHT = 22
_LETTER_WIDTH = 7
_TITLE_LETTER_WIDTH = 9
_MARGIN = 8
_PAIR_GAP = 4  # pixels, before images are enlarged
_LONGEST_SIDE = 1200
_LARGEST_ZOOM = 8
_SMALLEST_TILE = 64  # pixels; smaller images are unrecognisable


def image_grid(
    images: Array,
    path: PathLike | None = None,
    columns: int | None = None,
    title: str | None = None,
) -> Figure:
    """Plots images in a grid, row by row.

    Pixels are not interpolated; small images are enlarged by an integer factor, to at least 64
    pixels.

    Args:
        images: Array (N, H, W, 1 or 3), (N, H, W), or (N, D) with D a square number: floats in
            [0, 1], or uint8. Floats may leave [0, 1] by up to 0.5, as Gaussian means do, and are
            clipped.
        path: Path of a file to write; its suffix is the format.
        columns: Integer, the number of images in a row. By default there are about as many columns
            as rows.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`.

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
    return finish(draw_canvas(canvas, images.shape[1:3], title), path)


def reconstructions(
    originals: Array,
    reconstructions: Array,
    path: PathLike | None = None,
    columns: int = 10,
    title: str | None = None,
) -> Figure:
    """Plots images, with the reconstruction of each below it.

    Args:
        originals: Array of N images, as for `image_grid`.
        reconstructions: Array of N images of the same shape.
        path: Path of a file to write; its suffix is the format.
        columns: Integer, the number of pairs in a row.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`.

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
    return finish(draw_pairs(originals, reconstructions, ("data", "model"), columns, title), path)


def draw_pairs(
    above: np.ndarray,
    below: np.ndarray,
    labels: tuple[str, str],
    columns: int,
    title: str | None = None,
) -> Figure:
    """Returns a figure of pictures (N, H, W, C), each with another below it.

    Args:
        above: Array as `as_pictures` returns it.
        below: Array of the same shape.
        labels: Two strings, the labels of the rows.
        columns: Integer, the number of pairs in a row.
        title: Optional string, a line of text above the plot.
    """
    height = above.shape[1]
    line = np.ones_like(above[:, :1])
    pairs = np.concatenate([above, line, below], axis=1)
    canvas = tile(pairs, min(columns, len(pairs)), row_gap=_PAIR_GAP)
    rows: list[tuple[float, str]] = []
    for top in range(0, len(canvas), pairs.shape[1] + _PAIR_GAP):
        rows += [(top + height / 2, labels[0]), (top + 1.5 * height + 1, labels[1])]
    return draw_canvas(canvas, above.shape[1:3], title, rows)


def draw_table(
    pictures: np.ndarray,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    title: str | None = None,
) -> Figure:
    """Returns a figure of pictures in named rows and columns.

    Args:
        pictures: Array (rows, columns, H, W, 1 or 3) of floats in [0, 1].
        rows: Sequence of strings, one for each row, or none.
        columns: Sequence of strings, one for each column, or none.
        title: Optional string, a line of text above the plot.
    """
    flat = as_pictures(np.reshape(pictures, (-1, *pictures.shape[2:])), "pictures")
    height, width = flat.shape[1:3]
    canvas = tile(flat, pictures.shape[1])
    row_labels = [(i * (height + 1) + height / 2, text) for i, text in enumerate(rows)]
    column_labels = [(i * (width + 1) + width / 2, text) for i, text in enumerate(columns)]
    return draw_canvas(canvas, (height, width), title, row_labels, column_labels)


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
    """Arranges images on a white canvas (height, width, C), with one pixel between columns."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    shape = (rows, height + row_gap, columns, width + 1, channels)
    canvas = np.ones(shape, dtype="float32")
    for i, image in enumerate(images):
        canvas[i // columns, :height, i % columns, :width] = image
    canvas = canvas.reshape(shape[0] * shape[1], shape[2] * shape[3], channels)
    return canvas[:-row_gap, :-1]


def draw_canvas(
    canvas: np.ndarray,
    tile_size: tuple[int, ...],
    title: str | None = None,
    row_labels: Sequence[tuple[float, str]] = (),
    column_labels: Sequence[tuple[float, str]] = (),
) -> Figure:
    """Returns a figure of a canvas, enlarged by an integer factor, with text around it.

    Args:
        canvas: Array (height, width, 1 or 3).
        tile_size: Tuple of 2 ints, the height and width of one picture on it.
        title: Optional string, a line of text above the plot.
        row_labels: Sequence of pairs of a row of the canvas and the text to its left.
        column_labels: Sequence of pairs of a column of the canvas and the text above it.
    """
    zoom = _zoom(canvas.shape[:2], tile_size)
    canvas = np.repeat(np.repeat(canvas, zoom, axis=0), zoom, axis=1)
    height, width = canvas.shape[:2]
    above = _LABEL_HEIGHT if column_labels else 0
    top = above + (_TITLE_HEIGHT if title else 0)
    longest = max((len(text) for _, text in row_labels), default=0)
    left = _LETTER_WIDTH * longest + 2 * _MARGIN if longest else 0
    whole_width = max(left + width, _TITLE_LETTER_WIDTH * len(title or ""))
    left += (whole_width - left - width) // 2
    whole_height = top + height
    figure = new_figure(whole_width, whole_height)
    # Axes of exactly the canvas' size in pixels: unlike a figure's own image, these also stay in
    # place if a notebook draws the figure at another resolution.
    place = (left / whole_width, 0, width / whole_width, height / whole_height)
    axes = figure.add_axes(place)
    axes.set_axis_off()
    if canvas.shape[-1] == 1:
        canvas = np.repeat(canvas, 3, axis=-1)
    axes.imshow(canvas, interpolation="nearest", aspect="auto", vmin=0, vmax=1)
    if title:
        y = 1 - (top - above) / 2 / whole_height
        figure.text(0.5, y, title, ha="center", va="center", fontsize=11)
    for row, text in row_labels:
        x, y = (left - _MARGIN) / whole_width, (height - zoom * row) / whole_height
        figure.text(x, y, text, ha="right", va="center", fontsize=9, color="0.3")
    for column, text in column_labels:
        x, y = (left + zoom * column) / whole_width, (height + above / 2) / whole_height
        figure.text(x, y, text, ha="center", va="center", fontsize=9, color="0.3")
    return figure


def _zoom(canvas_size, tile_size):
    """The factor by which a canvas is enlarged: to at most 1,200 pixels, but every tile to at least
    64."""
    fitting = min(_LARGEST_ZOOM, _LONGEST_SIDE // max(canvas_size))
    legible = -(-_SMALLEST_TILE // min(tile_size))
    return max(1, fitting, legible)
