"""Types of discrete codes, which map the output of an encoder to the posterior q(z|x)."""

from typing import Any
from typing import Self

import keras

from keras_vae.checks import check_count
from keras_vae.distributions.base import Distribution
from keras_vae.distributions.relaxed import OneHotCategorical
from keras_vae.distributions.relaxed import RelaxableBernoulli
from keras_vae.typing import Tensor


class Codes:
    """Base class of types of codes: `codes(logits)` returns a distribution over codes z.

    The distribution has the shape of the logits and two more methods:
    `relaxed_sample(temperature, seed)`, which returns a differentiable draw, and `nearest(z)`,
    which returns the code nearest to a relaxed one.
    """

    def __call__(self, logits: Tensor, batch_ndims: int = 1) -> Distribution:
        """Returns the distribution of the codes with these logits."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates the codes from their config."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_vae")
class CategoricalCodes(Codes):
    """N codes of C classes each, as a vector of N one-hot groups.

    Args:
        num_classes: Integer C, at least 2.

    Input shape: Logits (B, N * C); encoder and decoder need `latent_dim=N * C`.
    Returns: `OneHotCategorical` over z (B, N * C).

    Raises:
        ValueError: If `num_classes` is not an integer of at least 2, or if the size of the
            encoder's output is not a multiple of it.

    Example:

    ```python
    posterior = CategoricalCodes(10)(logits)  # (B, 200)
    indices = posterior.indices.mode  # (B, 20), integers from 0 to 9
    ```
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = check_count("num_classes", num_classes, least=2)

    def __call__(self, logits: Tensor, batch_ndims: int = 1) -> OneHotCategorical:
        return OneHotCategorical(logits, self.num_classes, batch_ndims)

    def get_config(self) -> dict[str, Any]:
        return {"num_classes": self.num_classes}


@keras.saving.register_keras_serializable(package="keras_vae")
class BinaryCodes(Codes):
    """Codes of N bits.

    Input shape: Logits (B, N), the log-odds of a 1; encoder and decoder need `latent_dim=N`.
    Returns: `RelaxableBernoulli` over z (B, N).
    """

    def __call__(self, logits: Tensor, batch_ndims: int = 1) -> RelaxableBernoulli:
        return RelaxableBernoulli(logits, batch_ndims)
