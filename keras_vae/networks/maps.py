"""Encoders and decoders between pictures and latent maps, of which quantized models are made."""

import keras

from keras_vae.networks.condition import picture_inputs
from keras_vae.networks.conv import Conv
from keras_vae.networks.conv import doubled_to_parameters
from keras_vae.networks.conv import halved
from keras_vae.networks.conv import smallest_size
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.network import check_picture_shape
from keras_vae.networks.network import checked
from keras_vae.networks.resnet import refine


def picture_to_map(config, activation, dtype, num_blocks=0):
    """Returns inputs and output of an encoder: halvings, residual blocks, and a map z."""
    same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
    inputs, x = picture_inputs(config["input_shape"], config["condition_shape"], dtype)
    x = halved(x, config["filters"], **same)
    x = refine(x, len(config["filters"]), num_blocks, **same)
    return inputs, Conv(config["latent_dim"], kernel_size=1, dtype="float32", name="z")(x)


def map_to_picture(config, activation, dtype, num_blocks=0):
    """Returns inputs and output of a decoder: a convolution, residual blocks, and doublings."""
    same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
    shape = (*smallest_size(config), config["latent_dim"])
    inputs, x = picture_inputs(shape, config["condition_shape"], dtype)
    x = Conv(config["filters"][0], name="conv", **same)(x)
    x = refine(x, 1, num_blocks, **same)
    return inputs, doubled_to_parameters(x, config, **same)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvMapEncoder(Network):
    """Maps pictures to latent maps z_e of a quantized model with convolutions of stride 2.

    Each stage halves height and width, rounded up; a linear convolution of one pixel gives z_e. It
    takes a map for a picture too: encoders can be chained.

    Args:
        input_shape: (H, W, C), any sizes.
        latent_dim: D, the channels of z_e.
        filters: channels of the stages, in the order of the data.
        kernel_size: size of every kernel but the last, which is 1.
        activation: name or function, after every convolution but the last.
        condition_shape: shape of one condition c, (N,) or (H, W, C), or `None`. A picture of the
            size of x becomes further channels of it; any other condition one, by a dense layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: x (B, H, W, C), channels last, or [x, c] with c (B, *condition_shape).
    Output shape: (B, h, w, latent_dim), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, a flat `input_shape` among them.

    Example:

    ```python
    encoder = ConvMapEncoder((28, 28, 1), latent_dim=16)
    z_e = encoder(x)  # (B, 7, 7, 16)
    ```
    """

    def __init__(
        self,
        input_shape,
        latent_dim,
        filters=(64, 128),
        kernel_size=3,
        activation="relu",
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
            condition_shape=condition_shape,
        )
        with keras.name_scope(name):
            inputs, z = picture_to_map(config, activation, dtype)
        super().__init__(inputs, z, config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetMapEncoder(Network):
    """Maps pictures to latent maps z_e of a quantized model: a `ConvMapEncoder` with residual
    blocks.

    As in the first paper, the blocks come after the last halving. They start as the identity, so a
    deep network starts as the `ConvMapEncoder` of the same filters.

    Args:
        input_shape, latent_dim, filters, kernel_size, condition_shape: as of `ConvMapEncoder`.
        num_blocks: residual blocks at the size of z_e.
        activation: name or function, after every halving and inside the blocks.
        name, dtype, trainable: as for every Keras layer.

    Input shape: x (B, H, W, C), channels last, or [x, c] with c (B, *condition_shape).
    Output shape: (B, h, w, latent_dim), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, a flat `input_shape` among them.

    Example:

    ```python
    bottom = ResNetMapEncoder((32, 32, 3), latent_dim=64)  # to (B, 8, 8, 64)
    top = ResNetMapEncoder((8, 8, 64), latent_dim=64, filters=(128,))  # to (B, 4, 4, 64)
    ```

    Reference:
        van den Oord et al. 2017, "Neural discrete representation learning", section 4.1; He et al.
        2016, "Identity mappings in deep residual networks".
    """

    def __init__(
        self,
        input_shape,
        latent_dim,
        filters=(64, 128),
        num_blocks=2,
        kernel_size=3,
        activation="relu",
        condition_shape=None,
        name="encoder",
        dtype=None,
        trainable=True,
    ):
        config = checked(
            input_shape=check_picture_shape("input_shape", input_shape),
            latent_dim=latent_dim,
            filters=filters,
            num_blocks=num_blocks,
            kernel_size=kernel_size,
            activation=activation,
            condition_shape=condition_shape,
        )
        with keras.name_scope(name):
            inputs, z = picture_to_map(config, activation, dtype, num_blocks)
        super().__init__(inputs, z, config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class ConvMapDecoder(Decoder):
    """Maps latent maps z_q of a quantized model to the parameters of p(x|z) with sub-pixel
    convolutions.

    The mirror image of `ConvMapEncoder`: after one convolution at the size of z_q each stage
    doubles it, cut to the size the encoder had there; the last doubling gives the parameters. Its
    output may be a map too, which another decoder takes.

    Args:
        output_shape: (H, W, C), any sizes.
        latent_dim: D, the channels of z_q.
        filters: channels of the stages, in the order of the data: the mirror image of
            `ConvMapEncoder(filters=(64, 128))` is `ConvMapDecoder(filters=(128, 64))`.
        kernel_size: size of every kernel.
        activation: name or function, after every layer but the last.
        num_parameters: numbers the likelihood needs for each of x: 1 for Bernoulli logits, 2 for
            a mean (the first C channels) and a log-scale (the rest).
        condition_shape: shape of one condition c, (N,) or (H, W, C), or `None`. A picture of the
            size of z_q becomes further channels of it; any other condition one, by a dense layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: z_q (B, h, w, latent_dim), or [z_q, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, a flat `output_shape` among them.

    Example:

    ```python
    decoder = ConvMapDecoder((28, 28, 1), latent_dim=16)
    logits = decoder(z_q)  # (B, 7, 7, 16) to (B, 28, 28, 1)
    ```
    """

    def __init__(
        self,
        output_shape,
        latent_dim,
        filters=(128, 64),
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
        with keras.name_scope(name):
            inputs, outputs = map_to_picture(config, activation, dtype)
        super().__init__(inputs, outputs, config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetMapDecoder(Decoder):
    """Maps latent maps z_q of a quantized model to the parameters of p(x|z): a `ConvMapDecoder`
    with residual blocks.

    As in the first paper, the blocks come before the first doubling. They start as the identity.

    Args:
        output_shape, latent_dim, filters, kernel_size, num_parameters, condition_shape: as of
            `ConvMapDecoder`.
        num_blocks: residual blocks at the size of z_q.
        activation: name or function, after the first convolution, every doubling but the last, and
            inside the blocks.
        name, dtype, trainable: as for every Keras layer.

    Input shape: z_q (B, h, w, latent_dim), or [z_q, c] with c (B, *condition_shape).
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, a flat `output_shape` among them.

    Example:

    ```python
    top = ResNetMapDecoder((8, 8, 64), latent_dim=64, filters=(128,))  # from (B, 4, 4, 64)
    bottom = ResNetMapDecoder((32, 32, 3), latent_dim=64 + 64)  # from (B, 8, 8, 128)
    ```

    Reference:
        van den Oord et al. 2017, "Neural discrete representation learning", section 4.1; He et al.
        2016, "Identity mappings in deep residual networks".
    """

    def __init__(
        self,
        output_shape,
        latent_dim,
        filters=(128, 64),
        num_blocks=2,
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
            num_blocks=num_blocks,
            kernel_size=kernel_size,
            activation=activation,
            num_parameters=num_parameters,
            condition_shape=condition_shape,
        )
        with keras.name_scope(name):
            inputs, outputs = map_to_picture(config, activation, dtype, num_blocks)
        super().__init__(inputs, outputs, config, name, dtype, trainable)
