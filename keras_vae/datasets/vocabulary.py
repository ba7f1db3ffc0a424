"""Vocabularies: texts as rows of tokens, and back."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_vae.checks import check_choice
from keras_vae.checks import check_count
from keras_vae.configured import Configured
from keras_vae.tokens import END
from keras_vae.tokens import NUM_SPECIAL
from keras_vae.tokens import PADDING
from keras_vae.tokens import UNKNOWN

UNITS = ("words", "characters")
SHOWN_UNKNOWN = "<unk>"


class TextCoder(Configured):
    """Base class of encoders of texts as rows of tokens.

    A subclass defines `numbers`, `text` and `num_tokens`.
    """

    @property
    def num_tokens(self) -> int:
        """K: tokens are integers from 1 to K - 1, including the end (1) and unknown (2) tokens."""
        raise NotImplementedError

    def numbers(self, text: str) -> list[int]:
        """Returns the tokens of a text, each at least 2, without the end."""
        raise NotImplementedError

    def text(self, numbers: list[int]) -> str:
        """Returns the text of tokens, each at least 2."""
        raise NotImplementedError

    def encode(self, texts: str | Iterable[str], length: int | None = None) -> np.ndarray:
        """Returns texts as tokens, each terminated by 1 and padded with 0.

        Args:
            texts: A text, or any iterable of N texts. An empty text becomes the end token alone.
            length: Int, T, or `None` for that of the longest text. A text that does not fit is
                truncated, and then has no end token.

        Returns:
            NumPy int32 array (N, T).

        Raises:
            ValueError: If there is no text, or something is not a text.
        """
        texts = check_texts(texts)
        rows = [[*self.numbers(text), END] for text in texts]
        length = max(map(len, rows)) if length is None else check_count("length", length)
        x = np.full((len(rows), length), PADDING, "int32")
        for row, tokens in zip(x, rows, strict=True):
            row[: len(tokens)] = tokens[:length]
        return x

    def decode(self, x: Any) -> list[str]:
        """Returns the texts of rows of tokens, up to their end tokens.

        Args:
            x: Array (N, T) of integers.

        Raises:
            ValueError: If an integer is not a token.
        """
        x = np.asarray(x)
        if x.ndim != 2 or (x.size and not (x.min() >= 0 and x.max() < self.num_tokens)):
            raise ValueError(
                f"`x` must be tokens (N, T), integers from 0 to {self.num_tokens - 1}. Received: "
                f"shape {x.shape}{f', from {x.min()} to {x.max()}' if x.size else ''}."
            )
        rows = x.astype("int64").tolist()
        return [self.text([k for k in row[: _end(row)] if k != PADDING]) for row in rows]


@keras.saving.register_keras_serializable(package="keras_vae")
class Vocabulary(TextCoder):
    """A numbered list of words or characters.

    Words are separated by white space, and joined by one space. A word or character that is not in
    the vocabulary becomes 2, shown as "<unk>".

    Args:
        tokens: List of strings, which get the numbers 3, 4, ...
        unit: "words" or "characters".

    Raises:
        ValueError: If a token occurs twice, is not a string, or is not a single word or character.

    Example:

    ```python
    vocabulary = Vocabulary.of(["the food was great .", "the staff was rude ."])
    x = vocabulary.encode(["the food was rude ."])
    vocabulary.decode(x)  # ["the food was rude ."]
    ```
    """

    def __init__(self, tokens: Sequence[str], unit: str = "words") -> None:
        self.unit = check_choice("unit", unit, UNITS)
        if isinstance(tokens, str):
            raise ValueError(f"`tokens` must be a list of strings. Received: {tokens!r}.")
        self.tokens = tuple(tokens)
        for token in self.tokens:
            if not isinstance(token, str) or list(self._split(token)) != [token]:
                raise ValueError(
                    f"`tokens` must hold single {unit}. Received: {token!r}. "
                    "`Vocabulary.of(texts)` finds them."
                )
        self._numbers = {token: i for i, token in enumerate(self.tokens, NUM_SPECIAL)}
        if len(self._numbers) < len(self.tokens):
            twice = next(t for t, n in Counter(self.tokens).items() if n > 1)
            raise ValueError(f"`tokens` must be distinct. Received: {twice!r} more than once.")

    @classmethod
    def of(
        cls,
        texts: str | Iterable[str],
        unit: str = "words",
        max_size: int | None = None,
        min_count: int = 1,
    ) -> "Vocabulary":
        """Returns the vocabulary of texts, most frequent first, with ties in sorted order.

        Args:
            texts: Iterable of strings.
            unit: "words" or "characters".
            max_size: Int, or `None`: the maximum number of words or characters that are kept.
            min_count: Int: the minimum number of occurrences of those that are kept.

        Raises:
            ValueError: If there is no text, something is not a text, or a number is out of range.
        """
        check_choice("unit", unit, UNITS)
        least = check_count("min_count", min_count)
        size = None if max_size is None else check_count("max_size", max_size)
        split = str.split if unit == "words" else iter
        counts = Counter(token for text in check_texts(texts) for token in split(text))
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls([token for token, count in ordered if count >= least][:size], unit)

    @property
    def num_tokens(self) -> int:
        return NUM_SPECIAL + len(self.tokens)

    def numbers(self, text: str) -> list[int]:
        return [self._numbers.get(token, UNKNOWN) for token in self._split(text)]

    def text(self, numbers: list[int]) -> str:
        known = (self.tokens[k - NUM_SPECIAL] if k > UNKNOWN else SHOWN_UNKNOWN for k in numbers)
        return (" " if self.unit == "words" else "").join(known)

    def get_config(self) -> dict[str, Any]:
        return {"tokens": list(self.tokens), "unit": self.unit}

    def _split(self, text):
        return text.split() if self.unit == "words" else text


@keras.saving.register_keras_serializable(package="keras_vae")
class Tokenizer(TextCoder):
    """Wraps a tokenizer of another library: its number n becomes the token n + 3.

    Args:
        tokenizer: Object with `encode(text)`, which returns a list of integers or an object with
            such a list as `ids`, and `decode(integers)`, which returns the text.
        size: Int, the number of tokens of the tokenizer.

    A model that uses it can be saved only if the tokenizer's class is registered with Keras
    (`keras.saving.register_keras_serializable`) and has a `get_config`.

    Raises:
        ValueError: If the tokenizer has no `encode` and `decode`, or `size` is not a positive
            integer.

    Example:

    ```python
    vocabulary = Tokenizer(tiktoken.get_encoding("gpt2"), 50_257)
    ```
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        if not all(callable(getattr(tokenizer, name, None)) for name in ("encode", "decode")):
            raise ValueError(
                "`tokenizer` must have `encode(text)` and `decode(integers)`. Received: "
                f"{tokenizer!r}."
            )
        self.tokenizer, self.size = tokenizer, check_count("size", size)

    @property
    def num_tokens(self) -> int:
        return NUM_SPECIAL + self.size

    def numbers(self, text: str) -> list[int]:
        numbers = self.tokenizer.encode(text)
        numbers = list(getattr(numbers, "ids", numbers))
        if any(not 0 <= n < self.size for n in numbers):
            raise ValueError(
                f"The tokenizer returned a number outside the range from 0 to {self.size - 1} for "
                f"{text!r}. Received: {numbers}. Raise `size`."
            )
        return [int(n) + NUM_SPECIAL for n in numbers]

    def text(self, numbers: list[int]) -> str:
        return self.tokenizer.decode([k - NUM_SPECIAL for k in numbers if k > UNKNOWN])

    def get_config(self) -> dict[str, Any]:
        tokenizer = keras.saving.serialize_keras_object(self.tokenizer)
        return {"tokenizer": tokenizer, "size": self.size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Tokenizer":
        return cls(**keras.saving.deserialize_keras_object(config))


def holds_texts(x: Any) -> bool:
    """Whether `x` is a text, or a list, array or column whose first element is a text."""
    if isinstance(x, str):
        return True
    if isinstance(x, list | tuple):
        return bool(x) and isinstance(x[0], str)
    kind = getattr(getattr(x, "dtype", None), "kind", None)
    if kind in ("U", "O") or type(x).__name__ in ("Series", "ChunkedArray"):
        return len(getattr(x, "shape", (0,))) == 1 and isinstance(next(iter(x), None), str)
    return False


def check_texts(texts: Any) -> list[str]:
    """Returns texts as a list.

    Raises:
        ValueError: If there is none, or something is not a text.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    if not texts:
        raise ValueError("`texts` is empty. Give at least one text, which may be ''.")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(
                f"`texts` must hold strings. Received: {text!r}, of type {type(text).__name__}, at "
                f"index {i}. Fill in missing texts, or leave them out."
            )
    return texts


def _end(row):
    return row.index(END) if END in row else len(row)
