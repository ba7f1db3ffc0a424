"""Large pictures in tiles: each is computed with its surroundings, and overlaps are blended."""

import itertools
import math
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_vae.checks import check_count
from keras_vae.models.base.locality import reach
from keras_vae.typing import Array

_UNBOUNDED_SHARE = 4  # the overlap is 1/4 of a tile if a network sees the whole picture


class Tiles(NamedTuple):
    """How a picture is cut into tiles, in cells of the latent map.

    Attributes:
        size: Height and width of a tile's own part.
        margin: How far a tile extends beyond it, on every side.
        is_exact: Whether the margin covers all that the network sees, so that no blending is
            needed.
    """

    size: int
    margin: int
    is_exact: bool


def tiles_of(
    network: keras.Model, stride: int, is_encoder: bool, tile: Any, overlap: Any = None
) -> Tiles:
    """Returns how a network's pictures are cut into tiles.

    Args:
        network: An encoder or decoder.
        stride: The factor between the height and width of pictures and those of latent maps.
        is_encoder: Whether the network's input is the picture.
        tile: Pixels of a tile's own part, a multiple of `stride`.
        overlap: Pixels beyond it on every side. By default as far as the network sees; if that is
            everything, a quarter of `tile`.

    Raises:
        ValueError: If `tile` is not a positive multiple of `stride`, or `overlap` is negative.
    """
    if check_count("tile", tile) % stride:
        raise ValueError(
            f"`tile` must be a multiple of {stride}, the pixels that one latent covers. Received: "
            f"{tile}. Use {stride * max(1, round(tile / stride))}."
        )
    seen = reach(network)
    if seen is not None and is_encoder:
        seen = math.ceil(seen / stride)
    if overlap is None:
        margin = tile // stride // _UNBOUNDED_SHARE if seen is None else seen
    elif overlap == 0:
        margin = 0
    else:
        margin = math.ceil(check_count("overlap", overlap) / stride)
    return Tiles(tile // stride, margin, seen is not None and margin >= seen)


def over_tiles(
    run: Callable[[np.ndarray], list[np.ndarray]],
    x: Array,
    tiles: Tiles,
    scale_in: int,
    scale_out: int,
    advance: Callable[[int], None] = lambda _: None,
) -> list[np.ndarray]:
    """Returns the outputs of a network for one picture or latent map, computed tile by tile.

    If tiles are not exact, neighbours are blended linearly over twice the margin.

    Args:
        run: Function of a part of x (1, h, w, C) that returns a list of arrays (1, h', w', D).
        x: NumPy array (1, H, W, C).
        tiles: As `tiles_of` returns it.
        scale_in, scale_out: Cells of x, and of the output, along one cell of the latent map.
        advance: Function called with 1 after each tile.

    Returns:
        List of NumPy arrays (1, H', W', D), float32.
    """
    cells = [-(-n // scale_in) for n in x.shape[1:3]]
    rows, columns = (list(_spans(n, tiles, scale_out)) for n in cells)
    outputs: list[np.ndarray] = []
    for row, column in itertools.product(rows, columns):
        part = (slice(None), *(s.of(scale_in) for s in (row, column)))
        pieces = run(np.asarray(x[part], "float32"))
        if not outputs:
            size = [n * scale_out for n in cells]
            outputs = [np.zeros((1, *size, p.shape[-1]), "float32") for p in pieces]
        into = (slice(None), *(s.of(scale_out) for s in (row, column)))
        weight = row.weights[:, None, None] * column.weights[None, :, None]
        for output, piece in zip(outputs, pieces, strict=True):
            output[into] += weight * piece
        advance(1)
    return outputs


def num_tiles(cells: Sequence[int], tiles: Tiles) -> int:
    """Returns the number of tiles of a latent map of the given (height, width)."""
    return math.prod(-(-n // tiles.size) for n in cells)


class _Span(NamedTuple):
    """One tile along one axis: its input cells, and the weights (n,) of its output."""

    start: int
    stop: int
    weights: np.ndarray

    def of(self, scale):
        return slice(self.start * scale, self.stop * scale)


def _spans(cells, tiles, scale):
    """Yields the `_Span` of each tile along an axis of `cells` cells.

    All have the same number of cells, so that few shapes are compiled. Weights sum to 1 everywhere.
    """
    seen = min(cells, tiles.size + 2 * tiles.margin)
    found = []
    for first in range(0, cells, tiles.size):
        last = min(cells, first + tiles.size)
        start = min(max(0, first - tiles.margin), cells - seen)
        inside = np.arange(start * scale, (start + seen) * scale) + 0.5
        weights = np.ones(len(inside))
        fade = 0 if tiles.is_exact else tiles.margin
        for edge, sign in ((first, 1), (last, -1)):
            if 0 < edge < cells:
                distance = sign * (inside - edge * scale)
                ramp = distance / (2 * fade * scale) + 0.5 if fade else distance > 0
                weights = np.minimum(weights, np.clip(ramp, 0, 1))
        found.append((start, weights))
    total = np.zeros(cells * scale)
    for start, weights in found:
        total[start * scale : (start + seen) * scale] += weights
    for start, weights in found:
        share = weights / total[start * scale : (start + seen) * scale]
        yield _Span(start, start + seen, share.astype("float32"))
