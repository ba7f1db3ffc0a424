"""The likelihood of the observed part of an example."""

from typing import Any

import keras
import numpy as np

from keras_vae.distributions import Distribution
from keras_vae.distributions import Observed
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ObservedLikelihood(Likelihood):
    """Treats NaN in x as "not observed": the likelihood, and so every bound, is of the rest.

    The encoder must accept NaN too: `ObservedValues` as its first layer replaces them and marks
    where they were. In an `IWAE` this is the bound of MIWAE.

    Args:
        likelihood: `Likelihood` of complete examples, whose elements are independent given z.

    Input shape: That of `likelihood`.
    Returns: `Observed` over (B, *S).

    Raises:
        TypeError: If `likelihood` is not a `Likelihood`.

    Example:

    ```python
    encoder = keras.Sequential([keras.Input((7,)), ObservedValues(), MLPEncoder((14,), 3)])
    likelihood = ObservedLikelihood(PerPixelGaussianLikelihood())
    model = IWAE(encoder, MLPDecoder((7,), 3, num_parameters=2), likelihood, num_samples=20)
    ```

    Reference:
        - [Mattei and Frellsen, 2019](https://arxiv.org/abs/1812.02633), section 2
    """

    allows_missing = True

    def __init__(self, likelihood: Likelihood, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(likelihood, Likelihood):
            raise TypeError(
                "`likelihood` must be a likelihood layer such as GaussianLikelihood(sigma). "
                f"Received: {likelihood!r}."
            )
        self.likelihood = likelihood
        self.num_parameters = likelihood.num_parameters
        self.is_density = likelihood.is_density
        self.spread_of_draws = likelihood.spread_of_draws
        self.value_range = likelihood.value_range

    def build(self, input_shape: Shape) -> None:
        self.likelihood.build(input_shape)

    def call(self, parameters: Tensor) -> Observed:
        return Observed(self.likelihood(parameters))

    def attach(self, data_shape: Shape) -> None:
        self.likelihood.attach(data_shape)

    def data_shape(self, parameters_shape: Shape) -> Shape:
        return self.likelihood.data_shape(parameters_shape)

    def output_for_mean(self, mean: np.ndarray) -> np.ndarray:
        return self.likelihood.output_for_mean(mean)

    def point(self, distribution: Distribution) -> Tensor:
        return self.likelihood.point(distribution.base)

    def check(self, x: np.ndarray, name: str = "x") -> None:
        if not np.isnan(x).all():
            self.likelihood.check(_filled(x), name)

    def advise(self, x: np.ndarray, name: str = "x") -> None:
        if not np.isnan(x).all():
            self.likelihood.advise(_filled(x), name)

    def is_nominal(self, data_shape: Shape) -> np.ndarray:
        return self.likelihood.is_nominal(data_shape)

    def is_ordinal(self, data_shape: Shape) -> np.ndarray:
        return self.likelihood.is_ordinal(data_shape)

    def within_range(self, x: np.ndarray) -> np.ndarray:
        return self.likelihood.within_range(x)

    def rounded(self, x: np.ndarray) -> np.ndarray:
        return self.likelihood.rounded(x)

    def get_config(self) -> dict[str, Any]:
        likelihood = keras.saving.serialize_keras_object(self.likelihood)
        return {**super().get_config(), "likelihood": likelihood}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ObservedLikelihood":
        config = dict(config)
        likelihood = keras.saving.deserialize_keras_object(config.pop("likelihood"))
        return cls(likelihood, **config)


def _filled(x):
    """Returns x with its first observed value, which is checked anyway, in the gaps."""
    is_missing = np.isnan(x)
    return np.where(is_missing, x.flat[np.argmin(is_missing)], x)
