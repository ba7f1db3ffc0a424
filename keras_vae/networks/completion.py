"""Networks that complete a partly seen image."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.layers.seen_pixels import SeenPixels
from keras_vae.networks.arguments import PICTURE_CHECKS
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.heads import dense_output
from keras_vae.networks.network import Decoder
from keras_vae.networks.trunks import dense_layers
from keras_vae.networks.trunks import flatten
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


def seen_shape(output_shape: Shape) -> Shape:
    """Returns the shape of a condition, pixels and mask: (H, W, C) becomes (H, W, 2C)."""
    *size, channels = output_shape
    return (*size, 2 * channels)


def completed(x: Tensor, condition: Tensor, output_shape: Shape) -> Tensor:
    """Returns the logits of an image from x (B, N), certain where the condition shows it."""
    return SeenPixels(name="seen_pixels")([dense_output(x, output_shape), condition])


@keras.saving.register_keras_serializable(package="keras_vae")
class CompletionDecoder(Decoder, default_name="decoder", checks=PICTURE_CHECKS):
    """Maps z and a partly seen image c to the Bernoulli logits of p(x|z, c): an `MLPDecoder`.

    Its output is certain at the seen pixels (see `SeenPixels`), so the likelihood of x is that of
    the unseen ones.

    Args:
        output_shape: Tuple of 3 ints, (H, W, C), of any size.
        latent_dim: Int, D, the size of z.
        hidden_units: Tuple of ints, the units of the hidden layers in order. () gives a linear map.
        activation: String or callable, the activation of every hidden layer.
        name, dtype, trainable: As for every Keras layer.

    Input shape: [z, c], with z (B, latent_dim) and c (B, H, W, 2C): the pixels, 0 where unseen,
        then the mask, 1 where seen.
    Output shape: (B, H, W, C), float32 under every policy.

    Raises:
        ValueError: If `output_shape` is not (H, W, C), or a size or count is not a positive int.

    Example:

    ```python
    decoder = CompletionDecoder((28, 28, 1), latent_dim=50, hidden_units=(500, 500))
    logits = decoder([z, np.concatenate([x * mask, mask], axis=-1)])  # (B, 28, 28, 1)
    ```

    Reference:
        - [Sohn et al., 2015](https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html),
          section 5.1
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        hidden_units: Sequence[int] = (256, 512),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        **kwargs: Any,
    ) -> None:
        inputs, x = latent_inputs(latent_dim, seen_shape(output_shape))
        x = dense_layers(x, hidden_units, activation)
        super().__init__(inputs, completed(x, inputs[1], output_shape), **kwargs)


@keras.saving.register_keras_serializable(package="keras_vae")
class CompletionNetwork(Decoder, default_name="completion", checks=PICTURE_CHECKS):
    """Maps a partly seen image c to the Bernoulli logits of p(x|c): the baseline without z.

    Given c its pixels are independent, so it cannot express that a digit is either a 4 or a 9 but
    not their mean. The gain of a conditional model over it measures the value of z.

    Args:
        output_shape, hidden_units, activation: See `CompletionDecoder`.
        name, dtype, trainable: As for every Keras layer.

    Input shape: c (B, H, W, 2C), see `CompletionDecoder`.
    Output shape: (B, H, W, C), float32 under every policy.

    Raises:
        ValueError: If `output_shape` is not (H, W, C), or a size or count is not a positive int.

    Example:

    ```python
    network = CompletionNetwork((28, 28, 1), hidden_units=(500, 500))
    logits = network(np.concatenate([x * mask, mask], axis=-1))  # (B, 28, 28, 1)
    ```

    Reference:
        - [Sohn et al., 2015](https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html),
          section 5.1, the baseline NN
    """

    def __init__(
        self,
        output_shape: Shape,
        hidden_units: Sequence[int] = (512, 512),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        **kwargs: Any,
    ) -> None:
        condition = keras.Input(seen_shape(output_shape), name="condition")
        x = dense_layers(flatten(condition), hidden_units, activation)
        super().__init__([condition], completed(x, condition, output_shape), **kwargs)
