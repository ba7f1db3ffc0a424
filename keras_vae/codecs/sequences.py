"""Direct coding of integers with an autoregressive model, and of a quantized model's codes."""

import itertools
from typing import Any

import keras
import numpy as np

from keras_vae.batching import padded_batches
from keras_vae.codecs.binary import DecisionTree
from keras_vae.codecs.binary import digits
from keras_vae.codecs.binary import push_binary
from keras_vae.codecs.data_codes import CategoricalCode
from keras_vae.codecs.data_codes import code_of
from keras_vae.codecs.data_codes import embedded_example
from keras_vae.codecs.data_codes import pop_decisions
from keras_vae.codecs.file_format import Reader
from keras_vae.codecs.file_format import Writer
from keras_vae.codecs.offsets import Blocks
from keras_vae.codecs.offsets import pop_offsets
from keras_vae.codecs.rounding_errors import margins
from keras_vae.codecs.stack import Stack

_GROUP = 256  # examples that a reader decodes in parallel
_SAMPLE = 64  # examples from which the settings of a file are chosen


class SequenceCode:
    """Codes integers with a model's exact probabilities, one position after the other.

    The writer computes all positions at once, the reader one at a time from those already read.

    Args:
        model: `AutoregressiveModel`.
        batch_size: Integer, the number of examples given to the networks at once.
    """

    def __init__(self, model: Any, batch_size: int):
        self.model = model
        self.batch_size = batch_size
        self.blocks = Blocks(1, 0)
        with model.reading():
            zeros = np.zeros((1, *model.data_shape), "int32")
            distribution = model.distribution(zeros, embedded_example(model))
        self.code: CategoricalCode = code_of(distribution)

    def symbols(self, x: np.ndarray) -> np.ndarray:
        """Returns data as integers (B, S)."""
        return np.asarray(x).astype("int32")

    def values(self, symbols: np.ndarray, dtype: str) -> np.ndarray:
        """Returns the data that integers represent, as restored from a file."""
        return symbols.astype(dtype)

    def write(self, stack: Stack, x: np.ndarray, conditions: list, report: Any) -> None:
        """Writes all examples; the arguments are those of `BitsBackCode.write`."""
        sample = self.symbols(x[:_SAMPLE]), [c[:_SAMPLE] for c in conditions]
        self.code.margins = margins(
            self.model,
            self.code.kinds,
            self._parameters,
            [sample[0], *sample[1]],
            lambda outputs: self.code.compared(outputs, sample[0][: len(outputs[0])]),
        )
        self.blocks = self.code.blocks_of_decisions(self._logits_of_decisions(*sample).ravel())
        for rows in _groups(len(x)):
            symbols, given = self.symbols(x[rows]), [c[rows] for c in conditions]
            logits = self._logits_of_decisions(symbols, given)  # (N, decisions, B)
            taken = digits(symbols.reshape(len(symbols), -1).T.ravel(), logits.shape[1])
            taken = taken.reshape(logits.shape[1], logits.shape[0], -1).transpose(1, 0, 2)
            margin = self.code.margins[0]
            push_binary(stack, taken.ravel(), logits.ravel(), margin, self.blocks)
            report(len(symbols))

    def read(self, stack: Stack, x: np.ndarray, conditions: list, report: Any) -> None:
        """Fills x (N, S) with all examples."""
        for rows in reversed(_groups(len(x))):
            count, given = rows.stop - rows.start, [c[rows] for c in conditions]
            symbols = self._read_group(stack, count, given).reshape(x[rows].shape)
            x[rows] = self.values(symbols, x.dtype.name)
            report(count)

    def write_settings(self, writer: Writer) -> None:
        """Writes what a reader needs to know."""
        writer.numbers("HB", *self.blocks)

    def read_settings(self, reader: Reader) -> None:
        """Reads what `write_settings` wrote."""
        self.blocks = Blocks(*reader.numbers("HB"))

    def _parameters(self, x, *conditions):
        c = self.model.embedded(*conditions)
        return self.code.parameters(self.model.distribution(x, c))

    def _logits_of_decisions(self, symbols, conditions):
        """Returns the logits of the decisions that lead to symbols, (N, decisions, B)."""
        run = self.model.jitted_once(("codecs", "parameters"), self._parameters)
        pieces = []
        for batch, count in padded_batches([symbols, *conditions], self.batch_size):
            flat = batch[0].ravel()
            (log_probs,) = run(*batch)
            path = DecisionTree(log_probs.reshape(len(flat), -1)).path(flat)
            path = path.reshape(len(path), len(batch[0]), -1)[:, :count]
            pieces.append(path.transpose(2, 0, 1))
        return np.concatenate(pieces, axis=2)

    def _read_group(self, stack, count, conditions):
        num_codes = self.model.num_codes
        batches = list(padded_batches([np.zeros((count, 1)), *conditions], self.batch_size))
        starts = [self._start(len(rows), given) for (rows, *given), _ in batches]
        codes = np.zeros((len(batches), self.batch_size, num_codes), "int32")
        sizes = [size for _, size in batches]
        first = DecisionTree(np.zeros((1, self.code.num_classes))).num_decisions
        shift = pop_offsets(stack, num_codes * first * count, self.blocks)
        shift = shift.reshape(num_codes, first, count)
        for i in range(num_codes):
            logits = []
            for b, cache in enumerate(starts):
                found, starts[b] = self._step(cache, codes[b], i)
                logits.append(found[: sizes[b]])
            tree = DecisionTree(np.concatenate(logits))
            symbols = pop_decisions(stack, tree, shift[i])
            for b, part in enumerate(np.split(symbols, np.cumsum(sizes)[:-1])):
                codes[b, : sizes[b], i] = part
        return np.concatenate([c[:size] for c, size in zip(codes, sizes, strict=True)])

    def _start(self, size, conditions):
        def start(*conditions):
            return self.model.start(self.model.embedded(*conditions), size)

        if not conditions:
            start_of_none = self.model.jitted_once(
                ("codecs", "start", size), lambda unused: start()
            )
            return start_of_none(np.zeros(1, "float32"))
        return self.model.jitted_once(("codecs", "start", size), start)(*conditions)

    def _step(self, cache, codes, position):
        """Returns the logits at a position, (B, K), and the next cache."""
        flat = keras.tree.flatten(cache)

        def step(codes, position, *parts):
            given = keras.tree.pack_sequence_as(cache, list(parts))
            logits, after = self.model.step(given, codes, position)
            return [logits, *keras.tree.flatten(after)]

        run = self.model.jitted_once(("codecs", "step", len(codes)), step)
        logits, *parts = run(codes, np.int32(position), *flat)
        return logits, keras.tree.pack_sequence_as(cache, parts)


