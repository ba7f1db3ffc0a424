"""A normalising flow as a prior."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Flow
from keras_vae.priors.dense_network import DenseNetwork
from keras_vae.priors.dense_network import check_units
from keras_vae.priors.prior import Prior
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

MAX_LOG_SCALE = 2.0  # of each coupling layer


@keras.saving.register_keras_serializable(package="keras_vae")
class FlowPrior(Prior):
    """p(z) of z = f^-1(e), e ~ N(0, I), with f a stack of affine coupling layers (RealNVP):

        log p(z) = log N(f(z); 0, I) + log |det df/dz|      (equation 3)

    Each coupling layer leaves one half a of z unchanged, and scales and shifts the other half:
    b -> b * exp(s(a)) + t(a) (equations 4 and 5). The halves alternate. Computing the density or
    drawing samples takes a single pass. The log-scale s is bounded to (-2, 2), as 2 tanh(u / 2) of
    the network's output u. The last layers of the networks start at 0, so the flow starts as the
    identity and p(z) as N(0, I).

    Args:
        num_layers: Positive integer, the number of coupling layers. Two are needed to transform
            every dimension.
        hidden_units: Tuple of positive integers, the units of the hidden layers of each network.
        activation: String or function, the activation of every hidden layer.
        **kwargs: Keyword arguments of every Keras layer, such as `name` and `trainable`.

    Returns: `Flow` over (D,), without a batch axis; its mean and mode have no closed form.

    Raises:
        ValueError: If `num_layers` is not a positive integer, if `hidden_units` is not a tuple of
            positive integers, or if the latents are not vectors of at least two numbers.

    Example:

    ```python
    prior = FlowPrior(num_layers=4)
    prior.build((8,))
    log_density = prior().log_prob(z)  # (B, 8) -> (B,) nats
    ```

    Reference:
        - [Dinh et al., 2017](https://arxiv.org/abs/1605.08803)
    """

    distribution_class = Flow

    def __init__(
        self,
        num_layers: int = 4,
        hidden_units: Sequence[int] = (64, 64),
        activation: str | Callable[[Tensor], Tensor] = "tanh",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_layers = check_count("num_layers", num_layers)
        self.hidden_units = check_units(hidden_units)
        self.activation = keras.activations.get(activation)

    def build(self, latent_shape: Shape, condition_shape: Shape | None = None) -> None:
        if len(latent_shape) != 1 or latent_shape[0] < 2:
            raise ValueError(
                "FlowPrior couples two halves of a vector z. Expected: latents of shape (D,) with "
                f"D of at least 2. Received: {tuple(latent_shape)}. Flatten them in the encoder, "
                "or use GaussianMixture(num_components)."
            )
        super().build(latent_shape)
        self.couplings = [
            _AffineCoupling(i % 2, self.hidden_units, self.activation, name=f"coupling_{i + 1}")
            for i in range(self.num_layers)
        ]
        for coupling in self.couplings:
            coupling.build((None, *self.latent_shape))

    def call(self, condition: Tensor | None = None) -> Flow:
        base = DiagonalGaussian(ops.zeros(self.latent_shape), 0.0, batch_ndims=0)
        return Flow(base, self.to_noise, self.to_latent)

    def to_noise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Returns e = f(z), (..., D), and log |det df/dz|, (...), for z (..., D)."""
        leading = ops.shape(z)[:-1]
        e = ops.reshape(z, (-1, *self.latent_shape))
        log_det = 0.0
        for coupling in self.couplings:
            e, log_scale = coupling(e)
            log_det = log_det + ops.sum(log_scale, axis=-1)
        return ops.reshape(e, (*leading, *self.latent_shape)), ops.reshape(log_det, leading)

    def to_latent(self, e: Tensor) -> Tensor:
        """Returns z = f^-1(e), (..., D), for e (..., D)."""
        z = ops.reshape(e, (-1, *self.latent_shape))
        for coupling in reversed(self.couplings):
            z = coupling.inverse(z)
        return ops.reshape(z, (*ops.shape(e)[:-1], *self.latent_shape))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
        }


class _AffineCoupling(keras.layers.Layer):
    """A coupling layer; `moved_half` is 0 if it transforms the first half, 1 if the second."""

    def __init__(
        self,
        moved_half: int,
        hidden_units: Sequence[int],
        activation: Callable[[Tensor], Tensor],
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.moved_half = moved_half
        self.hidden_units = hidden_units
        self.activation = activation

    def build(self, input_shape: Sequence[Any]) -> None:
        self.middle = input_shape[-1] // 2
        sizes = [self.middle, input_shape[-1] - self.middle]
        moved, kept = sizes[self.moved_half], sizes[1 - self.moved_half]
        self.network = DenseNetwork(
            self.hidden_units, 2 * moved, self.activation, "zeros", name="network"
        )
        self.network.build((None, kept))

    def call(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Returns e (B, D) and the log-scales of the transformed half, for z (B, D)."""
        moved, kept = self._halves(z)
        log_scale, shift = self._scale_and_shift(kept)
        return self._joined(moved * ops.exp(log_scale) + shift, kept), log_scale

    def inverse(self, e: Tensor) -> Tensor:
        """Returns z (B, D) for e (B, D)."""
        moved, kept = self._halves(e)
        log_scale, shift = self._scale_and_shift(kept)
        return self._joined((moved - shift) * ops.exp(-log_scale), kept)

    def _scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = ops.split(self.network(kept), 2, axis=-1)
        return MAX_LOG_SCALE * ops.tanh(log_scale / MAX_LOG_SCALE), shift

    def _halves(self, z: Tensor) -> tuple[Tensor, Tensor]:
        first, second = z[:, : self.middle], z[:, self.middle :]
        return (second, first) if self.moved_half else (first, second)

    def _joined(self, moved: Tensor, kept: Tensor) -> Tensor:
        return ops.concatenate([kept, moved] if self.moved_half else [moved, kept], axis=-1)
