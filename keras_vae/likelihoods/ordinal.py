"""The likelihood of ordered classes."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import Ordinal
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class OrdinalLikelihood(Likelihood):
    """p(x|z) = prod_i Ordinal(x_i; location m_i, thresholds t_i), for classes with an order.

    `P(x <= k) = sigmoid(t_k - m)`. The decoder returns one number for each element, and the K - 1
    thresholds of each feature (the last axis of x) are learned together with the networks.

    Args:
        num_classes: Integer K of at least 2; x holds integers from 0 to K - 1.

    Input shape: Locations (B, ..., C).
    Returns: `Ordinal` over (B, ..., C).

    Raises:
        ValueError: If `num_classes` is not an integer of at least 2.

    Reference:
        - [McCullagh, 1980](https://doi.org/10.1111/j.2517-6161.1980.tb01109.x)
    """

    is_density = False

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = check_count("num_classes", num_classes, least=2)

    def build(self, input_shape: Shape) -> None:
        self.thresholds = add_thresholds(self, input_shape[-1], self.num_classes)

    def call(self, parameters: Tensor) -> Ordinal:
        return Ordinal(parameters, rising(self.thresholds))

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        return np.zeros_like(mean)

    def point(self, distribution: Ordinal) -> Tensor:
        """Returns the median class, which, unlike the most probable one, respects the order."""
        return distribution.median

    def is_ordinal(self, data_shape: Shape) -> np.ndarray:
        return np.ones(data_shape, "bool")

    def check(self, x: np.ndarray, name: str = "x") -> None:
        refuse_outside_support(
            x,
            (x < 0) | (x >= self.num_classes) | (x != np.floor(x)),
            name,
            f"integers from 0 to {self.num_classes - 1} (Ordinal)",
            "Number the classes from 0 in their order.",
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


def add_thresholds(layer: keras.Layer, num_features: int, num_classes: int) -> Any:
    """Adds a weight (C, K - 1) to a layer, from which `rising` computes each feature's thresholds.

    Initially all classes are equally probable at location 0.
    """
    share = np.arange(1, num_classes) / num_classes
    start = np.log(share) - np.log1p(-share)
    steps = np.concatenate([start[:1], np.log(np.diff(start))])
    return layer.add_weight(
        name=f"thresholds_{num_classes}",
        shape=(num_features, num_classes - 1),
        initializer=lambda shape, dtype=None: ops.cast(np.broadcast_to(steps, shape), dtype),
        autocast=False,
    )


def rising(thresholds: Tensor) -> Tensor:
    """Returns thresholds (C, K - 1), given the first one and the logarithms of the steps."""
    thresholds = ops.convert_to_tensor(thresholds)
    # Positive steps keep the order. In float32 a sigmoid saturates well below e^15.
    steps = ops.exp(ops.clip(thresholds[:, 1:], -15.0, 15.0))
    return ops.cumsum(ops.concatenate([thresholds[:, :1], steps], axis=-1), axis=-1)
