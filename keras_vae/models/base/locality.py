"""The receptive fields of networks for pictures of any size, and where they become global."""

import math
from typing import Any
from typing import NamedTuple

import keras

from keras_vae.layers import OutputBias
from keras_vae.layers import ResidualBlock
from keras_vae.layers import SubpixelUpsampling2D
from keras_vae.layers.everywhere import Everywhere
from keras_vae.models.base.any_size import PROBE


class Halves(NamedTuple):
    """A network in two parts.

    Attributes:
        near: `keras.Model` that sees a bounded part of its input.
        whole: `keras.Model` on the latent map's height and width, which may see everything.
    """

    near: keras.Model
    whole: keras.Model


def reach(network: keras.Model) -> int | None:
    """Returns how many input cells a network sees beyond those that an output cell covers.

    This is an upper bound, summed over convolutions; `None` if a layer may see everything (group
    norms, attention, dense layers, and any layer not known here).

    Args:
        network: Functional `keras.Model` from a map to maps.
    """
    operations = getattr(network, "operations", None)
    if operations is None:
        return None
    walk = _Walk()
    return math.ceil(walk.reach) if all(map(walk.passes, operations)) else None


def halves(network: keras.Model, is_encoder: bool) -> Halves | None:
    """Returns an encoder or decoder split in two where its layers that see everything begin or end.

    Such layers often act only on the smallest map. The rest can then be computed in tiles, and the
    result is exact. An encoder's `whole` comes last, a decoder's first.

    Args:
        network: Functional `keras.Model` with one input.
        is_encoder: Whether its input is the picture.

    Returns:
        `Halves`, or `None` if there is no such split: if the whole network is bounded, has several
        inputs, uses attention (whose cost grows with the square of the map's size), or sees
        everything on larger maps.
    """
    operations = getattr(network, "operations", None)
    if operations is None or len(network.inputs) != 1:
        return None
    is_near = [_Walk().passes(operation) for operation in operations]
    far = [operation for operation, near in zip(operations, is_near, strict=True) if not near]
    if not far or not all(isinstance(o, keras.layers.GroupNormalization) for o in far):
        return None
    first, last = is_near.index(False), len(is_near) - is_near[::-1].index(False)
    places = range(first - 1, -1, -1) if is_encoder else range(last - 1, len(operations) - 1)
    for place in places:
        cut = _only_way(network, operations, place)
        if cut is None:
            continue
        before = keras.Model(network.input, cut)
        after = keras.Model(cut, network.output)
        found = Halves(before, after) if is_encoder else Halves(after, before)
        return found if _keeps_size(found.whole) else None
    return None


def _only_way(network, operations, place):
    """Returns the one tensor between operations up to a place and later ones, or `None`."""
    made = {id(t): t for o in operations[: place + 1] for t in keras.tree.flatten(o.output)}
    used = [t for o in operations[place + 1 :] for t in keras.tree.flatten(o.input)]
    crossing = {id(t) for t in (*used, *network.outputs) if id(t) in made}
    return made[crossing.pop()] if len(crossing) == 1 else None


def _keeps_size(network):
    """Whether a network's maps all have the height and width of its input."""
    shape = (1, PROBE, PROBE, network.inputs[0].shape[-1])
    found = network.compute_output_shape(shape)
    shapes = found if isinstance(found[0], tuple) else [found]
    return all(s[1:3] == (PROBE, PROBE) for s in shapes)


class _Walk:
    """Accumulates the receptive field over a network's operations, in order.

    Attributes:
        step: Distance, in input cells, between neighbouring cells of the current layer.
        reach: Number of input cells seen beyond a cell's own.
    """

    def __init__(self):
        self.step, self.reach = 1.0, 0.0

    def passes(self, operation: Any) -> bool:
        """Adds an operation, and returns whether its reach is bounded."""
        if isinstance(operation, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            sizes = zip(operation.kernel_size, operation.dilation_rate, strict=True)
            # "valid" may follow a padding layer, in the worst case on one side only.
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
    """Whether an operation's input is not a map but, say, a condition."""
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
# Operations of `keras.ops`, by name because their classes are not public.
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
