"""Large pictures in tiles: each is seen with its surroundings, and what overlaps is blended."""

import itertools
import math
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_vae.checks import check_count
from keras_vae.layers import OutputBias
from keras_vae.layers import ResidualBlock
from keras_vae.layers import SubpixelUpsampling2D
from keras_vae.layers.everywhere import Everywhere
from keras_vae.typing import Array

_UNBOUNDED_SHARE = 4  # of a tile is its overlap where a network sees the whole picture


class Tiles(NamedTuple):
    """How a picture is cut, counted in cells of the latent map.

    Attributes:
        size: height and width of a tile's own part.
        margin: how far a network sees beyond it, on every side.
        is_exact: whether that is as far as the network can see, so that nothing has to be blended.
    """

    size: int
    margin: int
    is_exact: bool


def reach(network: keras.Model) -> int | None:
    """Returns how many cells of its input a network sees beyond those that an output cell covers.

    It is an upper bound, summed over convolutions; `None` where a layer may see everything (group
    norms, attention, dense layers, and whatever is not known here).

    Args:
        network: functional `keras.Model` from a map to maps.
    """
    operations = getattr(network, "operations", None)
    if operations is None:
        return None
    walk = _Walk()
    return math.ceil(walk.reach) if all(map(walk.passes, operations)) else None


class _Walk:
    """The way through a network's operations in order.

    Attributes:
        step: cells of the input from one cell of this layer's to the next.
        reach: cells of the input seen beyond one's own.
    """

    def __init__(self):
        self.step, self.reach = 1.0, 0.0

    def passes(self, operation: Any) -> bool:
        """Goes through an operation, and returns whether its reach is bounded."""
        if isinstance(operation, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            sizes = zip(operation.kernel_size, operation.dilation_rate, strict=True)
            # Padded by a layer before, if at all, and on one side only at worst.
            share = 1 if operation.padding == "valid" else 2
            self.reach += self.step * max(math.ceil((k - 1) * d / share) for k, d in sizes)
            self.step *= max(operation.strides)
            return operation.padding in ("same", "valid")
        if isinstance(operation, keras.layers.ZeroPadding2D):
            return True
        if isinstance(operation, SubpixelUpsampling2D):
            is_bounded = self.passes(operation.conv)
            self.step /= 2
            return is_bounded
        if isinstance(operation, keras.layers.UpSampling2D):
            self.reach += self.step * (operation.interpolation != "nearest")
            self.step /= max(operation.size)
            return operation.interpolation in ("nearest", "bilinear")
        if isinstance(operation, ResidualBlock):
            return self.passes(operation.conv_1) and self.passes(operation.conv_2)
        if isinstance(operation, keras.Model) and hasattr(operation, "operations"):
            return all(map(self.passes, operation.operations))
        is_of_each_cell = isinstance(operation, _OF_EACH_CELL)
        return (
            is_of_each_cell or type(operation).__name__ in _OPERATIONS or _is_of_vectors(operation)
        )


def _is_of_vectors(operation):
    """Whether an operation is given no map: that of a condition, say."""
    return all(len(t.shape) < 3 for t in keras.tree.flatten(operation.input))


_OF_EACH_CELL = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    keras.layers.InputLayer,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    Everywhere,
    OutputBias,
)
# Of `keras.ops`, whose classes are not public; so they are known by name.
_OPERATIONS = (
    "Add",
    "Clip",
    "Divide",
    "Identity",
    "Multiply",
    "ReLU",
    "Relu",
    "Sigmoid",
    "Silu",
    "Subtract",
    "Tanh",
    "TrueDivide",
)


def tiles_of(
    network: keras.Model, stride: int, is_encoder: bool, tile: Any, overlap: Any = None
) -> Tiles:
    """Returns how a network's pictures are cut into tiles.

    Args:
        network: an encoder or decoder.
        stride: by how much height and width of pictures and latent maps differ.
        is_encoder: whether the network's input is the picture.
        tile: pixels of a tile's own part, a multiple of `stride`.
        overlap: pixels seen beyond it on every side. By default as far as the network can see;
            where that is everything, a quarter of `tile`.

    Raises:
        ValueError: If `tile` is no positive multiple of `stride`, or `overlap` is negative.
    """
    if check_count("tile", tile) % stride:
        raise ValueError(
            f"`tile` must be a multiple of {stride}, the pixels that one latent stands for. "
            f"Received: {tile}. Use {stride * max(1, round(tile / stride))}."
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
    """Returns what a network gives for one picture or latent map, computed tile by tile.

    Where tiles are not exact, neighbours are blended linearly over twice the margin.

    Args:
        run: function of a part of x (1, h, w, C) that returns a list of arrays (1, h', w', D).
        x: NumPy array (1, H, W, C).
        tiles: as `tiles_of` gives it.
        scale_in, scale_out: cells of x, and of what is returned, along one cell of the latent map.
        advance: told the number of tiles after each.

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
    """Returns into how many tiles a latent map of a height and width is cut."""
    return math.prod(-(-n // tiles.size) for n in cells)


class _Span(NamedTuple):
    """One tile along one axis: the cells it sees, and the weights (n,) of what it gives."""

    start: int
    stop: int
    weights: np.ndarray

    def of(self, scale):
        return slice(self.start * scale, self.stop * scale)


def _spans(cells, tiles, scale):
    """Yields the `_Span` of each tile along an axis of `cells` cells.

    All see equally many, so that few shapes are compiled. The weights of all sum to 1 everywhere.
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