class CodesCode:
    """Codes the codes of a quantized model with their priors, or as uniform without priors.

    This is lossy: x is restored as the decoder's output for its codes.

    Args:
        model: `QuantizedModel`.
        batch_size: Integer, the number of examples given to the networks at once.
    """

    def __init__(self, model: Any, batch_size: int):
        self.sizes = [quantizer.num_embeddings for quantizer in model.quantizers]
        self.shapes = model.code_shapes
        self.priors = [SequenceCode(prior, batch_size) for prior in model.priors]

    def write(self, stack: Stack, levels: list, conditions: list, report: Any) -> None:
        """Writes the codes of all levels, a list of integers (N, *positions)."""
        for level, codes in enumerate(levels):  # a reader takes the top level first
            if not self.priors:
                stack.push(codes.ravel(), np.ones(self.sizes[level]))
                report(len(codes) / len(levels))
                continue
            given = self._given(level, levels, conditions)
            self.priors[level].write(stack, codes, given, lambda n: report(n / len(levels)))

    def read(self, stack: Stack, num_examples: int, conditions: list, report: Any) -> list:
        """Returns the codes of all levels."""
        levels: list[Any] = [None] * len(self.shapes)
        for level in reversed(range(len(levels))):
            shape = tuple(self.shapes[level])
            if not self.priors:
                count = num_examples * int(np.prod(shape))
                flat = stack.pop(np.ones(self.sizes[level]), count)
                levels[level] = flat.reshape(num_examples, *shape)
                report(num_examples / len(levels))
                continue
            given = self._given(level, levels, conditions)
            levels[level] = np.zeros((num_examples, *shape), "int32")
            self.priors[level].read(stack, levels[level], given, lambda n: report(n / len(levels)))
        return levels

    def write_settings(self, writer: Writer) -> None:
        """Writes what a reader needs to know."""
        for prior in self.priors:
            prior.write_settings(writer)

    def read_settings(self, reader: Reader) -> None:
        """Reads what `write_settings` wrote."""
        for prior in self.priors:
            prior.read_settings(reader)

    def nats(self, levels: list, conditions: list) -> float:
        """Returns -log p(codes), summed over all examples."""
        if not self.priors:
            pairs = zip(levels, self.sizes, strict=True)
            return float(sum(codes.size * np.log(size) for codes, size in pairs))
        total = 0.0
        for level, codes in enumerate(levels):
            given = self._given(level, levels, conditions)
            total -= float(np.sum(self.priors[level].model.log_likelihood(codes, *given)))
        return total

    def _given(self, level, levels, conditions):
        if level + 1 < len(levels):
            return [levels[level + 1]]
        return [] if self.priors[level].model.condition is None else conditions


def _groups(count):
    edges = [*range(0, count, _GROUP), count]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]
