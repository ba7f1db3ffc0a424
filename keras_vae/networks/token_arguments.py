"""Common parts of token networks: checks of arguments, inputs, and how z enters."""

import math
from typing import Any

import keras

from keras_vae.checks import check_choice
from keras_vae.checks import check_count
from keras_vae.checks import is_number
from keras_vae.networks.arguments import CHECKS
from keras_vae.tokens import NUM_SPECIAL
from keras_vae.typing import Tensor

CELLS = ("gru", "lstm")


def _optional_std(argument: str, value: Any) -> float | None:
    if value is None:
        return None
    if is_number(value) and 0 < value < math.inf:
        return float(value)
    raise ValueError(f"`{argument}` must be a positive number, or None. Received: {value!r}.")


def _optional_count(argument: str, value: Any) -> int | None:
    return None if value is None else check_count(argument, value)


TOKEN_CHECKS = CHECKS | {
    "num_tokens": lambda argument, value: check_count(argument, value, least=NUM_SPECIAL),
    "latent_dim": check_count,
    "units": check_count,
    "embedding_dim": check_count,
    "cell": lambda argument, value: check_choice(argument, value, CELLS),
    "width": check_count,
    "num_layers": check_count,
    "num_heads": check_count,
    "mean_std": _optional_std,
}
# A decoder without a latent is a language model.
DECODER_CHECKS = TOKEN_CHECKS | {"latent_dim": _optional_count}


def token_input(name: str) -> Tensor:
    """Returns the input of a network for tokens (B, T) of any length."""
    return keras.Input((None,), name=name, dtype="int32")


def latent_input(latent_dim: int | None) -> list[Tensor]:
    """Returns `[z]`, or `[]` for a decoder without a latent."""
    return [] if latent_dim is None else [keras.Input((latent_dim,), name="z")]


def with_latent(tokens: Tensor, z: Tensor) -> Tensor:
    """Returns token embeddings (B, T, F), with a projection of z (B, D) added to each."""
    # About as large as the initial embeddings: z is noise at first, and would drown them.
    small = keras.initializers.RandomNormal(stddev=0.01)
    told = keras.layers.Dense(
        tokens.shape[-1], use_bias=False, kernel_initializer=small, name="told"
    )(z)
    return keras.layers.Add(name="with_z")([tokens, told[:, None]])


def recurrent(cell: str, units: int, name: str) -> keras.layers.Layer:
    """Returns a recurrent layer that returns its state at each step."""
    kind = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[cell]
    return kind(units, return_sequences=True, name=name)
