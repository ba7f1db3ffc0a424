"""Encoder and decoder of dense layers, for pictures and flat vectors."""

import math

import keras
from keras.layers import Dense
from keras.layers import Flatten
from keras.layers import Reshape

from keras_vae.layers.output_bias import OutputBias
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.network import check_count
from keras_vae.networks.network import check_counts
from keras_vae.networks.network import check_shape
from keras_vae.networks.network import gaussian_heads


@keras.saving.register_keras_serializable(package="keras_vae")
class MLPEncoder(Network):
    """Maps x to the mean and log-variance of q(z|x) with dense layers.

    Args:
        input_shape: shape of one example, (H, W, C) of any sizes, or (N,).
        latent_dim: D, the size of z.
        hidden_units: units of the hidden layers, in the order of the data. () gives a linear map.
        activation: name or function, after every hidden layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: (B, *input_shape).
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32 under every policy.

    Raises:
        ValueError: an argument that is not as above.

    Example:

    ```python
    encoder = MLPEncoder((28, 28, 1), latent_dim=50, hidden_units=(200, 200), activation="tanh")
    z_mean, z_log_var = encoder(x)
    ```

    Reference:
        Kingma and Welling 2014, "Auto-encoding variational Bayes", appendix C.2.
    """

    def __init__(
        self,
        input_shape,
        latent_dim,
        hidden_units=(512, 256),
        activation="relu",
        name="encoder",
        dtype=None,
        trainable=True,
    ):
        config = {
            "input_shape": check_shape("input_shape", input_shape),
            "latent_dim": check_count("latent_dim", latent_dim),
            "hidden_units": check_counts("hidden_units", hidden_units),
            "activation": keras.activations.serialize(keras.activations.get(activation)),
        }
        with keras.name_scope(name):
            inputs = x = keras.Input(config["input_shape"], name="x")
            x = Flatten(data_format="channels_last", dtype=dtype, name="flatten")(x)
            for i, units in enumerate(config["hidden_units"], start=1):
                x = Dense(units, activation, dtype=dtype, name=f"dense_{i}")(x)
            outputs = gaussian_heads(x, config["latent_dim"])
        super().__init__(inputs, outputs, config, name, dtype, trainable)


@keras.saving.register_keras_serializable(package="keras_vae")
class MLPDecoder(Decoder):
    """Maps z to the parameters of p(x|z) with dense layers.

    Args:
        output_shape: shape of one example, (H, W, C) of any sizes, or (N,).
        latent_dim: D, the size of z.
        hidden_units: units of the hidden layers, in the order of the data. () gives a linear map.
        activation: name or function, after every hidden layer.
        num_parameters: numbers the likelihood needs for each of x: 1 for Bernoulli logits, 2 for
            a mean (the first C channels, or N numbers) and a log-scale (the rest).
        name, dtype, trainable: as for every Keras layer.

    Input shape: (B, latent_dim).
    Output shape: (B, H, W, C * num_parameters) or (B, N * num_parameters), float32.

    Raises:
        ValueError: an argument that is not as above.

    Example:

    ```python
    decoder = MLPDecoder((28, 28, 1), latent_dim=50, hidden_units=(200, 200), activation="tanh")
    logits = decoder(z)  # (B, 28, 28, 1)
    ```

    Reference:
        Kingma and Welling 2014, "Auto-encoding variational Bayes", appendix C.
    """

    def __init__(
        self,
        output_shape,
        latent_dim,
        hidden_units=(256, 512),
        activation="relu",
        num_parameters=1,
        name="decoder",
        dtype=None,
        trainable=True,
    ):
        config = {
            "output_shape": check_shape("output_shape", output_shape),
            "latent_dim": check_count("latent_dim", latent_dim),
            "hidden_units": check_counts("hidden_units", hidden_units),
            "activation": keras.activations.serialize(keras.activations.get(activation)),
            "num_parameters": check_count("num_parameters", num_parameters),
        }
        *sizes, channels = config["output_shape"]
        shape = (*sizes, channels * config["num_parameters"])
        with keras.name_scope(name):
            inputs = x = keras.Input((config["latent_dim"],), name="z")
            for i, units in enumerate(config["hidden_units"], start=1):
                x = Dense(units, activation, dtype=dtype, name=f"dense_{i}")(x)
            # No bias here: that of every decoder is `output_bias`, of the shape of the output.
            output = Dense(math.prod(shape), use_bias=False, dtype="float32", name="output")
            x = Reshape(shape, dtype="float32", name="reshape")(output(x))
            outputs = OutputBias(dtype="float32", name="output_bias")(x)
        super().__init__(inputs, outputs, config, name, dtype, trainable)
