"""The adversarial autoencoder."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.generative_model import EncodingKind
from keras_vae.models.base.generative_model import GenerativeModel
from keras_vae.models.base.generative_model import LikelihoodKind
from keras_vae.models.base.latent_variable_model import LatentVariableModel
from keras_vae.models.base.term import Term
from keras_vae.priors import Prior
from keras_vae.schedules import check_weight
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class AAE(LatentVariableModel):
    """Adversarial autoencoder: a discriminator, in place of a KL term, draws codes to the prior.

    The encoder is deterministic, z = encoder(x). The discriminator D is shown draws of p(z) and
    codes of data, and learns to tell them apart; encoder and decoder learn to reconstruct x and,
    the encoder, to be taken for the prior:

        encoder, decoder:  -log p(x|z) - adversarial_weight * log D(z)
        discriminator:     -log D(z') - log(1 - D(z)),   z' ~ p(z)

    In each step both groups of weights descend their own cost, at the weights before the step.
    The encoder's is the non-saturating one of Goodfellow et al. 2014, and everything is computed
    from logits. Where the game is even, D = 1/2: `adversarial` is log 2, `discriminator` 2 log 2
    and `discriminator_accuracy` 1/2.

    Args:
        encoder: `keras.Model` from x (B, S) to z (B, D). Of several outputs the first is z.
        decoder: `keras.Model` from z (B, D) to the parameters of the likelihood.
        discriminator: `keras.Model` from z (B, D) to one logit (B, 1), without an activation.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities where its last layer is seen to end in a sigmoid.
        prior: `Prior`, by default `StandardNormal()`. It must not learn, as no cost here could
            teach it: freeze one with weights, `prior.trainable = False`.
        adversarial_weight: number, or schedule of the updates made. It stands against the nats of
            a whole picture, about 100 for MNIST, where 10 to 20 make codes follow the prior
            closely and 1 leaves them too wide.
        seed: int in [0, 2**31), or `None`; gives all noise and the order of the batches.

    Terms, nats per example: `reconstruction` = -log p(x|z), `adversarial` = -log D(z),
    `discriminator`. Logs: these, `loss` (of both groups together) and `discriminator_accuracy`,
    the part of draws and codes that D tells apart. Validation reports the reconstruction as its
    `loss`: the other terms are costs in a game, and low ones are no merit.

    Raises:
        ValueError: If parts do not fit each other, or the prior learns.
        NotImplementedError: From `log_likelihood`: there is no density of z given x.

    Example:

    ```python
    shape, latent_dim = (28, 28, 1), 8
    model = AAE(
        MLPEncoder(shape, latent_dim, num_outputs=1),
        MLPDecoder(shape, latent_dim),
        discriminator=MLPEncoder((latent_dim,), 1, num_outputs=1, name="discriminator"),
    )
    decaying = keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=50 * 600)
    model.compile(keras.optimizers.Adam(decaying, beta_1=0.5))  # momentum unsettles the game
    model.fit(x_train, batch_size=100, epochs=50, validation_data=x_test)
    pictures = model.sample(16, seed=0)
    ```

    Reference: Makhzani, Shlens, Jaitly, Goodfellow, Frey 2016, "Adversarial Autoencoders".
    """

    log_likelihood_is: LikelihoodKind | None = None
    encode_gives: EncodingKind | None = "point"

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        adversarial_weight: Weight = 10.0,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(encoder, decoder, likelihood, prior, seed=seed, name=name, dtype=dtype)
        self.discriminator = discriminator
        self.adversarial_weight = check_weight("adversarial_weight", adversarial_weight)

    def objective(self) -> dict[str, Term]:
        return {
            "reconstruction": Term(evaluate=1.0),
            "adversarial": Term(train=self.adversarial_weight),
            "discriminator": Term(group="discriminator"),
            "discriminator_accuracy": Term(train=0.0),
        }

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        z = self.infer(x, c, training)
        drawn = self.prior_given().sample(self.noise.stream(training), num_samples=ops.shape(x)[0])
        of_codes, of_prior = self._logits(z, training), self._logits(drawn, training)  # (B,) each
        told_apart = [ops.cast(right, "float32") for right in (of_codes <= 0, of_prior > 0)]
        return {
            "reconstruction": -self.generate(z, c, training).log_prob(x),
            "adversarial": ops.softplus(-of_codes),
            "discriminator": ops.softplus(-of_prior) + ops.softplus(of_codes),
            "discriminator_accuracy": sum(told_apart) / 2,
        }

    def infer(self, x: Tensor, c: Tensor = None, training: bool = False) -> Any:
        """Returns the code z (B, D) of x (B, S)."""
        return self.encoder_outputs(x, c, training)[0]

    def latent_mean(self, x: Tensor, c: Tensor = None, training: bool = False) -> Tensor:
        return self.infer(x, c, training)

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """There is no density of z given x to estimate log p(x) with."""
        return GenerativeModel.log_likelihood(self, x, condition, num_samples, seed)

    def build_latent(self, latent_shape: Shape) -> None:
        super().build_latent(latent_shape)
        if self.prior.trainable_variables or self.prior.shares_encoder:
            raise ValueError(
                f"The prior of {type(self).__name__} must not learn: it is what codes are drawn "
                f"to. Received: {type(self.prior).__name__}, which does. Use "
                "StandardNormal(), or a mixture frozen with `prior.trainable = False`."
            )
        check_discriminator(self.discriminator, latent_shape)

    def _logits(self, z, training):
        """Returns log D(z) / (1 - D(z)), (B,): how far z is taken for a draw of the prior."""
        return ops.cast(self.discriminator(z, training=training)[:, 0], "float32")


def check_discriminator(discriminator: keras.Model, latent_shape: Shape) -> None:
    """Raises `ValueError` where a discriminator does not map z to one logit."""
    logit_shape = discriminator(keras.KerasTensor((None, *latent_shape))).shape
    if tuple(logit_shape[1:]) != (1,):
        raise ValueError(
            "`discriminator` must map z to one logit. Expected: (B, 1) for z of shape "
            f"(B, {', '.join(map(str, latent_shape))}). Received: {tuple(logit_shape)}."
        )
