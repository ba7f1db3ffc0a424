"""Encoders and decoders of series of numbers, (T, C): recurrent and 1-D convolutional."""

import math
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras

from keras_vae.networks.arguments import CHECKS
from keras_vae.networks.arguments import check_shape
from keras_vae.networks.heads import dense_heads
from keras_vae.networks.heads import with_output_bias
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.token_arguments import TOKEN_CHECKS
from keras_vae.networks.token_arguments import recurrent
from keras_vae.networks.trunks import flatten
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

# Channels last whatever Keras is configured to, as saved weights depend on it.
Conv = partial(keras.layers.Conv1D, padding="same", data_format="channels_last")


def check_series_shape(argument: str, shape: Any) -> Shape:
    """Checks a shape as `check_shape` does, and that it is (T, C).

    Raises:
        ValueError: If `shape` is not a list or tuple of two positive integers.
    """
    shape = check_shape(argument, shape)
    if len(shape) == 1:
        raise ValueError(
            f"`{argument}` must be the shape of one series, (T, C). Received: {shape}. The channel "
            f"axis is missing: use {(*shape, 1)}, and x[..., None]."
        )
    if len(shape) > 2:
        raise ValueError(
            f"`{argument}` must be the shape of one series, (T, C). Received: {shape}, which has "
            f"{len(shape)} axes. Omit the batch axis."
        )
    return shape


SERIES_CHECKS = (
    TOKEN_CHECKS | CHECKS | {"input_shape": check_series_shape, "output_shape": check_series_shape}
)


