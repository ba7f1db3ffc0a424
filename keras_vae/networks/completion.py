"""Networks that complete a picture of which some pixels are seen."""

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
    """The shape of a condition, values and mask: (H, W, C) to (H, W, 2C)."""
    *size, channels = output_shape
    return (*size, 2 * channels)


def completed(x: Tensor, condition: Tensor, output_shape: Shape) -> Tensor:
    """The head: from x (B, N) to the logits of a picture, certain where the condition shows it."""
    return SeenPixels(name="seen_pixels")([dense_output(x, output_shape), condition])


@keras.saving.register_keras_serializable(package="keras_vae")
class CompletionDecoder(Decoder, default_name="decoder", checks=PICTURE_CHECKS):
    """Maps z and a partly seen picture c to the Bernoulli logits of p(x|z, c): an `MLPDecoder`.

    It is certain of the seen pixels (`SeenPixels`): the likelihood of x is that of the unseen ones.

    Args:
        output_shape: (H, W, C), any sizes.
        latent_dim: D, the size of z.
        hidden_units: units of the hidden layers, in the order of the data. () gives a linear map.
        activation: name or function, after every hidden layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: [z, c], z (B, latent_dim) and c (B, H, W, 2C): the values of the seen pixels, 0
        where unseen, then the mask, 1 where seen.
    Output shape: (B, H, W, C), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, an `output_shape` without channels among them.

    Example:

    ```python
    decoder = CompletionDecoder((28, 28, 1), latent_dim=50, hidden_units=(500, 500))
    logits = decoder([z, np.concatenate([x * mask, mask], axis=-1)])  # (B, 28, 28, 1)
    ```

    Reference: Sohn, Lee, Yan 2015, "Learning Structured Output Representation using Deep
    Conditional Generative Models", section 5.1.
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
    """Maps a partly seen picture c to the Bernoulli logits of p(x|c): the baseline without z.

    Given c the pixels are independent, so it cannot say that a digit is a 4 or a 9 but not a mean
    of both. What a conditional model gains over it is what z is worth.

    Args:
        output_shape, hidden_units, activation: as of `CompletionDecoder`, and so are errors.
        name, dtype, trainable: as for every Keras layer.

    Input shape: c (B, H, W, 2C), as of `CompletionDecoder`.
    Output shape: (B, H, W, C), float32 under every policy.

    Example:

    ```python
    network = CompletionNetwork((28, 28, 1), hidden_units=(500, 500))
    logits = network(np.concatenate([x * mask, mask], axis=-1))  # (B, 28, 28, 1)
    ```

    Reference: Sohn, Lee, Yan 2015, "Learning Structured Output Representation using Deep
    Conditional Generative Models", section 5.1, the baseline NN.
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
