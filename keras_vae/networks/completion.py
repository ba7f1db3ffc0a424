"""Networks that complete a picture of which some pixels are seen."""

import keras

from keras_vae.layers.seen_pixels import SeenPixels
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.mlp import flat_to_parameters
from keras_vae.networks.mlp import hidden_layers
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import check_picture_shape
from keras_vae.networks.network import checked
from keras_vae.networks.network import flatten


def seen_shape(output_shape):
    """The shape of a condition, values and mask: (H, W, C) to (H, W, 2C)."""
    *size, channels = output_shape
    return (*size, 2 * channels)


def complete(x, condition, config, activation, dtype):
    """Dense layers from x (B, N) to the logits of a picture, certain where it is seen."""
    x = hidden_layers(x, config["hidden_units"], activation, dtype)
    logits = flat_to_parameters(x, config["output_shape"])
    return SeenPixels(name="seen_pixels")([logits, condition])


@keras.saving.register_keras_serializable(package="keras_vae")
class CompletionDecoder(Decoder):
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
        ValueError: an argument that is not as above, a flat `output_shape` among them.

    Example:

    ```python
    decoder = CompletionDecoder((28, 28, 1), latent_dim=50, hidden_units=(500, 500))
    logits = decoder([z, np.concatenate([x * mask, mask], axis=-1)])  # (B, 28, 28, 1)
    ```

    Reference:
        Sohn et al. 2015, "Learning structured output representation using deep conditional
        generative models", section 5.1.
    """

    def __init__(
        self,
        output_shape,
        latent_dim,
        hidden_units=(256, 512),
        activation="relu",
        name="decoder",
        dtype=None,
        trainable=True,
    ):
        config = checked(
            output_shape=check_picture_shape("output_shape", output_shape),
            latent_dim=latent_dim,
            hidden_units=hidden_units,
            activation=activation,
        )
        with keras.name_scope(name):
            condition_shape = seen_shape(config["output_shape"])
            inputs, x = latent_inputs(config["latent_dim"], condition_shape, dtype)
            outputs = complete(x, inputs[1], config, activation, dtype)
        super().__init__(inputs, outputs, config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class CompletionNetwork(Decoder):
    """Maps a partly seen picture c to the Bernoulli logits of p(x|c): the baseline without z.

    Given c the pixels are independent, so it cannot say that a digit is a 4 or a 9 but not a mean
    of both. What a conditional model gains over it is what z is worth.

    Args:
        output_shape: (H, W, C), any sizes.
        hidden_units: units of the hidden layers, in the order of the data. () gives a linear map.
        activation: name or function, after every hidden layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: c (B, H, W, 2C): the values of the seen pixels, 0 where unseen, then the mask, 1
        where seen.
    Output shape: (B, H, W, C), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above, a flat `output_shape` among them.

    Example:

    ```python
    network = CompletionNetwork((28, 28, 1), hidden_units=(500, 500))
    logits = network(np.concatenate([x * mask, mask], axis=-1))  # (B, 28, 28, 1)
    ```

    Reference:
        Sohn et al. 2015, "Learning structured output representation using deep conditional
        generative models", section 5.1, the baseline NN.
    """

    def __init__(
        self,
        output_shape,
        hidden_units=(512, 512),
        activation="relu",
        name="completion",
        dtype=None,
        trainable=True,
    ):
        config = checked(
            output_shape=check_picture_shape("output_shape", output_shape),
            hidden_units=hidden_units,
            activation=activation,
        )
        with keras.name_scope(name):
            condition = keras.Input(seen_shape(config["output_shape"]), name="condition")
            x = flatten(condition, dtype)
            outputs = complete(x, condition, config, activation, dtype)
        super().__init__([condition], outputs, config, name, dtype, trainable)
