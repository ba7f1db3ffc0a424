"""Likelihoods of counts."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_choice
from keras_vae.distributions import NegativeBinomial
from keras_vae.distributions import Poisson
from keras_vae.distributions import ZeroInflated
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.likelihood import refuse_outside_support
from keras_vae.likelihoods.likelihood import split_parameters
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

_SMALLEST_MEAN = 1e-3  # its logarithm is the output for a feature whose counts are all 0


class _CountLikelihood(Likelihood):
    """Base class of the likelihoods of counts: checks the data, and sets the initial output."""

    is_density = False

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(mean, _SMALLEST_MEAN))

    def rounded(self, x: np.ndarray) -> np.ndarray:
        return np.round(x)

    def check(self, x: np.ndarray, name: str = "x") -> None:
        refuse_outside_support(
            x,
            (x < 0) | (x != np.floor(x)),
            name,
            f"whole numbers of at least 0 ({type(self).__name__})",
            "Counts must be given as they were counted, neither scaled nor transformed. An "
            "exposure belongs in the decoder: see `ExposureDecoder`.",
        )


@keras.saving.register_keras_serializable(package="keras_vae")
class PoissonLikelihood(_CountLikelihood):
    """p(x|z) = prod_i Poisson(x_i; exp(l_i)), where the decoder's outputs are the log-rates l.

    Input shape: Log-rates (B, *S).
    Returns: `Poisson` over (B, *S).

    Example:

    ```python
    decoder = MLPDecoder((33,), latent_dim=8)
    model = VAE(MLPEncoder((33,), latent_dim=8), decoder, PoissonLikelihood())
    ```
    """

    def call(self, parameters: Tensor) -> Poisson:
        return Poisson(parameters)


@keras.saving.register_keras_serializable(package="keras_vae")
class ZeroInflatedPoissonLikelihood(_CountLikelihood):
    """`PoissonLikelihood` in which each count is also 0 with an extra probability of its own.

    Input shape: (B, ..., 2C), log-rates, then the logits of the extra zeros.
    Returns: `ZeroInflated` over (B, ..., C).

    Reference:
        - [Lambert, 1992](https://doi.org/10.2307/1269547)
    """

    num_parameters = 2

    def call(self, parameters: Tensor) -> ZeroInflated:
        log_rate, logits = split_parameters(parameters)
        return ZeroInflated(Poisson(log_rate), logits)


@keras.saving.register_keras_serializable(package="keras_vae")
class NegativeBinomialLikelihood(_CountLikelihood):
    """p(x|z) = prod_i NB(x_i; mean exp(l_i), inverse dispersion r_i): variance mean + mean^2 / r.

    Args:
        dispersion: "feature", if r has one value for each feature (the last axis of x), learned
            together with the networks; or "example", if the decoder returns the logarithms of r
            after those of the means.

    Attributes:
        num_parameters: Integer, 1 for "feature" and 2 for "example".

    Input shape: Log-means (B, ..., C), or (B, ..., 2C), log-means then log r.
    Returns: `NegativeBinomial` over (B, ..., C).

    Raises:
        ValueError: If `dispersion` is unknown.

    Reference:
        - [Lopez et al., 2018](https://doi.org/10.1038/s41592-018-0229-2)
    """

    def __init__(self, dispersion: str = "feature", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dispersion = check_choice("dispersion", dispersion, ("feature", "example"))
        self.num_parameters = self.num_base_parameters

    @property
    def num_base_parameters(self) -> int:
        """The decoder's outputs for the negative binomial distribution of one element."""
        return 1 if self.dispersion == "feature" else 2

    def build(self, input_shape: Shape) -> None:
        if self.dispersion == "feature":
            self.log_inverse_dispersion = self.add_weight(
                name="log_inverse_dispersion",
                shape=(input_shape[-1] // self.num_parameters,),
                initializer="zeros",
                autocast=False,
            )

    def call(self, parameters: Tensor) -> Any:
        if self.dispersion == "feature":
            log_r = ops.convert_to_tensor(self.log_inverse_dispersion)
            return NegativeBinomial(parameters, log_r)
        return NegativeBinomial(*split_parameters(parameters))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dispersion": self.dispersion}


@keras.saving.register_keras_serializable(package="keras_vae")
class ZeroInflatedNegativeBinomialLikelihood(NegativeBinomialLikelihood):
    """`NegativeBinomialLikelihood` in which each count is also 0 with its own extra probability.

    Args:
        dispersion: See `NegativeBinomialLikelihood`.

    Attributes:
        num_parameters: Integer, 2 for "feature" and 3 for "example".

    Input shape: That of `NegativeBinomialLikelihood`, then the logits of the extra zeros.
    Returns: `ZeroInflated` over (B, ..., C).

    Raises:
        ValueError: If `dispersion` is unknown.

    Reference:
        - [Lopez et al., 2018](https://doi.org/10.1038/s41592-018-0229-2)
    """

    def __init__(self, dispersion: str = "feature", **kwargs: Any) -> None:
        super().__init__(dispersion, **kwargs)
        self.num_parameters = self.num_base_parameters + 1

    def call(self, parameters: Tensor) -> ZeroInflated:
        size = parameters.shape[-1] // self.num_parameters
        logits = parameters[..., -size:]
        return ZeroInflated(super().call(parameters[..., :-size]), logits)
