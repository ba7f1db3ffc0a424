"""Encoder and decoder of convolutions, for pictures of any size."""

import math
from functools import partial

import keras

from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.condition import picture_inputs
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.network import check_picture_shape
from keras_vae.networks.network import checked
from keras_vae.networks.network import encoder_heads
from keras_vae.networks.network import flatten
from keras_vae.networks.network import halved_sizes

# "same" padding, and channels last whatever Keras is configured to: saved weights depend on it.
Conv = partial(keras.layers.Conv2D, padding="same", data_format="channels_last")


def latent_to_picture(z, shape, activation, dtype):
    """The start of a decoder: (B, D) to the smallest picture (B, *shape)."""
    dense = keras.layers.Dense(math.prod(shape), activation, dtype=dtype, name="dense")
    return keras.layers.Reshape(shape, dtype=dtype, name="reshape")(dense(z))


def smallest_size(config):
    """The height and width that a decoder starts from."""
    *size, _ = config["output_shape"]
    return halved_sizes(*size, times=len(config["filters"]))[-1]


def halved(x, filters, **arguments):
    """The body of an encoder: one convolution of stride 2 a stage."""
    for i, channels in enumerate(filters, start=1):
        x = Conv(channels, strides=2, name=f"conv_{i}", **arguments)(x)
    return x


def doubled_to_parameters(x, config, **arguments):
    """The body and the end of a decoder: one doubling a stage."""
    *size, channels = config["output_shape"]
    size, *sizes, _ = halved_sizes(*size, times=len(config["filters"]))
    for i, width in enumerate(config["filters"][1:], start=1):
        x = SubpixelUpsampling2D(
            width, target_size=sizes.pop(), name=f"upsampling_{i}", **arguments
        )(x)
    channels *= config["num_parameters"]
    return picture_to_parameters(x, channels, config["kernel_size"], size)


def picture_to_parameters(x, channels, kernel_size, size):
    """The end of a decoder, in float32 under every policy: the last doubling gives the output."""
    output = SubpixelUpsampling2D(
        channels, kernel_size, size, use_bias=False, dtype="float32", name="output"
    )
    return OutputBias(dtype="float32", name="output_bias")(output(x))


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvEncoder(Network):
    """Maps pictures to the mean and log-variance of q(z|x) with convolutions of stride 2.

    Each stage halves height and width, rounded up; sizes end at 1, where further stages leave them.

    Args:
        input_shape: (H, W, C), any sizes.
        latent_dim: D, the size of z.
        filters: channels of the stages, in the order of the data.
        kernel_size: size of every kernel.
        activation: name or function, after every convolution.
        num_outputs: 2 for the mean and log-variance; 1 for a single tensor z, as deterministic
            codes, classifiers (their logits) and discriminators need; 3 for the last hidden
            activations, flattened, as well.
        condition_shape: shape of one condition c, (N,) or (H, W, C), or `None`. A picture of the
            size of x becomes further channels of it; any other condition one, by a dense layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: x (B, H, W, C), channels last, or [x, c] with c (B, *condition_shape).
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32 under every policy; z alone
        of the same shape; or (z_mean, z_log_var, features), features (B, F).

    Raises:
        ValueError: an argument that is not as above, a flat `input_shape` among them.

    Example:

    ```python
    encoder = ConvEncoder((28, 20, 1), latent_dim=16)
    z_mean, z_log_var = encoder(x)
    ```
    """

    def __init__(
        self,
        input_shape,
        latent_dim,
        filters=(32, 64),
        kernel_size=3,
        activation="relu",
        num_outputs=2,
        condition_shape=None,
        name="encoder",
        dtype=None,
        trainable=True,
    ):
        config = checked(
            input_shape=check_picture_shape("input_shape", input_shape),
            latent_dim=latent_dim,
            filters=filters,
            kernel_size=kernel_size,
            activation=activation,
            num_outputs=num_outputs,
            condition_shape=condition_shape,
        )
        same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
        with keras.name_scope(name):
            inputs, x = picture_inputs(config["input_shape"], config["condition_shape"], dtype)
            x = halved(x, config["filters"], **same)
            outputs = encoder_heads(flatten(x, dtype), config["latent_dim"], num_outputs)
        super().__init__(inputs, outputs, config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvDecoder(Decoder):
    """Maps z to the parameters of p(x|z) with sub-pixel convolutions.

    The mirror image of `ConvEncoder`: a dense layer makes the smallest picture, and each stage
    doubles it, cut to the size the encoder had there; the last doubling gives the parameters.
    Its gradients are fast on every backend (see `SubpixelUpsampling2D`).

    Args:
        output_shape: (H, W, C), any sizes.
        latent_dim: D, the size of z.
        filters: channels of the stages, in the order of the data: the mirror image of
            `ConvEncoder(filters=(32, 64))` is `ConvDecoder(filters=(64, 32))`.
        kernel_size: size of every kernel.
        activation: name or function, after every layer but the last.
        num_parameters: numbers the likelihood needs for each of x: 1 for Bernoulli logits, 2 for
            a mean (the first C channels) and a log-scale (the rest).
        condition_shape: shape of one condition c, (N,) or (H, W, C), or `None`. Its numbers follow
            those of z into the first layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: z (B, latent_dim), or [z, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, a flat `output_shape` among them.

    Example:

    ```python
    decoder = ConvDecoder((28, 20, 1), latent_dim=16)
    logits = decoder(z)  # (B, 28, 20, 1)
    ```
    """

    def __init__(
        self,
        output_shape,
        latent_dim,
        filters=(64, 32),
        kernel_size=3,
        activation="relu",
        num_parameters=1,
        condition_shape=None,
        name="decoder",
        dtype=None,
        trainable=True,
    ):
        config = checked(
            output_shape=check_picture_shape("output_shape", output_shape),
            latent_dim=latent_dim,
            filters=filters,
            kernel_size=kernel_size,
            activation=activation,
            num_parameters=num_parameters,
            condition_shape=condition_shape,
        )
        same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
        with keras.name_scope(name):
            inputs, x = latent_inputs(config["latent_dim"], config["condition_shape"], dtype)
            shape = (*smallest_size(config), config["filters"][0])
            x = latent_to_picture(x, shape, activation, dtype)
            outputs = doubled_to_parameters(x, config, **same)
        super().__init__(inputs, outputs, config, name, dtype, trainable)
