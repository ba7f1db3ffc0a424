"""A discriminator of patches of pictures."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.networks.arguments import MAP_CHECKS
from keras_vae.networks.network import Network
from keras_vae.networks.trunks import Conv
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class PatchDiscriminator(Network, default_name="discriminator", checks=MAP_CHECKS):
    """Maps pictures to a map of logits, one for each patch, that the patch is of a real picture.

    Each stage is a convolution of stride 2; two convolutions of stride 1 follow. There is no batch
    normalization, which would make the logits of a picture depend on the rest of its batch.

    Args:
        input_shape: Tuple of 3 ints, (H, W, C), or (None, None, C) for pictures of any size.
        filters: Tuple of ints, the channels of the stages in order.
        kernel_size: Int, the size of every kernel.
        activation: String or callable, the activation of every convolution but the last.
        name, dtype, trainable: As for every Keras layer.

    Input shape: x (B, H, W, C), channels last.
    Output shape: (B, h, w, 1), float32 under every policy.

    Raises:
        ValueError: If `input_shape` is neither (H, W, C) nor (None, None, C), or a size or count is
            not a positive int.

    Example:

    ```python
    discriminator = PatchDiscriminator((None, None, 3))
    logits = discriminator(x)  # (B, 64, 64, 3) to (B, 8, 8, 1)
    ```

    Reference:
        - [Isola et al., 2017](https://arxiv.org/abs/1611.07004), section 3.2.2
    """

    def __init__(
        self,
        input_shape: Shape,
        filters: Sequence[int] = (64, 128, 256),
        kernel_size: int = 4,
        activation: str | Callable[[Tensor], Tensor] = "leaky_relu",
        **kwargs: Any,
    ) -> None:
        options: dict[str, Any] = {"kernel_size": kernel_size, "activation": activation}
        x = inputs = keras.Input(input_shape, name="x")
        for stage, channels in enumerate(filters, start=1):
            x = Conv(channels, strides=2, name=f"conv_{stage}", **options)(x)
        x = Conv(filters[-1], name="conv", **options)(x)
        logits = Conv(1, kernel_size=kernel_size, dtype="float32", name="logits")(x)
        super().__init__([inputs], logits, **kwargs)
