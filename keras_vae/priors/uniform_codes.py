"""The uniform prior over discrete codes."""

from typing import Any
from typing import Self

import keras
from keras import ops

from keras_vae.distributions import Codes
from keras_vae.distributions import Distribution
from keras_vae.priors.prior import Prior
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class UniformCodes(Prior):
    """p(z) = C^-N for N codes of C classes, or 2^-N for N bits, without parameters.

    Args:
        codes: `Codes`, the type of the codes: `CategoricalCodes(num_classes)` or `BinaryCodes()`.

    Example:

    ```python
    prior = UniformCodes(CategoricalCodes(10))
    prior.build((200,))
    z = prior().sample(seed=0, num_samples=16)  # (16, 200), 20 ones in each
    ```
    """

    def __init__(self, codes: Codes, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.codes = codes

    def call(self, condition: Tensor | None = None) -> Distribution:
        return self.codes(ops.zeros(self.latent_shape), batch_ndims=0)

    def get_config(self) -> dict[str, Any]:
        codes = keras.saving.serialize_keras_object(self.codes)
        return {**super().get_config(), "codes": codes}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        codes = keras.saving.deserialize_keras_object(config["codes"])
        return cls(**{**config, "codes": codes})
