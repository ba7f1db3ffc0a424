"""The uniform prior over discrete codes."""

import keras
from keras import ops

from keras_vae.priors.prior import Prior


@keras.saving.register_keras_serializable(package="keras_vae")
class UniformCodes(Prior):
    """p(z) = C^-N for N codes of C classes, or 2^-N for N bits, without parameters.

    Args:
        codes: what the codes are: `CategoricalCodes(num_classes)` or `BinaryCodes()`.

    Example:

    ```python
    prior = UniformCodes(CategoricalCodes(10))
    prior.build((200,))
    z = prior().sample(seed=0, num_samples=16)  # (16, 200), 20 ones in each
    ```
    """

    def __init__(self, codes, **kwargs):
        super().__init__(**kwargs)
        self.codes = codes

    def call(self, condition=None):
        return self.codes(ops.zeros(self.latent_shape), batch_ndims=0)

    def get_config(self):
        codes = keras.saving.serialize_keras_object(self.codes)
        return {**super().get_config(), "codes": codes}

    @classmethod
    def from_config(cls, config):
        codes = keras.saving.deserialize_keras_object(config["codes"])
        return cls(**{**config, "codes": codes})
