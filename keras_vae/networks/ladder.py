"""Residual networks from map to map, of which deep ladders of convolutions are made."""

import keras

from keras_vae.checks import check_count
from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.networks.conv import Conv
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.network import check_picture_shape
from keras_vae.networks.network import checked
from keras_vae.networks.network import halved_sizes
from keras_vae.networks.resnet import refine


def checked_maps(input_shape, output_shape, filters, **arguments):
    """Returns a network's config, from pictures or maps to others."""
    return {
        "input_shape": check_picture_shape("input_shape", input_shape),
        "output_shape": check_picture_shape("output_shape", output_shape),
        "filters": check_count("filters", filters),
        **checked(**arguments),
    }


def resizing(channels, config, **arguments):
    """Returns the convolution that goes from the size of `input_shape` to that of `output_shape`:
    of stride 2 to half of it, sub-pixel to twice it.

    Raises:
        ValueError: it is neither, nor the same size.
    """
    before, after = config["input_shape"][:2], config["output_shape"][:2]
    if after == before:
        return Conv(channels, **arguments)
    if after == halved_sizes(*before, times=1)[1]:
        return Conv(channels, strides=2, **arguments)
    if before == halved_sizes(*after, times=1)[1]:
        return SubpixelUpsampling2D(channels, target_size=after, **arguments)
    raise ValueError(
        f"`output_shape` must have the height and width of `input_shape`, {before}, or half or "
        f"twice them, got {after}. Chain one network per halving, sizes rounded up."
    )


@keras.saving.register_keras_serializable(package="keras_vae")
class LadderEncoder(Network):
    """Maps a picture or map to mean and log-variance of a latent map: one level of a ladder.

    A convolution to the size of the latent map, residual blocks, and a convolution each for mean
    and log-variance. Upwards, of a `LadderVAE`, it gives q(z_l|x) and features for the next
    encoder. Downwards it gives p(z_l|z_{l+1}) and features that go around z_l: the next decoder
    takes both, joined, so that the channels of its `input_shape` are those of z_l and `filters`.

    Args:
        input_shape: (H, W, C) of what it is given.
        output_shape: (h, w, c) of the latent map: (H, W), half of it (rounded up), or twice it (or
            one less).
        filters: channels of the features.
        num_blocks: residual blocks.
        kernel_size: size of every kernel.
        activation: name or function, after the first convolution and inside the blocks.
        name, dtype, trainable: as for every Keras layer.

    Input shape: (B, H, W, C), channels last.
    Output shape: (z_mean, z_log_var, features): twice (B, h, w, c), float32 under every policy,
        and (B, h, w, filters).

    Raises:
        ValueError: an argument that is not as above.

    Example:

    ```python
    model = LadderVAE(
        encoders=[
            LadderEncoder((28, 28, 1), (14, 14, 8), filters=64),
            LadderEncoder((14, 14, 64), (7, 7, 16), filters=64),
        ],
        decoders=[
            LadderDecoder((14, 14, 8 + 64), (28, 28, 1), filters=64),
            LadderEncoder((7, 7, 16), (14, 14, 8), filters=64),
        ],
    )
    ```

    Reference:
        He et al. 2016, "Identity mappings in deep residual networks"; Sonderby et al. 2016,
        "Ladder variational autoencoders".
    """

    def __init__(
        self,
        input_shape,
        output_shape,
        filters=64,
        num_blocks=2,
        kernel_size=3,
        activation="relu",
        name="encoder",
        dtype=None,
        trainable=True,
    ):
        config = checked_maps(
            input_shape,
            output_shape,
            filters,
            num_blocks=num_blocks,
            kernel_size=kernel_size,
            activation=activation,
        )
        same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
        head = {"kernel_size": config["kernel_size"], "dtype": "float32"}
        with keras.name_scope(name):
            inputs = keras.Input(config["input_shape"], name="x")
            x = resizing(config["filters"], config, name="conv", **same)(inputs)
            x = refine(x, 1, num_blocks, **same)
            channels = config["output_shape"][-1]
            gaussian = [Conv(channels, name=n, **head)(x) for n in ("z_mean", "z_log_var")]
        super().__init__([inputs], (*gaussian, x), config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class LadderDecoder(Decoder):
    """Maps the lowest latent map of a ladder to the parameters of p(x|z).

    A convolution, residual blocks, and a convolution to the parameters and the size of x.

    Args:
        input_shape: (h, w, c) of what it is given: z_1, and the features around it.
        output_shape: (H, W, C) of x: (h, w), half of it (rounded up), or twice it (or one less).
        filters: channels of the residual blocks.
        num_blocks: residual blocks.
        kernel_size: size of every kernel.
        activation: name or function, after the first convolution and inside the blocks.
        num_parameters: numbers the likelihood needs for each of x: 1 for Bernoulli logits, 2 for
            a mean (the first C channels) and a log-scale (the rest).
        name, dtype, trainable: as for every Keras layer.

    Input shape: (B, h, w, c), channels last.
    Output shape: (B, H, W, C * num_parameters), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above.

    Example:

    ```python
    decoder = LadderDecoder((14, 14, 72), (28, 28, 1), filters=64)
    logits = decoder(z)  # (B, 28, 28, 1)
    ```

    Reference:
        He et al. 2016, "Identity mappings in deep residual networks".
    """

    def __init__(
        self,
        input_shape,
        output_shape,
        filters=64,
        num_blocks=2,
        kernel_size=3,
        activation="relu",
        num_parameters=1,
        name="decoder",
        dtype=None,
        trainable=True,
    ):
        config = checked_maps(
            input_shape,
            output_shape,
            filters,
            num_blocks=num_blocks,
            kernel_size=kernel_size,
            activation=activation,
            num_parameters=num_parameters,
        )
        same = {"kernel_size": config["kernel_size"], "activation": activation, "dtype": dtype}
        channels = config["output_shape"][-1] * config["num_parameters"]
        end = {"kernel_size": config["kernel_size"], "use_bias": False, "dtype": "float32"}
        with keras.name_scope(name):
            inputs = keras.Input(config["input_shape"], name="z")
            x = Conv(config["filters"], name="conv", **same)(inputs)
            x = refine(x, 1, num_blocks, **same)
            x = resizing(channels, config, name="output", **end)(x)
            outputs = OutputBias(dtype="float32", name="output_bias")(x)
        super().__init__([inputs], outputs, config, name, dtype, trainable)
