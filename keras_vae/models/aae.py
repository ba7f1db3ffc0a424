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
    """Adversarial autoencoder: a discriminator, instead of a KL term, matches codes to the prior.

    The encoder is deterministic, z = encoder(x). The discriminator D learns to distinguish samples
    of p(z) from the codes of data. Encoder and decoder learn to reconstruct x, and the encoder also
    learns to make its codes pass for samples of the prior:

        encoder, decoder:  -log p(x|z) - adversarial_weight * log D(z)
        discriminator:     -log D(z') - log(1 - D(z)),   z' ~ p(z)

    Each step updates both groups of weights, each on its own loss, computed with the weights before
    the step. The encoder's adversarial loss is the non-saturating one of Goodfellow et al. (2014),
    and all losses are computed from logits. At equilibrium D = 1/2: `adversarial` is log 2,
    `discriminator` 2 log 2 and `discriminator_accuracy` 1/2.

    Args:
        encoder: `keras.Model` from x (B, S) to z (B, D). If it has several outputs, z is the first.
        decoder: `keras.Model` from z (B, D) to the parameters of the likelihood.
        discriminator: `keras.Model` from z (B, D) to one logit (B, 1), without an activation.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities if its last layer is found to end in a sigmoid.
        prior: `Prior`. By default `StandardNormal()`. It must not be trainable, because no term of
            this model could train it: freeze a prior that has weights with
            `prior.trainable = False`.
        adversarial_weight: Number, or schedule over the updates made so far. It is weighed against
            the nats of a whole picture, about 100 for MNIST. There, 10 to 20 make the codes follow
            the prior closely, while 1 leaves them too widely spread.
        seed: Integer in [0, 2**31), or `None`. Determines all noise and the order of the batches.

    Terms, in nats per example: `reconstruction` = -log p(x|z), `adversarial` = -log D(z) and
    `discriminator`. The logs contain these, `loss` (the sum over both groups) and
    `discriminator_accuracy`, the fraction of samples and codes that D classifies correctly. In
    validation `loss` is the reconstruction alone: the other terms belong to a game, in which a low
    value says nothing about the quality of the model.

    Raises:
        ValueError: If the parts do not fit each other, or if the prior is trainable.
        NotImplementedError: Raised by `log_likelihood`: there is no density q(z|x).

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

    Reference:
        - [Makhzani et al., 2016](https://arxiv.org/abs/1511.05644)
    """

    log_likelihood_is: LikelihoodKind | None = None
    encode_gives: EncodingKind | None = "point"

    compares_latents = True  # with draws of the prior, of one shape

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
            "reconstruction": -self.generate(z, c, training, like=x).log_prob(x),
            "adversarial": ops.softplus(-of_codes),
            "discriminator": ops.softplus(-of_prior) + ops.softplus(of_codes),
            "discriminator_accuracy": sum(told_apart) / 2,
        }

    def inferred(self, outputs: list[Tensor], training: bool = False) -> Any:
        """Returns the code z (B, D), the encoder's first output."""
        return outputs[0]

    def latent_of(self, inferred: Any) -> Tensor:
        return inferred

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """Raises `NotImplementedError`: without a density q(z|x), log p(x) cannot be estimated."""
        return GenerativeModel.log_likelihood(self, x, condition, num_samples, seed)

    def build_latent(self, latent_shape: Shape) -> None:
        super().build_latent(latent_shape)
        if self.prior.trainable_variables or self.prior.shares_encoder:
            raise ValueError(
                f"The prior of {type(self).__name__} must not be trainable: no term of this model "
                f"could train it. Received: {type(self.prior).__name__}, which is trainable. Use "
                "StandardNormal(), or freeze the prior with `prior.trainable = False`."
            )
        check_discriminator(self.discriminator, latent_shape)

    def _logits(self, z, training):
        """Returns log D(z) / (1 - D(z)), (B,), the logit that z is a sample of the prior."""
        return ops.cast(self.output_of(self.discriminator, z, training)[:, 0], "float32")


def check_discriminator(discriminator: keras.Model, latent_shape: Shape) -> None:
    """Raises `ValueError` if a discriminator does not map z to one logit."""
    logit_shape = discriminator(keras.KerasTensor((None, *latent_shape))).shape
    if tuple(logit_shape[1:]) != (1,):
        raise ValueError(
            "`discriminator` must map z to one logit. Expected: (B, 1) for z of shape "
            f"(B, {', '.join(map(str, latent_shape))}). Received: {tuple(logit_shape)}."
        )
