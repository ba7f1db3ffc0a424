"""The distribution of token sequences, one token after the other."""

from collections.abc import Callable

from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.tokens import is_token
from keras_vae.tokens import previous_tokens
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class TokenSequences(Distribution):
    """Sequences of tokens of any length: p(x) = prod_t p(x_t | x_1 ... x_{t-1}).

    A sequence ends with the token 1, which counts; 0 is padding, which never counts and is never
    predicted. A row without an end token is truncated: its probability is that of all sequences
    that begin with it. The probabilities of all rows (T,) of one length T thus sum to 1.

    Args:
        logits_of: Function that returns the logits (B, T, K) of each token, given the token before
            each, int32 (B, T). Its output at t may depend only on its input up to t.
        batch_size: Int, B.

    Example:

    >>> TokenSequences(lambda previous: decoder([z, previous]), len(z)).log_prob(tokens)
    """

    is_discrete = True

    def __init__(self, logits_of: Callable[[Tensor], Tensor], batch_size: int) -> None:
        super().__init__((batch_size, None))  # type: ignore[arg-type]
        self.logits_of = logits_of

    def log_prob(self, x: Tensor) -> Tensor:
        """Computes log p(x), float32 (B,) in nats, for sequences x (B, T)."""
        return ops.sum(self.log_prob_of_tokens(x), axis=-1)

    def log_prob_of_tokens(self, x: Tensor) -> Tensor:
        """Computes log p(x_t | x_1 ... x_{t-1}), float32 (B, T) in nats; 0 at padding."""
        x = ops.cast(x, "int32")
        logits = ops.cast(self.logits_of(previous_tokens(x)), "float32")
        of_x = ops.take_along_axis(logits, x[..., None], axis=-1)[..., 0]
        # Padding, the first class, has no probability.
        total = ops.logsumexp(logits[..., 1:], axis=-1)
        return (of_x - total) * is_token(x)

    def sample(self, seed: Seed = None, num_samples: int | None = None) -> Tensor:
        """Raises `NotImplementedError`: sampling needs a decoder, token by token."""
        raise NotImplementedError(
            "TokenSequences scores sequences. To write some, use the model's `sample` or `write`."
        )
