"""Sequences of tokens as arrays: special tokens, and checks of rows.

A sequence is a row of integers: its tokens, the token `END`, then `PADDING` up to the length of the
array. A row without room for `END` is a truncated sequence, whose continuation is unknown.
"""

import numpy as np
from keras import ops

from keras_vae.typing import Tensor

PADDING, END, UNKNOWN = 0, 1, 2
NUM_SPECIAL = 3  # the first integer of an ordinary token


def previous_tokens(x: Tensor) -> Tensor:
    """Returns for each position of x (B, T) the token before it, int32. For the first position it
    is `PADDING`, which precedes no other token and so marks the start."""
    x = ops.cast(x, "int32")
    return ops.pad(x[:, :-1], ((0, 0), (1, 0)), constant_values=PADDING)


def is_token(x: Tensor) -> Tensor:
    """Returns float32 (B, T): 1 where x holds a token, including the end, and 0 at padding."""
    return ops.cast(ops.not_equal(ops.cast(x, "int32"), PADDING), "float32")


def token_counts(x: Tensor) -> Tensor:
    """Returns the number of tokens of each sequence in x (B, T), end included, float32 (B,)."""
    return ops.sum(is_token(x), axis=-1)


def ended(x: np.ndarray) -> np.ndarray:
    """Returns int32 tokens with padding after the first `END` of each row, for samplers.

    Args:
        x: NumPy array (N, T).
    """
    x = np.asarray(x, "int32")
    before = np.cumsum(x == END, axis=-1) - (x == END)
    return np.where(before > 0, PADDING, x).astype("int32")


def check_sequences(x: np.ndarray, num_tokens: int, name: str = "x") -> None:
    """Checks that every row of an array is a sequence.

    Args:
        x: NumPy array (N, T) of numbers.
        num_tokens: Integer K. Tokens are integers from 1 to K - 1, and 0 is padding.
        name: String, what to call `x` in the error.

    Raises:
        ValueError: If a value is not an integer from 0 to K - 1, a row is empty, a token follows
            the end or padding, or a padded sequence has no end.
    """
    is_whole = (x >= 0) & (x < num_tokens) & (x == np.floor(x))
    if not is_whole.all():
        row, column = np.argwhere(~is_whole)[0]
        raise ValueError(
            f"`{name}` must hold integers from 0 to {num_tokens - 1}, the tokens of this model. "
            f"Received: {x[row, column]:g} in row {row}, position {column}. These tokens may come "
            "from a different vocabulary than the model's."
        )
    is_end, is_padding = x == END, x == PADDING
    follows = is_padding[:, :-1] | is_end[:, :-1]
    wrong_after = (follows & ~is_padding[:, 1:]).any(axis=1)
    unended = is_padding[:, -1] & ~is_end.any(axis=1)
    bad = wrong_after | unended
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"Each row of `{name}` must hold tokens, then the end ({END}), then padding "
            f"({PADDING}) only; a full row may omit the end. Received: row {row} is "
            f"{_shown(x[row])}. `keras_vae.datasets.Vocabulary.encode` writes rows like this."
        )


def _shown(row):
    values = [int(v) for v in row[:12]]
    return f"{values}{' ...' if len(row) > 12 else ''}"
