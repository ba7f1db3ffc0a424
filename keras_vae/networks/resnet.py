"""Residual encoder and decoder for images of any size."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.networks.arguments import PICTURE_CHECKS
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.condition import picture_inputs
from keras_vae.networks.heads import dense_heads
from keras_vae.networks.heads import doubled_output
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.trunks import doublings
from keras_vae.networks.trunks import flatten
from keras_vae.networks.trunks import halvings
from keras_vae.networks.trunks import latent_to_map
from keras_vae.networks.trunks import residual_blocks
from keras_vae.networks.trunks import smallest_map
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetEncoder(Network, default_name="encoder", checks=PICTURE_CHECKS):
    """Maps images to the mean and log-variance of q(z|x): a `ConvEncoder` with residual blocks.

    Each stage halves height and width, rounded up, and then applies residual blocks. The blocks
    start as the identity, so a deep network starts as the `ConvEncoder` of the same filters.

    Args:
        input_shape, latent_dim, filters, kernel_size, num_outputs, condition_shape: See
            `ConvEncoder`.
        num_blocks: Int, the number of residual blocks in each stage.
        activation: String or callable, the activation after every halving and inside the blocks.
        name, dtype, trainable: As for every Keras layer.

    Input, output and errors: as for `ConvEncoder`.

    Example:

    ```python
    encoder = ResNetEncoder((32, 32, 3), latent_dim=128, filters=(64, 128), num_blocks=2)
    z_mean, z_log_var = encoder(x)
    ```

    Reference:
        - [He et al., 2016](https://arxiv.org/abs/1603.05027), "Identity Mappings in Deep Residual
          Networks"
    """

    def __init__(
        self,
        input_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (32, 64),
        num_blocks: int = 2,
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_outputs: int = 2,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        inputs, x = picture_inputs(input_shape, condition_shape)
        x = halvings(x, filters, refine=residual_blocks(num_blocks, **options), **options)
        super().__init__(inputs, dense_heads(flatten(x), latent_dim, num_outputs), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class ResNetDecoder(Decoder, default_name="decoder", checks=PICTURE_CHECKS):
    """Maps z to the parameters of p(x|z): a `ConvDecoder` with residual blocks.

    Each stage applies residual blocks and then doubles the map, cropped to the encoder's size
    there; the last doubling gives the output.

    Args:
        output_shape, latent_dim, filters, kernel_size, num_parameters, condition_shape: See
            `ConvDecoder`.
        num_blocks: Int, the number of residual blocks in each stage.
        activation: String or callable, the activation after every doubling and inside the blocks.
        name, dtype, trainable: As for every Keras layer.

    Input, output and errors: as for `ConvDecoder`.

    Example:

    ```python
    decoder = ResNetDecoder((32, 32, 3), latent_dim=128, filters=(128, 64), num_parameters=2)
    parameters = decoder(z)  # (B, 32, 32, 6)
    ```

    Reference: see `ResNetEncoder`.
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        filters: Sequence[int] = (64, 32),
        num_blocks: int = 2,
        kernel_size: int = 3,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        condition_shape: Shape | None = None,
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        refine = residual_blocks(num_blocks, **options)
        inputs, x = latent_inputs(latent_dim, condition_shape)
        x = latent_to_map(x, smallest_map(output_shape, filters), activation)
        x = doublings(x, filters, output_shape, refine, **options)
        outputs = doubled_output(x, output_shape, num_parameters, kernel_size)
        super().__init__(inputs, outputs, **kwargs)
