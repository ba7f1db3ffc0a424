"""Coding of data, by the class of the distribution p(x|z)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_vae.codecs import binary
from keras_vae.codecs.counts import CountCode
from keras_vae.codecs.logistic import LogisticCode
from keras_vae.codecs.offsets import Blocks
from keras_vae.codecs.offsets import blocks_for
from keras_vae.codecs.offsets import pop_offsets
from keras_vae.codecs.stack import Stack
from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import DiscretizedLogistic
from keras_vae.distributions import Distribution
from keras_vae.distributions import NegativeBinomial
from keras_vae.distributions import Poisson
from keras_vae.distributions import ZeroInflated
from keras_vae.typing import Tensor

_CODES: dict[type[Distribution], type["DataCode"]] = {}


class DataCode:
    """Codes data with one class of distributions.

    The distribution's parameters are passed as arrays, (N,) or (N, K) in float64, from `parameters`
    to `push` and `pop`, and data as integers, symbols (N,), for N elements in raster order.

    Attributes:
        kinds: The type of each array, a key of `rounding_errors.SCALES`.
        margins: List of floats, one for each of `kinds`; empty for a reader, which needs none.
    """

    kinds: tuple[str, ...] = ()

    def __init__(self, distribution: Distribution):
        self.margins: list[float] = []

    def parameters(self, distribution: Distribution) -> tuple[Tensor, ...]:
        """Returns the tensors of the distribution's parameters, (B, S) or (B, S, K)."""
        raise NotImplementedError

    def symbols(self, x: np.ndarray) -> np.ndarray:
        """Returns data as integers.

        Raises:
            ValueError: If x is not a possible outcome of such a distribution.
        """
        raise NotImplementedError

    def data(self, symbols: np.ndarray) -> np.ndarray:
        """Returns the data that integers represent, float64."""
        return symbols.astype("float64")

    def compared(self, parameters: list[np.ndarray], symbols: np.ndarray) -> list[np.ndarray]:
        """Returns the numbers that are compared with edges, arrays of the types in `kinds`.

        Args:
            parameters: Arrays (B, S) or (B, S, K).
            symbols: Integers (B, S) of the same examples.
        """
        return parameters

    def blocks(self, *parameters: np.ndarray) -> Blocks:
        """Returns the blocks that suit parameters like these."""
        raise NotImplementedError

    def push(
        self, stack: Stack, symbols: np.ndarray, blocks: Blocks, *parameters: np.ndarray
    ) -> None:
        """Writes symbols (N,)."""
        raise NotImplementedError

    def pop(self, stack: Stack, blocks: Blocks, *parameters: np.ndarray) -> np.ndarray:
        """Returns what `push` wrote."""
        raise NotImplementedError


def embedded_example(model: Any) -> Tensor:
    """Returns c of one example, embedded zeros, or `None` of a model without a condition."""
    if model.condition is None:
        return None
    return model.embedded(np.zeros((1, *model.condition.raw_shape), model.condition.raw_dtype))


def register_code(distribution_class: type[Distribution]) -> Callable:
    """Registers a `DataCode` for a class of distributions, as a decorator."""

    def register(code: type[DataCode]) -> type[DataCode]:
        _CODES[distribution_class] = code
        return code

    return register


def code_of(distribution: Distribution) -> Any:
    """Returns the `DataCode` of a distribution.

    Raises:
        NotImplementedError: If there is none because the data are continuous or of another type.
    """
    for base in type(distribution).__mro__:
        if base in _CODES:
            return _CODES[base](distribution)
    raise NotImplementedError(
        "Compressed files hold discrete data: p(x|z) must be one of "
        f"{', '.join(sorted(c.__name__ for c in _CODES))}. Received: "
        f"{type(distribution).__name__}. The nats of a density do not correspond to bits: train "
        "with a likelihood of discrete data, such as keras_vae.DiscretizedLogisticLikelihood() for "
        "8-bit pictures."
    )


@register_code(Bernoulli)
class BernoulliCode(DataCode):
    """Code of binary data."""

    kinds = ("logits",)

    def parameters(self, distribution: Any) -> tuple[Tensor, ...]:
        return (distribution.logits,)

    def symbols(self, x: np.ndarray) -> np.ndarray:
        grey = (x != 0) & (x != 1)
        if np.any(grey):
            raise ValueError(
                "`x` must be binary to be compressed with a Bernoulli likelihood. Expected: 0 and "
                f"1. Received: {x[grey].ravel()[0]:g}. Binarise the data, or use a model of grey "
                "levels (DiscretizedLogisticLikelihood)."
            )
        return x.astype("int32")

    def blocks(self, *parameters: np.ndarray) -> Blocks:
        (logits,) = parameters
        return binary.blocks_of(logits, self.margins[0])

    def push(
        self, stack: Stack, symbols: np.ndarray, blocks: Blocks, *parameters: np.ndarray
    ) -> None:
        binary.push_binary(stack, symbols, parameters[0], self.margins[0], blocks)

    def pop(self, stack: Stack, blocks: Blocks, *parameters: np.ndarray) -> np.ndarray:
        return binary.pop_binary(stack, parameters[0], blocks)


