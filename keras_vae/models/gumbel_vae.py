"""Variational autoencoders with discrete codes, trained on a continuous relaxation."""

from typing import Any

import keras

from keras_vae.conditions import Condition
from keras_vae.distributions import Distribution
from keras_vae.distributions import kl_divergence
from keras_vae.distributions.codes import Codes
from keras_vae.gradients import straight_through
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.latent_variable_model import LatentVariableModel
from keras_vae.models.base.term import Term
from keras_vae.priors import Prior
from keras_vae.priors.uniform_codes import UniformCodes
from keras_vae.schedules import check_temperature
from keras_vae.schedules import check_weight
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class GumbelVAE(LatentVariableModel):
    """Variational autoencoder with discrete codes z, trained with the Gumbel-softmax relaxation:

        z = softmax((log q(z|x) + g) / temperature),   g ~ Gumbel(0, 1)      (equation 2)

    This z is differentiable, and approaches a sample of q(z|x) as the temperature falls. A lower
    temperature means less bias and more variance in the gradients.

    Only training is relaxed. As in the paper's experiments, the training loss
    `reconstruction + kl_weight * kl` combines a relaxed z with the KL of the discrete
    distributions, and is not a bound. `evaluate`, `val_*`, `log_likelihood` and `sample` use
    discrete codes, so the ELBO and the likelihoods that they report are true bounds.

    Args:
        encoder: `keras.Model` from x (B, S) to logits (B, D), such as
            `MLPEncoder(..., num_outputs=1)`. Any further outputs are ignored.
        decoder: `keras.Model` from z (B, D) to the parameters of the likelihood.
        codes: `CategoricalCodes(num_classes)`, for which z consists of D / num_classes one-hot
            groups, or `BinaryCodes()`, for which it consists of D bits.
        likelihood: `Likelihood`. By default Bernoulli.
        prior: `Prior` over z. By default `UniformCodes(codes)`. If the KL has no closed form for
            this prior, it is estimated at the sampled z; for a relaxed z the log-masses are
            interpolated.
        temperature: Number greater than 0, or schedule over the updates made so far. The paper uses
            `ExponentialAnnealing(rate)`. Evaluation does not depend on it.
        kl_weight: Number, or schedule over the updates made so far. 1 gives the ELBO.
        condition, seed: See `VAE`.

    `encode(x)` returns q(z|x), a distribution over discrete z, whose `indices` are a `Categorical`
    (B, N). `predict` and `reconstruct` decode its most probable code.

    Terms and logs: `reconstruction`, `kl` and `elbo`, as for `VAE`.

    Raises:
        ValueError: If the parts do not fit each other. Also raised by `fit` if the data are
            invalid.

    Example:

    ```python
    shape, codes = (28, 28, 1), CategoricalCodes(10)
    model = GumbelVAE(
        MLPEncoder(shape, latent_dim=200, num_outputs=1),  # 20 codes of 10 classes
        MLPDecoder(shape, latent_dim=200),
        codes,
        temperature=ExponentialAnnealing(3e-5),
    )
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, epochs=10, validation_data=x_test)
    indices = model.encode(x_test[:8]).indices.mode  # (8, 20)
    ```

    Reference:
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144)
        - [Maddison et al., 2017](https://arxiv.org/abs/1611.00712)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        codes: Tensor,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        temperature: Weight = 1.0,
        kl_weight: Weight = 1.0,
        condition: Condition | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        prior = UniformCodes(_check_codes(codes)) if prior is None else prior
        super().__init__(
            encoder, decoder, likelihood, prior, condition=condition, seed=seed, **kwargs
        )
        self.codes = _check_codes(codes)
        self.temperature = check_temperature(temperature)
        self.kl_weight = check_weight("kl_weight", kl_weight)

    def objective(self) -> dict[str, Term]:
        return {
            "reconstruction": Term(evaluate=1.0),
            "kl": Term(train=self.kl_weight, evaluate=1.0),
            "elbo": Term(train=0.0, direction="max"),
        }

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        posterior, stream = self.infer(x, c, training), self.noise.stream(training)
        z = self.relaxed(posterior, stream) if training else posterior.sample(stream)
        reconstruction = -self.generate(z, c, training, like=x).log_prob(x)
        kl = kl_divergence(posterior, self.prior_given(c), sample=z)
        return {"reconstruction": reconstruction, "kl": kl, "elbo": -(reconstruction + kl)}

    @classmethod
    def kl_is_exact(cls, prior: type | None = None) -> bool:
        return prior is None or issubclass(prior, UniformCodes)  # from one-hot codes to one-hot

    def inferred(self, outputs: list[Tensor], training: bool = False) -> Any:
        """Returns the posterior q(z|x, c), a distribution over discrete z (B, D)."""
        return self.codes(outputs[0])

    def latent_of(self, inferred: Any) -> Tensor:
        """Returns the most probable code: the mean of q(z|x) is not a code."""
        return inferred.mode

    def relaxed(self, posterior: Distribution, stream: keras.random.SeedGenerator) -> Tensor:
        """Returns the differentiable draw of q(z|x) that training decodes, (B, D)."""
        return posterior.relaxed_sample(self.at_this_step(self.temperature), stream)


@keras.saving.register_keras_serializable(package="keras_vae")
class StraightThroughGumbelVAE(GumbelVAE):
    """`GumbelVAE` whose decoder receives discrete codes in training too.

    The forward pass uses the code nearest to the relaxed sample, which is a sample of q(z|x). The
    backward pass uses the gradient of the relaxed sample: a biased gradient of the true bound.

    Args: See `GumbelVAE`.

    Reference:
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144), section 2.2
    """

    def relaxed(self, posterior: Distribution, stream: keras.random.SeedGenerator) -> Tensor:
        soft = super().relaxed(posterior, stream)
        return straight_through(posterior.nearest(soft), soft)


def _check_codes(codes):
    if not isinstance(codes, Codes):
        raise TypeError(
            "`codes` must be keras_vae.CategoricalCodes(num_classes) or keras_vae.BinaryCodes(). "
            f"Received: {codes!r}."
        )
    return codes
