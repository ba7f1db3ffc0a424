"""Kinds of discrete codes: from what an encoder returns to the posterior q(z|x)."""

import keras

from keras_vae.checks import check_count
from keras_vae.distributions.relaxed import OneHotCategorical
from keras_vae.distributions.relaxed import RelaxableBernoulli


class Codes:
    """Base class: `codes(logits)` returns a distribution over codes z of the shape of the logits.

    It has `relaxed_sample(temperature, seed)`, a differentiable draw, and `nearest(z)`, the code
    nearest to one.
    """

    def __call__(self, logits, batch_ndims=1):
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Returns the codes of a config."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_vae")
class CategoricalCodes(Codes):
    """N codes of C classes each, as N one-hot groups of a vector.

    Args:
        num_classes: int, C, at least 2.

    Input shape: logits (B, N * C); encoders have `latent_dim=N * C`, and so have decoders.
    Output: `OneHotCategorical` over z (B, N * C).

    Raises:
        ValueError: `num_classes` is no such integer, or the encoder's output no multiple of it.

    Example:

    ```python
    posterior = CategoricalCodes(10)(logits)  # (B, 200)
    indices = posterior.indices.mode  # (B, 20), integers from 0 to 9
    ```
    """

    def __init__(self, num_classes):
        self.num_classes = check_count("num_classes", num_classes, least=2)

    def __call__(self, logits, batch_ndims=1):
        return OneHotCategorical(logits, self.num_classes, batch_ndims)

    def get_config(self):
        return {"num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="keras_vae")
class BinaryCodes(Codes):
    """N bits.

    Input shape: logits (B, N), the log-odds of a 1; encoders and decoders have `latent_dim=N`.
    Output: `RelaxableBernoulli` over z (B, N).
    """

    def __call__(self, logits, batch_ndims=1):
        return RelaxableBernoulli(logits, batch_ndims)
