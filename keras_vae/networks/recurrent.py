"""Recurrent encoder and decoder of token sequences."""

from typing import Any

import keras
from keras import ops

from keras_vae.layers.last_token import LastToken
from keras_vae.layers.token_vectors import TokenVectors
from keras_vae.networks.heads import dense_heads
from keras_vae.networks.network import Network
from keras_vae.networks.token_arguments import DECODER_CHECKS
from keras_vae.networks.token_arguments import TOKEN_CHECKS
from keras_vae.networks.token_arguments import latent_input
from keras_vae.networks.token_arguments import recurrent
from keras_vae.networks.token_arguments import token_input
from keras_vae.networks.token_arguments import with_latent
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class RecurrentTokenEncoder(Network, default_name="encoder", checks=TOKEN_CHECKS):
    """Maps a token sequence to the mean and log-variance of q(z|x), from its last state.

    Args:
        num_tokens: Int, K. Tokens are integers from 1 to K - 1; 0 is padding.
        latent_dim: Int, D, the size of z.
        units: Int, the size of the state.
        embedding_dim: Int, the size of a token's embedding.
        cell: "gru" or "lstm".
        num_outputs: Int, 2 for the mean and log-variance; 1 for a single tensor z; 3 to add the
            state.
        mean_std: Float, or `None`. Batch normalization gives each dimension of z_mean this standard
            deviation, and the mean 0, over the data. The KL is then at least D mean_std^2 / 2 nats
            on average, which prevents collapse without a schedule.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, T), integers, of any length T.
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32 under every policy. Padding
        does not affect it.

    Raises:
        ValueError: If a size is not a positive integer, or `cell` is unknown.

    Example:

    ```python
    encoder = RecurrentTokenEncoder(num_tokens=9000, latent_dim=32, units=256)
    z_mean, z_log_var = encoder(tokens)
    ```

    Reference:
        - [Bowman et al., 2016](https://arxiv.org/abs/1511.06349), "Generating sentences from a
          continuous space", section 3
        - [Cho et al., 2014](https://arxiv.org/abs/1406.1078), for the GRU
        - [Zhu et al., 2020](https://arxiv.org/abs/2004.12585), for `mean_std`
    """

    def __init__(
        self,
        num_tokens: int,
        latent_dim: int,
        units: int = 256,
        embedding_dim: int = 128,
        cell: str = "gru",
        num_outputs: int = 2,
        mean_std: float | None = None,
        **kwargs: Any,
    ) -> None:
        x = token_input("x")
        vectors = keras.layers.Embedding(num_tokens, embedding_dim, name="vectors")(x)
        states = recurrent(cell, units, "recurrent")(vectors)
        last = LastToken(name="last")([states, x])
        super().__init__([x], dense_heads(last, latent_dim, num_outputs, mean_std), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class RecurrentTokenDecoder(Network, default_name="decoder", checks=DECODER_CHECKS):
    """Maps z and the previous tokens to the logits of the next, at all positions at once.

    z sets the initial state and is added to the embedding of every token, through separate dense
    layers. The logits are products of a projection of the state and the token embeddings, which are
    shared with the input (tied, as in Press and Wolf). `start` and `step` compute the same logits
    one position at a time.

    Args:
        num_tokens: Int, K.
        latent_dim: Int, D, or `None` for a language model without a latent.
        units, embedding_dim, cell: See `RecurrentTokenEncoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: [z (B, latent_dim), previous (B, T)], or `previous` alone: the token before each
        position, 0 before the first.
    Output shape: logits (B, T, K), float32 under every policy.

    Raises:
        ValueError: If a size is not a positive integer, or `cell` is unknown.

    Example:

    ```python
    decoder = RecurrentTokenDecoder(num_tokens=9000, latent_dim=32, units=256)
    logits = decoder([z, previous])
    ```

    Reference:
        - [Bowman et al., 2016](https://arxiv.org/abs/1511.06349), section 3
        - [Press and Wolf, 2017](https://arxiv.org/abs/1608.05859), for tied vectors
    """

    def __init__(
        self,
        num_tokens: int,
        latent_dim: int | None = None,
        units: int = 256,
        embedding_dim: int = 128,
        cell: str = "gru",
        **kwargs: Any,
    ) -> None:
        z, previous = latent_input(latent_dim), token_input("previous")
        vectors = TokenVectors(num_tokens, embedding_dim, name="vectors")
        tokens, start = vectors(previous), None
        if z:
            tokens = with_latent(tokens, z[0])
            num_states = {"gru": 1, "lstm": 2}[cell]
            start = [
                keras.layers.Dense(units, "tanh", name=f"start_{i + 1}")(z[0])
                for i in range(num_states)
            ]
        states = recurrent(cell, units, "recurrent")(tokens, initial_state=start)
        features = keras.layers.Dense(embedding_dim, name="features")(states)
        super().__init__([*z, previous], vectors(features, reverse=True), **kwargs)
        self.num_tokens = num_tokens

    def start(self, z: Tensor, batch_size: int, length: int) -> Any:
        """Returns the cache of `step` before the first position, a nested structure of tensors.

        Args:
            z: Tensor (B, D), or `None` without a latent.
            batch_size: Int, B.
            length: Int, T, the maximum number of positions.
        """
        cell = self.get_layer("recurrent").cell
        sizes = cell.state_size if isinstance(cell.state_size, list) else [cell.state_size]
        if z is None:
            return [ops.zeros((batch_size, n), cell.compute_dtype) for n in sizes], []
        told = self.get_layer("told")(z)
        return [self.get_layer(f"start_{i + 1}")(z) for i in range(len(sizes))], [told]

    def step(self, cache: Any, previous: Tensor, position: Tensor) -> tuple[Tensor, Any]:
        """Returns the logits (B, K) at one position, and the cache for the next.

        Args:
            cache: The cache returned by `start` or by the previous step.
            previous: Int32 tensor (B,), the token before this position; 0 before the first.
            position: Int or scalar int tensor.
        """
        states, told = cache
        vectors = self.get_layer("vectors")
        token = vectors(previous)
        output, states = self.get_layer("recurrent").cell(sum(told, token), states)
        features = self.get_layer("features")(output)
        return vectors(features, reverse=True), (states, told)
