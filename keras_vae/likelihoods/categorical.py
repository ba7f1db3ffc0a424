"""The likelihood of nominal data."""

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import Categorical
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support


@keras.saving.register_keras_serializable(package="keras_vae")
class CategoricalLikelihood(Likelihood):
    """p(x|z) = prod_i Categorical(x_i; softmax(l_i)) over integer data.

    A decoder lays out its logits in one of two ways:

    - (B, ..., num_classes), the last axis those of one element, of data (B, ...): a classifier's
      logits (B, num_classes) of labels (B,).
    - (B, ..., C * num_classes) in blocks, all logits of class 0 first, of data (B, ..., C): what
      `MLPDecoder((7,), 3, num_parameters=num_classes)` gives for vectors of 7 numbers.

    A last axis of `num_classes` can be meant both ways, where C is 1. A model that reconstructs x
    knows the number of its axes, and so decides (`attach`); elsewhere it is the first.

    Args:
        num_classes: int, K. x holds integers from 0 to K - 1.

    Attributes:
        num_parameters: int, K: the logits of each element.

    Input shape: logits, as above. Returns: `Categorical` over (B, ...) or (B, ..., C).

    Example:

    ```python
    decoder = MLPDecoder((7,), latent_dim=3, num_parameters=4)
    model = VAE(MLPEncoder((7,), latent_dim=3), decoder, CategoricalLikelihood(4))
    ```
    """

    is_density = False

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = self.num_parameters = check_count("num_classes", num_classes)
        self.num_axes = None  # of one x; known once a model of x says so

    def attach(self, data_shape):
        self.num_axes = len(data_shape)

    def call(self, parameters):
        if not self._in_blocks(parameters.shape[1:]):
            return Categorical(parameters)
        *others, size = ops.shape(parameters)
        shape = (*others, self.num_classes, size // self.num_classes)
        return Categorical(ops.moveaxis(ops.reshape(parameters, shape), -2, -1))

    def data_shape(self, parameters_shape):
        *others, size = parameters_shape
        if size % self.num_classes:
            raise ValueError(
                f"CategoricalLikelihood(num_classes={self.num_classes}) needs a decoder whose "
                f"last axis holds {self.num_classes} logits of one element, or of each element in "
                f"blocks, `num_parameters={self.num_classes}`. Received: a last axis of {size}."
            )
        in_blocks = self._in_blocks(parameters_shape)
        return (*others, size // self.num_classes) if in_blocks else tuple(others)

    def _in_blocks(self, parameters_shape):
        """Whether the last axis of decoder outputs of this shape, without the batch axis, is one
        of x too."""
        return parameters_shape[-1] != self.num_classes or len(parameters_shape) == self.num_axes

    def output_for_mean(self, mean):
        return np.zeros_like(mean)  # the mean says nothing about nominal data: all classes alike

    def point(self, distribution):
        """Returns the most probable class: classes have no order, and so no mean."""
        return distribution.mode

    def check(self, x, name="x"):
        refuse_outside_support(
            x,
            (x < 0) | (x >= self.num_classes) | (x != np.floor(x)),
            name,
            f"integers from 0 to {self.num_classes - 1} (Categorical)",
            "Grey levels must be integers here, not scaled to [0, 1].",
        )

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
