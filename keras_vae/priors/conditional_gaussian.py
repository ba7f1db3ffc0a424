"""A learned Gaussian prior for each condition."""

import math

import keras
from keras import ops

from keras_vae.distributions import DiagonalGaussian
from keras_vae.priors.dense_network import DenseNetwork
from keras_vae.priors.dense_network import check_units
from keras_vae.priors.prior import Prior


@keras.saving.register_keras_serializable(package="keras_vae")
class ConditionalGaussian(Prior):
    """p(z|c) = N(mean(c), diag(exp(log_var(c)))), learned with the model.

    It is the prior network p(z|x) of Sohn et al. (section 4.1), there conditioned on x to predict
    y. For one-hot labels, the linear map that `hidden_units=()` gives learns one mean and one
    log-variance for each label. It starts near N(0, I).

    Args:
        hidden_units: units of the dense layers from c to mean and log-variance; () for a linear
            map.
        activation: name or function, after every hidden layer.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Input shape: c (B, *condition_shape), of which one is a row for the dense layers.
    Returns: `DiagonalGaussian` over (B, *latent_shape).

    Raises:
        ValueError: `hidden_units` is not as above; the model, or the call, has no condition.

    Example:

    ```python
    prior = ConditionalGaussian()
    prior.build((2,), condition_shape=(10,))
    z = prior(np.eye(10)).sample(seed=0)  # (10, 2), one for each label
    ```

    Reference:
        Sohn, Lee, Yan 2015, "Learning Structured Output Representation using Deep Conditional
        Generative Models".
    """

    distribution_class = DiagonalGaussian

    def __init__(self, hidden_units=(), activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.hidden_units = check_units(hidden_units)
        self.activation = keras.activations.get(activation)

    def build(self, latent_shape, condition_shape=None):
        if condition_shape is None:
            raise ValueError(
                "ConditionalGaussian is a prior p(z|c) and needs `condition_shape`, the shape of "
                "one condition. Received: None. Give it to a conditional model; the prior of an "
                "unconditional one may be StandardNormal()."
            )
        super().build(latent_shape, condition_shape)
        self.condition_shape = tuple(condition_shape)
        self.network = DenseNetwork(
            self.hidden_units,
            2 * math.prod(self.latent_shape),
            self.activation,
            keras.initializers.RandomNormal(stddev=0.01),
            name="network",
        )
        self.network.build((None, math.prod(self.condition_shape)))

    def call(self, condition=None):
        shape = None if condition is None else tuple(condition.shape)
        if shape is None or shape[1:] != self.condition_shape:
            raise ValueError(
                f"ConditionalGaussian is a prior p(z|c). Expected: `condition` of shape "
                f"{('B', *self.condition_shape)}, one for each z. Received: "
                f"{'None' if shape is None else f'shape {shape}'}."
            )
        rows = ops.reshape(condition, (-1, math.prod(self.condition_shape)))
        mean, log_var = ops.split(self.network(rows), 2, axis=-1)  # (B, D) each
        shape = (-1, *self.latent_shape)
        return DiagonalGaussian(ops.reshape(mean, shape), ops.reshape(log_var, shape))

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
        }
