"""The likelihood of nominal data."""

import keras
import numpy as np

from keras_vae.distributions import Categorical
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support


@keras.saving.register_keras_serializable(package="keras_vae")
class CategoricalLikelihood(Likelihood):
    """p(x|z) = prod_i Categorical(x_i; softmax(l_i)) over integer data.

    Args:
        num_classes: int, C. The decoder's last axis holds the C logits of each element.

    Input shape: (B, S, C) logits. Returns: `Categorical` over (B, S).
    """

    is_density = False

    def __init__(self, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def call(self, parameters):
        return Categorical(parameters)

    def data_shape(self, parameters_shape):
        if parameters_shape[-1] != self.num_classes:
            raise ValueError(
                f"CategoricalLikelihood(num_classes={self.num_classes}) needs a decoder whose "
                f"last axis holds {self.num_classes} logits; it has {parameters_shape[-1]}."
            )
        return tuple(parameters_shape[:-1])

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
