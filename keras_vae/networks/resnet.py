"""Encoder and decoder of residual blocks, for pictures of any size."""

import keras

from keras_vae.layers.residual import ResidualBlock
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.condition import picture_inputs
from keras_vae.networks.conv import Conv
from keras_vae.networks.conv import latent_to_picture
from keras_vae.networks.conv import picture_to_parameters
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.network import check_picture_shape
from keras_vae.networks.network import checked
from keras_vae.networks.network import encoder_heads
from keras_vae.networks.network import flatten
from keras_vae.networks.network import halved_sizes


def refine(x, stage, num_blocks, **arguments):
    """`num_blocks` residual blocks as wide as x: the shape stays."""
    for i in range(1, num_blocks + 1):
        x = ResidualBlock(x.shape[-1], name=f"block_{stage}_{i}", **arguments)(x)
    return x


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetEncoder(Network):
    """Maps pictures to the mean and log-variance of q(z|x): a `ConvEncoder` with residual blocks.

    Each stage halves height and width, rounded up, and then refines at that size. The blocks start
    as the identity, so a deep network starts as the `ConvEncoder` of the same filters.

    Args:
        input_shape: (H, W, C), any sizes.
        latent_dim: D, the size of z.
        filters: channels of the stages, in the order of the data.
        num_blocks: residual blocks a stage.
        kernel_size: size of every kernel.
        activation: name or function, after every halving and inside the blocks.
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
    encoder = ResNetEncoder((32, 32, 3), latent_dim=128, filters=(64, 128), num_blocks=2)
    z_mean, z_log_var = encoder(x)
    ```

    Reference:
        He et al. 2016, "Identity mappings in deep residual networks".
    """

    def __init__(
        self,
        input_shape,
        latent_dim,
        filters=(32, 64),
        num_blocks=2,
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
            num_blocks=num_blocks,
            kernel_size=kernel_size,
            activation=activation,
            num_outputs=num_outputs,
            condition_shape=condition_shape,
        )
        same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
        with keras.name_scope(name):
            inputs, x = picture_inputs(config["input_shape"], config["condition_shape"], dtype)
            for i, channels in enumerate(config["filters"], start=1):
                x = Conv(channels, strides=2, name=f"conv_{i}", **same)(x)
                x = refine(x, i, num_blocks, **same)
            outputs = encoder_heads(flatten(x, dtype), config["latent_dim"], num_outputs)
        super().__init__(inputs, outputs, config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetDecoder(Decoder):
    """Maps z to the parameters of p(x|z): a `ConvDecoder` with residual blocks.

    Each stage refines with residual blocks and then doubles, cut to the size the encoder had there,
    the last one to the output.

    Args:
        output_shape: (H, W, C), any sizes.
        latent_dim: D, the size of z.
        filters: channels of the stages, in the order of the data: the mirror image of
            `ResNetEncoder(filters=(32, 64))` is `ResNetDecoder(filters=(64, 32))`.
        num_blocks: residual blocks a stage.
        kernel_size: size of every kernel.
        activation: name or function, after every doubling and inside the blocks.
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
    decoder = ResNetDecoder((32, 32, 3), latent_dim=128, filters=(128, 64), num_parameters=2)
    parameters = decoder(z)  # (B, 32, 32, 6)
    ```

    Reference:
        He et al. 2016, "Identity mappings in deep residual networks".
    """

    def __init__(
        self,
        output_shape,
        latent_dim,
        filters=(64, 32),
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
        *size, channels = config["output_shape"]
        size, *sizes = halved_sizes(*size, times=len(filters))
        same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
        with keras.name_scope(name):
            inputs, x = latent_inputs(config["latent_dim"], config["condition_shape"], dtype)
            x = latent_to_picture(x, (*sizes.pop(), config["filters"][0]), activation, dtype)
            x = refine(x, 1, num_blocks, **same)
            for i, width in enumerate(config["filters"][1:], start=2):
                upsampling = SubpixelUpsampling2D(
                    width, target_size=sizes.pop(), name=f"upsampling_{i - 1}", **same
                )
                x = refine(upsampling(x), i, num_blocks, **same)
            channels *= config["num_parameters"]
            outputs = picture_to_parameters(x, channels, config["kernel_size"], size)
        super().__init__(inputs, outputs, config, name, dtype, trainable)
