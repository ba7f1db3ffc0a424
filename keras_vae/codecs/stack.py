"""The entropy coder of a file: a stack of bits with asymmetric numeral systems.

`pop` reads a symbol from the bits on the stack, with the given probabilities, and `push` writes it
back: each undoes the other. So `pop` also draws from a distribution, with bits of earlier symbols
as its noise; this is how bits-back coding recovers the bits of latents.
"""

import hashlib
from typing import Any

import numpy as np

_WORD = np.dtype("<u4")
_STATE_WORDS = 2  # held by the coder itself


class Stack:
    """A compressed stack of symbols.

    Below the pushed symbols lie as many initial bits as needed: the digits of a fixed hash, which
    reader and writer both know. A file holds the written words, and the number of initial words
    that were read, which is the price of the first latents in bits-back coding.

    Args:
        words: NumPy array of uint32 from the method `words`, or `None` for an empty stack.
        num_initial: Integer, the number of initial words that were read, also from `words`.

    Raises:
        ImportError: If the package `constriction` is not installed.
        ValueError: Raised by `pop` if words were given and more is read than was written.

    Reference:
        - [Duda, 2009](https://arxiv.org/abs/0902.0271)
        - [Bamler, 2022](https://arxiv.org/abs/2201.01741), the entropy coder used here
    """

    def __init__(self, words: np.ndarray | None = None, num_initial: int = 0):
        self._constriction = _library()
        self._num_initial = num_initial if words is not None else _STATE_WORDS
        self._lowest: int | None = None  # smallest number of words left so far
        self._is_reader = words is not None
        self._num_added = 0  # words added below those that were given
        start = initial_words(_STATE_WORDS) if words is None else np.asarray(words, "uint32")
        self._coder = self._constriction.stream.stack.AnsCoder(start)
        self._family = self._constriction.stream.model.Categorical(perfect=False)

    def push(self, symbols: np.ndarray, frequencies: np.ndarray) -> None:
        """Writes symbols; `pop` with the same frequencies returns them.

        Args:
            symbols: Integers (N,) from 0 to K - 1.
            frequencies: Integers in float64, (N, K), or (K,) for all symbols.
        """
        symbols = np.ascontiguousarray(symbols, "int32")
        if frequencies.ndim == 1:
            self._coder.encode_reverse(symbols, self._shared(frequencies))
        else:
            self._coder.encode_reverse(symbols, self._family, frequencies)

    def pop(self, frequencies: np.ndarray, count: int | None = None) -> np.ndarray:
        """Returns symbols, int32 (N,), which may be drawn from initial bits, and removes them.

        Args:
            frequencies: Integers in float64, (N, K), or (K,) for `count` symbols.
            count: Integer, or `None`.
        """
        number = len(frequencies) if count is None else count
        self._reach_down(number + _STATE_WORDS + 1)
        if frequencies.ndim == 1:
            symbols = self._coder.decode(self._shared(frequencies), number)
        else:
            symbols = self._coder.decode(self._family, frequencies)
        left = self._coder.num_words()
        if self._is_reader and left < self._num_added + _STATE_WORDS:
            raise ValueError("More was read than was written.")
        self._lowest = left if self._lowest is None else min(left, self._lowest)
        return symbols

    @property
    def num_words(self) -> int:
        """The number of 32-bit words on the stack, including initial ones."""
        return self._coder.num_words()

    def words(self) -> tuple[np.ndarray, int]:
        """Returns the words to store, uint32, and the number of initial words that were read.

        Initial words below the lowest one that was read are left out.
        """
        unread = max(0, (self._lowest or 0) - _STATE_WORDS)
        unread = min(unread, self._num_initial)
        return self._coder.get_compressed()[unread:], self._num_initial - unread

    def is_back_at_start(self) -> bool:
        """Whether nothing but initial words is left."""
        expected = initial_words(self._num_initial)
        left = self._coder.get_compressed()
        return len(left) == len(expected) and bool(np.all(left == expected))

    def _shared(self, frequencies):
        return self._constriction.stream.model.Categorical(frequencies, perfect=False)

    def _reach_down(self, needed):
        """Adds initial words below until a pop, which takes 24 bits per symbol, has enough."""
        missing = needed - self._coder.num_words()
        if missing <= 0:
            return
        below = initial_words(self._num_initial + missing)[:missing]
        words = np.concatenate([below, self._coder.get_compressed()])
        self._coder = self._constriction.stream.stack.AnsCoder(words)
        self._num_initial += missing
        self._num_added += missing
        self._lowest = None if self._lowest is None else self._lowest + missing


def initial_words(count: int) -> np.ndarray:
    """Returns the first `count` words of the fixed sequence, uint32, with the first on top."""
    digest = hashlib.shake_256(b"keras_vae").digest(4 * count)
    words = np.frombuffer(digest, _WORD).astype("uint32") | np.uint32(1)  # no word is 0
    return words[::-1].copy()


def _library() -> Any:
    try:
        import constriction
    except ImportError as error:
        raise ImportError(
            "Compressed files need the package `constriction`, which is not installed. Install "
            'it: pip install "keras-vae[codec]"'
        ) from error
    return constriction
