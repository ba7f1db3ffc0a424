"""Causal transformers over tokens, as encoder and decoder."""

from typing import Any

import keras

from keras_vae.layers.last_token import LastToken
from keras_vae.layers.positions import RotaryPositions
from keras_vae.layers.token_vectors import TokenVectors
from keras_vae.layers.transformer_block import TransformerBlock
from keras_vae.networks.heads import dense_heads
from keras_vae.networks.network import Network
from keras_vae.networks.token_arguments import DECODER_CHECKS
from keras_vae.networks.token_arguments import TOKEN_CHECKS
from keras_vae.networks.token_arguments import latent_input
from keras_vae.networks.token_arguments import token_input
from keras_vae.networks.token_arguments import with_latent
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class TransformerTokenEncoder(Network, default_name="encoder", checks=TOKEN_CHECKS):
    """Maps a sequence of tokens to the mean and log-variance of q(z|x) by causal attention.

    The sequence is represented by the features at its last token, which attends to all others, so
    padding does not affect it. Positions are rotary, so T has no limit.

    Args:
        num_tokens: Int, K. Tokens are integers from 1 to K - 1; 0 is padding.
        latent_dim: Int, D, the size of z.
        width: Int, the features of a token.
        num_layers: Int, the number of blocks.
        num_heads: Int, the heads of attention of each block; `width / num_heads` must be even.
        num_outputs: Int, 2 for the mean and log-variance; 1 for a single tensor z; 3 to add the
            features.
        mean_std: Float, or `None`. Batch normalization gives each dimension of z_mean this standard
            deviation, and the mean 0, over the data. The KL is then at least D mean_std^2 / 2 nats
            on average, which prevents collapse without a schedule.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, T), integers, of any length T.
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32 under every policy.

    Raises:
        ValueError: If a size is not a positive integer, or the heads do not divide the width.

    Example:

    ```python
    encoder = TransformerTokenEncoder(num_tokens=9000, latent_dim=32, width=128)
    ```

    Reference:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), "Attention is all you need"
        - [Zhu et al., 2020](https://arxiv.org/abs/2004.12585), for `mean_std`
    """

    def __init__(
        self,
        num_tokens: int,
        latent_dim: int,
        width: int = 128,
        num_layers: int = 2,
        num_heads: int = 4,
        num_outputs: int = 2,
        mean_std: float | None = None,
        **kwargs: Any,
    ) -> None:
        x = token_input("x")
        tokens = keras.layers.Embedding(num_tokens, width, name="vectors")(x)
        features = _blocks(tokens, num_layers, num_heads)
        last = LastToken(name="last")([features, x])
        super().__init__([x], dense_heads(last, latent_dim, num_outputs, mean_std), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class TransformerTokenDecoder(Network, default_name="decoder", checks=DECODER_CHECKS):
    """Maps z and the previous tokens to the logits of the next, by causal attention.

    A projection of z is added to the embedding of every token. `start` and `step` compute the same
    logits one position at a time, from cached keys and values.

    Args:
        num_tokens: Int, K.
        latent_dim: Int, D, or `None` for a language model without a latent.
        width, num_layers, num_heads: See `TransformerTokenEncoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: [z (B, latent_dim), previous (B, T)], or `previous` alone: the token before each
        position, 0 before the first.
    Output shape: logits (B, T, K), float32 under every policy.

    Raises:
        ValueError: If a size is not a positive integer, or the heads do not divide the width.

    Example:

    ```python
    decoder = TransformerTokenDecoder(num_tokens=9000, latent_dim=32, width=128)
    logits = decoder([z, previous])
    ```

    Reference:
        - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), "Attention is all you need"
        - [Li et al., 2020](https://arxiv.org/abs/2004.04092), "Optimus", section 3.1: z added to
          the embedding of every token
    """

    def __init__(
        self,
        num_tokens: int,
        latent_dim: int | None = None,
        width: int = 128,
        num_layers: int = 2,
        num_heads: int = 4,
        **kwargs: Any,
    ) -> None:
        z, previous = latent_input(latent_dim), token_input("previous")
        vectors = TokenVectors(num_tokens, width, name="vectors")
        tokens = vectors(previous)
        if z:
            tokens = with_latent(tokens, z[0])
        features = _blocks(tokens, num_layers, num_heads)
        super().__init__([*z, previous], vectors(features, reverse=True), **kwargs)
        self.num_tokens = num_tokens

    def start(self, z: Tensor, batch_size: int, length: int) -> Any:
        """Returns the cache of `step`; see `RecurrentTokenDecoder.start`."""
        told = [] if z is None else [self.get_layer("told")(z)]
        return [block.start(batch_size, length) for block in self._stack()], told

    def step(self, cache: Any, previous: Tensor, position: Tensor) -> tuple[Tensor, Any]:
        """Returns the logits (B, K) at one position, and the cache for the next; see
        `RecurrentTokenDecoder.step`."""
        known, told = cache
        vectors, after = self.get_layer("vectors"), []
        token = sum(told, vectors(previous))
        for block, before in zip(self._stack(), known, strict=True):
            token, seen = block.step(before, token, position)
            after.append(seen)
        return vectors(self.get_layer("norm")(token), reverse=True), (after, told)

    def _stack(self):
        return [layer for layer in self.layers if isinstance(layer, TransformerBlock)]


def _blocks(tokens, num_layers, num_heads):
    """Returns the features of tokens (B, T, F) after `num_layers` causal blocks, normalised."""
    for i in range(num_layers):
        positions = RotaryPositions(name=f"positions_{i + 1}")
        tokens = TransformerBlock(num_heads, positions=positions, name=f"block_{i + 1}")(tokens)
    return keras.layers.LayerNormalization(epsilon=1e-5, name="norm")(tokens)
