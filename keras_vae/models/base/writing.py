"""Generation of sequences: one token after the other, each at the cost of one position."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_vae.models.base.autoregressive_model import inverse_cdf
from keras_vae.models.base.autoregressive_model import most_probable
from keras_vae.tokens import END
from keras_vae.tokens import PADDING
from keras_vae.typing import Tensor


def written(
    decoder: Any,
    z: Tensor,
    batch_size: Any,
    length: int,
    choose: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Returns generated sequences, int32 (B, T), each up to its end token or the full length.

    Args:
        decoder: Network with `start` and `step`, such as `RecurrentTokenDecoder`.
        z: Tensor (B, D), or `None` for a decoder without a latent.
        batch_size: Int, B.
        length: Int, T.
        choose: Function of the logits (B, K - 1) of tokens 1 to K - 1, and of the position, that
            returns the next token's index among them, an int32 tensor (B,).
    """
    positions = ops.arange(length)
    tokens = ops.full((batch_size, length), PADDING, "int32")
    previous = ops.full((batch_size,), PADDING, "int32")
    is_open = ops.ones((batch_size,), "bool")
    cache = decoder.start(z, batch_size, length)

    def goes_on(i, tokens, previous, is_open, cache):
        return ops.any(is_open)

    def write(i, tokens, previous, is_open, cache):
        logits, cache = decoder.step(cache, previous, i)
        token = ops.cast(choose(ops.cast(logits, "float32")[:, 1:], i), "int32") + 1
        token = ops.where(is_open, token, PADDING)
        tokens = ops.where(positions == i, token[:, None], tokens)
        return i + 1, tokens, token, ops.logical_and(is_open, token != END), cache

    first = (ops.zeros((), "int32"), tokens, previous, is_open, cache)
    return ops.while_loop(goes_on, write, first, maximum_iterations=length)[1]


def greedy(logits: Tensor, position: Tensor) -> Tensor:
    """Returns the most probable token, int32 (B,)."""
    return ops.argmax(logits, axis=-1)


def drawing(
    noise: Tensor, temperature: Tensor, top_k: int | None, top_p: Tensor | None
) -> Callable[[Tensor, Tensor], Tensor]:
    """Returns a function that draws tokens, for `written`.

    Args:
        noise: Tensor (B, T), uniform in [0, 1).
        temperature: Positive scalar by which the logits are divided.
        top_k: Int, or `None`. Draws from the k most probable tokens only.
        top_p: Scalar in (0, 1], or `None`. Draws only from the smallest set of tokens whose total
            probability is at least this.
    """

    def draw(logits, position):
        logits = most_probable(logits / temperature, top_k)
        if top_p is not None:
            logits = nucleus(logits, top_p)
        return inverse_cdf(logits, ops.take(noise, position, axis=1))

    return draw


def nucleus(logits: Tensor, top_p: Tensor) -> Tensor:
    """Returns logits (B, K) with minus infinity for all but the smallest set of classes whose total
    probability is at least `top_p`; ties are kept.

    Reference: [Holtzman et al., 2020](https://arxiv.org/abs/1904.09751), section 3.1.
    """
    probs = ops.softmax(logits, axis=-1)
    falling = -ops.sort(-probs, axis=-1)
    before = ops.cumsum(falling, axis=-1) - falling
    least = ops.min(ops.where(before < top_p, falling, np.inf), axis=-1, keepdims=True)
    return ops.where(probs < least, -np.inf, logits)