@keras.saving.register_keras_serializable(package="keras_vae")
class RecurrentSeriesEncoder(Network, default_name="encoder", checks=SERIES_CHECKS):
    """Maps a series to the mean and log-variance of q(z|x), from its last recurrent state.

    Args:
        input_shape: Tuple of 2 ints, (T, C): T steps of C numbers.
        latent_dim: Int, D, the size of z.
        units: Int, the size of the state.
        cell: "gru" or "lstm".
        num_outputs: Int, see `MLPEncoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, T, C).
    Output shape: as for `MLPEncoder`.

    Raises:
        ValueError: If `input_shape` is not (T, C), a size is not a positive integer, or `cell` is
            unknown.

    Example:

    ```python
    encoder = RecurrentSeriesEncoder((100, 3), latent_dim=8)
    z_mean, z_log_var = encoder(x)
    ```

    Reference:
        - [Fabius and van Amersfoort, 2015](https://arxiv.org/abs/1412.6581), "Variational
          recurrent auto-encoders"
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        units: int = 64,
        cell: str = "gru",
        num_outputs: int = 2,
        **kwargs: Any,
    ) -> None:
        x = keras.Input(input_shape, name="x")
        states = recurrent(cell, units, "recurrent")(x)
        super().__init__([x], dense_heads(states[:, -1], latent_dim, num_outputs), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class RecurrentSeriesDecoder(Decoder, default_name="decoder", checks=SERIES_CHECKS):
    """Maps z to the parameters of p(x|z) of all steps: a recurrent layer with z as each input.

    z also sets the initial state. The steps are independent given z, so any likelihood can be used;
    the decoder does not see x.

    Args:
        output_shape: Tuple of 2 ints, (T, C).
        latent_dim, units, cell: See `RecurrentSeriesEncoder`.
        num_parameters: Int, see `MLPDecoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, latent_dim).
    Output shape: (B, T, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: As for `RecurrentSeriesEncoder`.

    Example:

    ```python
    decoder = RecurrentSeriesDecoder((100, 3), latent_dim=8)
    means = decoder(z)  # (B, 100, 3)
    ```

    Reference:
        - [Fabius and van Amersfoort, 2015](https://arxiv.org/abs/1412.6581), "Variational
          recurrent auto-encoders"
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        units: int = 64,
        cell: str = "gru",
        num_parameters: int = 1,
        **kwargs: Any,
    ) -> None:
        z = keras.Input((latent_dim,), name="z")
        num_steps, channels = output_shape
        num_states = {"gru": 1, "lstm": 2}[cell]
        start = [
            keras.layers.Dense(units, "tanh", name=f"start_{i + 1}")(z) for i in range(num_states)
        ]
        told = keras.layers.RepeatVector(num_steps, name="told")(z)
        states = recurrent(cell, units, "recurrent")(told, initial_state=start)
        output = keras.layers.Dense(
            channels * num_parameters, use_bias=False, dtype="float32", name="output"
        )
        super().__init__([z], with_output_bias(output(states)), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvSeriesEncoder(Network, default_name="encoder", checks=SERIES_CHECKS):
    """Maps a series to the mean and log-variance of q(z|x) with 1-D convolutions of stride 2.

    Each stage halves the number of steps, rounded up.

    Args:
        input_shape: Tuple of 2 ints, (T, C), of any size.
        latent_dim: Int, D, the size of z.
        filters: Tuple of ints, the channels of the stages in order.
        kernel_size: Int, the steps that a kernel covers.
        activation: String or callable, the activation of every convolution.
        num_outputs: Int, see `MLPEncoder`. The features are flattened.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, T, C).
    Output shape: as for `MLPEncoder`.

    Raises:
        ValueError: If `input_shape` is not (T, C), or a size or count is not a positive integer.

    Example:

    ```python
    encoder = ConvSeriesEncoder((100, 3), latent_dim=8)
    z_mean, z_log_var = encoder(x)
    ```
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (32, 64),
        kernel_size: int = 5,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_outputs: int = 2,
        **kwargs: Any,
    ) -> None:
        x = features = keras.Input(input_shape, name="x")
        for stage, channels in enumerate(filters, start=1):
            halve = Conv(
                channels, kernel_size, strides=2, activation=activation, name=f"conv_{stage}"
            )
            features = halve(features)
        super().__init__([x], dense_heads(flatten(features), latent_dim, num_outputs), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvSeriesDecoder(Decoder, default_name="decoder", checks=SERIES_CHECKS):
    """Maps z to the parameters of p(x|z) of all steps with 1-D sub-pixel convolutions.

    The mirror image of `ConvSeriesEncoder`: a dense layer computes the shortest series, and each
    stage doubles it, cropped to the encoder's length there: a convolution computes the channels of
    two steps from each. The last doubling gives the parameters.

    Args:
        output_shape: Tuple of 2 ints, (T, C), of any size.
        latent_dim: Int, D, the size of z.
        filters: Tuple of ints, the channels of the stages in order. The mirror image of
            `ConvSeriesEncoder(filters=(32, 64))` is `ConvSeriesDecoder(filters=(64, 32))`.
        kernel_size: Int, the steps that a kernel covers.
        activation: String or callable, the activation of every layer but the last.
        num_parameters: Int, see `MLPDecoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: z (B, latent_dim).
    Output shape: (B, T, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: If `output_shape` is not (T, C), or a size or count is not a positive integer.

    Example:

    ```python
    decoder = ConvSeriesDecoder((100, 3), latent_dim=8)
    means = decoder(z)  # (B, 100, 3)
    ```

    Reference:
        - [Shi et al., 2016](https://arxiv.org/abs/1609.05158), for sub-pixel convolutions
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (64, 32),
        kernel_size: int = 5,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        **kwargs: Any,
    ) -> None:
        z = keras.Input((latent_dim,), name="z")
        num_steps, channels = output_shape
        lengths = [-(-num_steps // 2**i) for i in range(len(filters), -1, -1)]
        shortest = (lengths[0], filters[0])
        x = keras.layers.Dense(math.prod(shortest), activation, name="dense")(z)
        x = keras.layers.Reshape(shortest, name="reshape")(x)
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        for i, (size, length) in enumerate(zip(filters[1:], lengths[1:-1], strict=True), start=1):
            x = _doubled(x, size, length, name=f"upsampling_{i}", **options)
        x = _doubled(
            x,
            channels * num_parameters,
            num_steps,
            kernel_size=kernel_size,
            use_bias=False,
            dtype="float32",
            name="output",
        )
        super().__init__([z], with_output_bias(x), **kwargs)


def _doubled(x, channels, length, name, **options):
    """Returns x (B, t, F) as (B, length, channels), where length is 2 t or 2 t - 1."""
    both = Conv(2 * channels, name=name, **options)(x)  # for steps 2 i and 2 i + 1
    return keras.layers.Reshape((2 * x.shape[1], channels), name=f"{name}_steps")(both)[:, :length]