@register_code(Categorical)
class CategoricalCode(DataCode):
    """Code of integers, by a tree of binary decisions."""

    kinds = ("logits",)

    def __init__(self, distribution: Any):
        super().__init__(distribution)
        self.num_classes = distribution.logits.shape[-1]

    def parameters(self, distribution: Any) -> tuple[Tensor, ...]:
        return (distribution.log_probs,)

    def symbols(self, x: np.ndarray) -> np.ndarray:
        return x.astype("int32")

    def compared(self, parameters: list[np.ndarray], symbols: np.ndarray) -> list[np.ndarray]:
        (log_probs,) = parameters
        tree = binary.DecisionTree(log_probs.reshape(-1, self.num_classes))
        return [tree.path(symbols.ravel())]

    def blocks(self, *parameters: np.ndarray) -> Blocks:
        tree = binary.DecisionTree(parameters[0])
        likeliest = np.argmax(parameters[0], axis=1)
        return self.blocks_of_decisions(tree.path(likeliest).ravel())

    def blocks_of_decisions(self, logits: np.ndarray) -> Blocks:
        """Returns the blocks that suit logits of decisions (N,)."""
        return binary.blocks_of(logits, self.margins[0])

    def push(
        self, stack: Stack, symbols: np.ndarray, blocks: Blocks, *parameters: np.ndarray
    ) -> None:
        tree = binary.DecisionTree(parameters[0])
        logits, taken = tree.path(symbols), binary.digits(symbols, tree.num_decisions)
        binary.push_binary(stack, taken.ravel(), logits.ravel(), self.margins[0], blocks)

    def pop(self, stack: Stack, blocks: Blocks, *parameters: np.ndarray) -> np.ndarray:
        tree = binary.DecisionTree(parameters[0])
        count = len(parameters[0])
        shift = pop_offsets(stack, tree.num_decisions * count, blocks)
        return pop_decisions(stack, tree, shift.reshape(-1, count))


def pop_decisions(stack: Stack, tree: binary.DecisionTree, shift: np.ndarray) -> np.ndarray:
    """Returns the symbols (N,) at which the decisions of trees end; shift is (decisions, N)."""
    symbols = np.zeros(shift.shape[1], "int32")
    for depth in range(tree.num_decisions):
        logits = tree.logits_at(depth, symbols)
        symbols = 2 * symbols + stack.pop(binary.frequencies(logits, shift[depth]))
    return symbols


@register_code(DiscretizedLogistic)
class DiscretizedLogisticCode(DataCode):
    """Code of grey levels k / (num_bins - 1)."""

    kinds = ("location", "log_scale")

    def __init__(self, distribution: Any):
        super().__init__(distribution)
        self.last = distribution.num_bins - 1

    @property
    def _code(self):
        in_bins = (self.margins[0] * self.last, self.margins[1]) if self.margins else None
        return LogisticCode(self.last + 1, in_bins)

    def parameters(self, distribution: Any) -> tuple[Tensor, ...]:
        location = distribution.location
        return location, ops.broadcast_to(distribution.log_scale, ops.shape(location))

    def symbols(self, x: np.ndarray) -> np.ndarray:
        return np.round(np.asarray(x, "float64") * self.last).astype("int32")

    def data(self, symbols: np.ndarray) -> np.ndarray:
        return symbols / self.last

    def blocks(self, *parameters: np.ndarray) -> Blocks:
        location, log_scale = self._in_bins(*parameters)
        return blocks_for(self._code.clearance(location, log_scale, np.zeros(len(location))))

    def push(
        self, stack: Stack, symbols: np.ndarray, blocks: Blocks, *parameters: np.ndarray
    ) -> None:
        self._code.push(stack, symbols, *self._in_bins(*parameters), blocks)

    def pop(self, stack: Stack, blocks: Blocks, *parameters: np.ndarray) -> np.ndarray:
        return self._code.pop(stack, *self._in_bins(*parameters), blocks)

    def _in_bins(self, location, log_scale):
        return location * self.last, log_scale + np.log(self.last)


@register_code(Poisson)
@register_code(NegativeBinomial)
@register_code(ZeroInflated)
class CountsCode(DataCode):
    """Code of counts."""

    def __init__(self, distribution: Any):
        super().__init__(distribution)
        self.has_zeros = isinstance(distribution, ZeroInflated)
        base = distribution.base if self.has_zeros else distribution
        if not isinstance(base, Poisson | NegativeBinomial):
            raise NotImplementedError(
                "In compressed files, zero-inflated counts must be Poisson or NegativeBinomial "
                f"ones. Received: {type(base).__name__}."
            )
        self.has_r = isinstance(base, NegativeBinomial)
        self.kinds = ("logits",) * (1 + self.has_r + self.has_zeros)

    @property
    def _code(self):
        return CountCode(self.has_r, self.has_zeros, self.margins)

    def parameters(self, distribution: Any) -> tuple[Tensor, ...]:
        base = distribution.base if self.has_zeros else distribution
        found = [base.log_mean, base.log_inverse_dispersion] if self.has_r else [base.log_rate]
        found += [distribution.logits] if self.has_zeros else []
        return tuple(ops.broadcast_to(p, ops.shape(found[0])) for p in found)

    def symbols(self, x: np.ndarray) -> np.ndarray:
        if np.any(x >= 2**31):
            raise ValueError(
                f"Counts in a file must be below 2**31. Received: {np.max(x):.0f} in `x`."
            )
        return x.astype("int32")

    def blocks(self, *parameters: np.ndarray) -> Blocks:
        return blocks_for(self._code.clearance([*parameters], np.zeros(len(parameters[0]))))

    def push(
        self, stack: Stack, symbols: np.ndarray, blocks: Blocks, *parameters: np.ndarray
    ) -> None:
        self._code.push(stack, symbols, [*parameters], blocks)

    def pop(self, stack: Stack, blocks: Blocks, *parameters: np.ndarray) -> np.ndarray:
        return self._code.pop(stack, [*parameters], blocks)
