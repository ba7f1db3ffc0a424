"""Encoder and decoder of dense layers, for pictures and flat vectors."""

import math

import keras
from keras.layers import Dense
from keras.layers import Reshape

from keras_vae.layers.output_bias import OutputBias
from keras_vae.networks.condition import flat_inputs
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.network import Decoder
from keras_vae.networks.network import Network
from keras_vae.networks.network import checked
from keras_vae.networks.network import encoder_heads


def hidden_layers(x, hidden_units, activation, dtype):
    """Dense layers, one after the other: (B, N) to (B, hidden_units[-1])."""
    for i, units in enumerate(hidden_units, start=1):
        x = Dense(units, activation, dtype=dtype, name=f"dense_{i}")(x)
    return x


def flat_to_parameters(x, shape):
    """The end of a decoder, in float32 under every policy: (B, N) to (B, *shape)."""
    # No bias here: that of every decoder is `output_bias`, of the shape of the output.
    output = Dense(math.prod(shape), use_bias=False, dtype="float32", name="output")
    x = Reshape(shape, dtype="float32", name="reshape")(output(x))
    return OutputBias(dtype="float32", name="output_bias")(x)


@keras.saving.register_keras_serializable(package="keras_vae")
class MLPEncoder(Network):
    """Maps x to the mean and log-variance of q(z|x) with dense layers.

    Args:
        input_shape: shape of one example, (H, W, C) of any sizes, or (N,).
        latent_dim: D, the size of z.
        hidden_units: units of the hidden layers, in the order of the data. () gives a linear map.
        activation: name or function, after every hidden layer.
        num_outputs: 2 for the mean and log-variance; 1 for a single tensor z, as deterministic
            codes, classifiers (their logits) and discriminators need; 3 for the last hidden
            activations as well.
        condition_shape: shape of one condition c, (N,) or (H, W, C), or `None`. Its numbers follow
            those of x into the first dense layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: x (B, *input_shape), or [x, c] with c (B, *condition_shape).
    Output shape: (z_mean, z_log_var), each (B, latent_dim), float32 under every policy; z alone
        of the same shape; or (z_mean, z_log_var, features), features (B, F).

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
        num_outputs=2,
        condition_shape=None,
        name="encoder",
        dtype=None,
        trainable=True,
    ):
        config = checked(
            input_shape=input_shape,
            latent_dim=latent_dim,
            hidden_units=hidden_units,
            activation=activation,
            num_outputs=num_outputs,
            condition_shape=condition_shape,
        )
        with keras.name_scope(name):
            inputs, x = flat_inputs(config["input_shape"], config["condition_shape"], dtype)
            x = hidden_layers(x, config["hidden_units"], activation, dtype)
            outputs = encoder_heads(x, config["latent_dim"], num_outputs)
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
        condition_shape: shape of one condition c, (N,) or (H, W, C), or `None`. Its numbers follow
            those of z into the first layer.
        name, dtype, trainable: as for every Keras layer.

    Input shape: z (B, latent_dim), or [z, c] with c (B, *condition_shape).
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
        condition_shape=None,
        name="decoder",
        dtype=None,
        trainable=True,
    ):
        config = checked(
            output_shape=output_shape,
            latent_dim=latent_dim,
            hidden_units=hidden_units,
            activation=activation,
            num_parameters=num_parameters,
            condition_shape=condition_shape,
        )
        *sizes, channels = config["output_shape"]
        shape = (*sizes, channels * config["num_parameters"])
        with keras.name_scope(name):
            inputs, x = latent_inputs(config["latent_dim"], config["condition_shape"], dtype)
            x = hidden_layers(x, config["hidden_units"], activation, dtype)
            outputs = flat_to_parameters(x, shape)
        super().__init__(inputs, outputs, config, name, dtype, trainable)
