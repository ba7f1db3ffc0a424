"""The entropy coder of a file: a stack of bits by asymmetric numeral systems.

`pop` reads a symbol from the bits that are there, with the probabilities it is given, and `push`
writes it back: each undoes the other. So `pop` also draws from a distribution, with bits of earlier
symbols as its noise, which is how bits-back coding gets the bits of latents back.
"""

import hashlib
from typing import Any

import numpy as np

_WORD = np.dtype("<u4")
_STATE_WORDS = 2  # held by the coder itself


class Stack:
    """A stack of symbols, compressed.

    Below what is pushed lie initial bits, as many as are asked for: the digits of a fixed hash,
    which reader and writer both know. A file holds the words that were written, and how many of the
    initial ones were read, which is what bits-back coding pays for its first latents.

    Args:
        words: NumPy array of uint32, what `words` returned, or `None` for an empty stack.
        num_initial: Integer, how many initial words were read, which `words` returned too.

    Raises:
        ImportError: If the package `constriction` is not installed.
        ValueError: From `pop`, if words were given and more is read than was ever written.

    Reference:
        - [Duda, 2009](https://arxiv.org/abs/0902.0271)
        - [Bamler, 2022](https://arxiv.org/abs/2201.01741), the entropy coder used here
    """

    def __init__(self, words: np.ndarray | None = None, num_initial: int = 0):
        self._constriction = _library()
        self._num_initial = num_initial if words is not None else _STATE_WORDS
        self._lowest: int | None = None  # how many words were ever left
        self._is_reader = words is not None
        self._num_added = 0  # words put below those that were given
        start = initial_words(_STATE_WORDS) if words is None else np.asarray(words, "uint32")
        self._coder = self._constriction.stream.stack.AnsCoder(start)
        self._family = self._constriction.stream.model.Categorical(perfect=False)

    def push(self, symbols: np.ndarray, frequencies: np.ndarray) -> None:
        """Writes symbols; `pop` with the same frequencies returns them.

        Args:
            symbols: Integers (N,) from 0 to K - 1.
            frequencies: Integers in float64, (N, K), or (K,) for all of them.
        """
        symbols = np.ascontiguousarray(symbols, "int32")
        if frequencies.ndim == 1:
            self._coder.encode_reverse(symbols, self._shared(frequencies))
        else:
            self._coder.encode_reverse(symbols, self._family, frequencies)

    def pop(self, frequencies: np.ndarray, count: int | None = None) -> np.ndarray:
        """Returns symbols, int32 (N,), which may be drawn from initial bits, and removes them.

        Args:
            frequencies: Integers in float64, (N, K), or (K,) of `count` symbols.
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
            raise ValueError("More is read than was written.")
        self._lowest = left if self._lowest is None else min(left, self._lowest)
        return symbols

    @property
    def num_words(self) -> int:
        """How many words of 32 bits are on the stack, the initial ones included."""
        return self._coder.num_words()

    def words(self) -> tuple[np.ndarray, int]:
        """Returns what a file holds: the words, uint32, and how many initial ones were read.

        Initial words that lie lower than was ever read are left out.
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
        """Puts initial words below until a pop cannot run out of them: one takes 24 bits."""
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
    """Returns the first `count` words of the fixed sequence, uint32, the first of them on top."""
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
