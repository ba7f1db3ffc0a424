"""The likelihood of nominal data."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import Categorical
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class CategoricalLikelihood(Likelihood):
    """p(x|z) = prod_i Categorical(x_i; softmax(l_i)) over integer data.

    A decoder may lay out its logits in one of two ways:

    - (B, ..., num_classes), for data (B, ...): the last axis holds the logits of one element, as
      in a classifier's logits (B, num_classes) for labels (B,).
    - (B, ..., C * num_classes), for data (B, ..., C): the logits are in blocks, those of class 0
      first, as `MLPDecoder((7,), 3, num_parameters=num_classes)` returns them for vectors of 7
      integers.

    A last axis of `num_classes` fits both layouts, the second with C = 1. A model that reconstructs
    x knows how many axes x has, and so tells them apart (`attach`); otherwise the first is assumed.

    Args:
        num_classes: Positive integer K; x holds integers from 0 to K - 1.

    Attributes:
        num_parameters: Integer K, the number of logits of each element.

    Input shape: Logits (B, ..., K) or (B, ..., C * K).
    Returns: `Categorical` over (B, ...) or (B, ..., C).

    Raises:
        ValueError: If `num_classes` is not a positive integer, or if the last axis of the logits
            is not a multiple of it.

    Example:

    ```python
    decoder = MLPDecoder((7,), latent_dim=3, num_parameters=4)
    model = VAE(MLPEncoder((7,), latent_dim=3), decoder, CategoricalLikelihood(4))
    ```
    """

    is_density = False

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = self.num_parameters = check_count("num_classes", num_classes)
        self.num_axes: int | None = None  # of one x; set by `attach`

    def attach(self, data_shape: Shape) -> None:
        self.num_axes = len(data_shape)

    def call(self, parameters: Tensor) -> Categorical:
        if not self._in_blocks(parameters.shape[1:]):
            return Categorical(parameters)
        *others, size = ops.shape(parameters)
        shape = (*others, self.num_classes, size // self.num_classes)
        return Categorical(ops.moveaxis(ops.reshape(parameters, shape), -2, -1))

    def data_shape(self, parameters_shape: Shape) -> Shape:
        *others, size = parameters_shape
        if size % self.num_classes:
            raise ValueError(
                f"CategoricalLikelihood(num_classes={self.num_classes}) needs a decoder whose "
                f"last axis holds {self.num_classes} logits of one element, or of each element in "
                f"blocks, `num_parameters={self.num_classes}`. Received: a last axis of {size}."
            )
        in_blocks = self._in_blocks(parameters_shape)
        return (*others, size // self.num_classes) if in_blocks else tuple(others)

    def _in_blocks(self, parameters_shape: Shape) -> bool:
        """Returns whether logits of this shape (without batch axis) are in blocks."""
        return parameters_shape[-1] != self.num_classes or len(parameters_shape) == self.num_axes

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        return np.zeros_like(mean)  # a mean of nominal data has no meaning: equal probabilities

    def point(self, distribution: Categorical) -> Tensor:
        """Returns the most probable class, as classes have no order and therefore no mean."""
        return distribution.mode

    def is_nominal(self, data_shape: Shape) -> np.ndarray:
        return np.ones(data_shape, "bool")

    def check(self, x: np.ndarray, name: str = "x") -> None:
        refuse_outside_support(
            x,
            (x < 0) | (x >= self.num_classes) | (x != np.floor(x)),
            name,
            f"integers from 0 to {self.num_classes - 1} (Categorical)",
            "Grey levels must be integers here, not scaled to [0, 1].",
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
