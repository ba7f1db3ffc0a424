"""The deterministic autoencoder, a baseline."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.encoder_decoder import EncoderDecoderModel
from keras_vae.models.base.term import Term
from keras_vae.typing import Array
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class Autoencoder(EncoderDecoderModel):
    """Deterministic autoencoder: trained on -log p(x|z) at z = encoder(x), without noise or prior.

    Args:
        encoder: `keras.Model` from x (B, S) to z (B, D). If it has several outputs, z is the first.
        decoder: `keras.Model` from z to the parameters of the likelihood.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities if its last layer is found to end in a sigmoid.
        seed: Integer, or `None`. It determines the order of the batches.
        latent_shift, latent_scale: See `EncoderDecoderModel`.

    Terms: `reconstruction` = -log p(x|z), in nats per example.

    Example:

    ```python
    model = Autoencoder(MLPEncoder((28, 28, 1), 2), MLPDecoder((28, 28, 1), 2))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x, epochs=10, validation_data=x_test)
    ```

    Reference:
        - [Hinton and Salakhutdinov, 2006](https://doi.org/10.1126/science.1127647)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        latent_shift: float | Sequence[float] = 0.0,
        latent_scale: float | Sequence[float] = 1.0,
    ):
        super().__init__(
            encoder,
            decoder,
            likelihood,
            seed=seed,
            name=name,
            dtype=dtype,
            latent_shift=latent_shift,
            latent_scale=latent_scale,
        )

    def objective(self) -> dict[str, Term]:
        return {"reconstruction": Term(evaluate=1.0)}

    def terms(
        self, x: Tensor, c: Tensor = None, training: bool = False, target: Tensor = None
    ) -> dict[str, Tensor]:
        likelihood = self.generate(self.infer(x, c, training), c, training, like=x)
        return {"reconstruction": -likelihood.log_prob(x if target is None else target)}

    def sample(
        self,
        num_samples: int,
        condition: Array = None,
        seed: int | None = None,
        from_likelihood: bool = False,
    ) -> np.ndarray:
        """Raises `NotImplementedError`: an autoencoder has no prior to sample from."""
        raise NotImplementedError(
            f"{type(self).__name__} has no prior over z, so there is nothing to sample. Use VAE."
        )
