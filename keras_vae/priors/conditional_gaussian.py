"""A learned Gaussian prior for each condition."""

import math
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_vae.distributions import DiagonalGaussian
from keras_vae.priors.dense_network import DenseNetwork
from keras_vae.priors.dense_network import check_units
from keras_vae.priors.prior import Prior
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ConditionalGaussian(Prior):
    """p(z|c) = N(mean(c), diag(exp(log_var(c)))), learned with the model.

    It is the prior network p(z|x) of Sohn et al. (section 4.1), who condition on x to predict y.
    It starts near N(0, I). With `hidden_units=()` and one-hot labels, the linear map learns one
    mean and one log-variance for each label.

    Args:
        hidden_units: Tuple of positive integers, the units of the hidden layers of the network
            from c to mean and log-variance; () for a linear map.
        activation: String or function, the activation of every hidden layer.
        **kwargs: Keyword arguments of every Keras layer, such as `name` and `trainable`.

    Input shape: c (B, *condition_shape), each flattened for the dense layers.
    Returns: `DiagonalGaussian` over (B, *latent_shape).

    Raises:
        ValueError: If `hidden_units` is not a tuple of positive integers, if the model is not
            conditional, or if the call receives no condition or one of another shape.

    Example:

    ```python
    prior = ConditionalGaussian()
    prior.build((2,), condition_shape=(10,))
    z = prior(np.eye(10)).sample(seed=0)  # (10, 2), one for each label
    ```

    Reference:
        - [Sohn et al., 2015](https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html)
    """

    distribution_class = DiagonalGaussian

    def __init__(
        self,
        hidden_units: Sequence[int] = (),
        activation: str | Callable[[Tensor], Tensor] = "tanh",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden_units = check_units(hidden_units)
        self.activation = keras.activations.get(activation)

    def build(self, latent_shape: Shape, condition_shape: Shape | None = None) -> None:
        if condition_shape is None:
            raise ValueError(
                "ConditionalGaussian is a prior p(z|c) and needs `condition_shape`, the shape of "
                "one condition. Received: None. Use it in a conditional model; an unconditional "
                "model can use StandardNormal()."
            )
        super().build(latent_shape, condition_shape)
        self.condition_shape = tuple(condition_shape)
        # Small weights, so that the prior starts near N(0, I).
        self.network = DenseNetwork(
            self.hidden_units,
            2 * math.prod(self.latent_shape),
            self.activation,
            keras.initializers.RandomNormal(stddev=0.01),
            name="network",
        )
        self.network.build((None, math.prod(self.condition_shape)))

    def call(self, condition: Tensor | None = None) -> DiagonalGaussian:
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

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
        }
