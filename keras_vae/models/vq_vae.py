"""The vector-quantized variational autoencoder."""

from typing import Any

import keras

from keras_vae.conditions import Condition
from keras_vae.distributions import Distribution
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.quantized_model import QuantizedModel
from keras_vae.models.base.quantized_model import check_quantizer
from keras_vae.models.base.term import Term
from keras_vae.priors import Prior
from keras_vae.quantizers import Quantized
from keras_vae.quantizers import Quantizer
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class VQVAE(QuantizedModel):
    """Autoencoder with a grid of discrete codes and a prior over them, trained in two stages.

    The encoder returns z_e, a vector for each position. The quantizer replaces each vector by its
    code, and the decoder sees only codes. The loss of one example is

        -log p(x|z_q) + codebook_weight ||sg[z_e] - e||^2 + commitment_weight ||z_e - sg[e]||^2

    (equation 3), with squared distances summed over positions and dimensions. Other quantizers may
    replace the last two terms by their own. In the second stage `fit_prior` trains p(codes), from
    which `sample` draws.

    Args:
        encoder: `keras.Model` from x (B, S) to z_e (B, ..., D), such as `ConvMapEncoder`.
        decoder: `keras.Model` from z_q (B, ..., D) to the parameters of the likelihood.
        quantizer: `Quantizer`, such as `VectorQuantizer(512)`.
        likelihood: `Likelihood`. By default Bernoulli.
        prior: `AutoregressiveModel` of the codes, already trained. By default the codes are uniform
            until `fit_prior` is called.
        commitment_weight: Number or schedule, beta. The paper uses 0.25.
        codebook_weight: Number or schedule, the weight of the codebook term.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`. A
            condition of the prior alone is an argument of the prior.
        seed: Integer in [0, 2**31), or `None`. Determines all noise and the order of the batches.

    Terms, in nats per example: `reconstruction` = -log p(x|z_q); `kl` = -log p(codes), the KL
    between the deterministic posterior and the prior, which is N log K for a uniform prior;
    `commitment` and `codebook`, squared distances before weighting. The logs contain `loss`, these
    terms, `elbo` and, over the codes of the whole epoch, `usage`, the fraction of codes that occur,
    and `perplexity`.

    Raises:
        TypeError: If a part is of the wrong type.
        ValueError: If the parts do not fit each other.

    Example:

    ```python
    shape = (28, 28, 1)
    model = VQVAE(ConvMapEncoder(shape, 16), ConvMapDecoder(shape, 16), VectorQuantizer(128))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, epochs=30, validation_data=x_test)
    model.fit_prior(x_train, epochs=30)
    pictures = model.sample(16, seed=0)
    ```

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937)
    """

    can_tile = True

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        quantizer: Quantizer,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        commitment_weight: Weight = 0.25,
        codebook_weight: Weight = 1.0,
        condition: Condition | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            encoder,
            decoder,
            likelihood,
            commitment_weight,
            codebook_weight,
            condition=condition,
            seed=seed,
            **kwargs,
        )
        self.quantizers = [check_quantizer(quantizer)]
        self.priors = [] if prior is None else [prior]

    def objective(self) -> dict[str, Term]:
        return {
            "reconstruction": Term(evaluate=1.0),
            **self.code_objective(),
            "commitment": Term(train=self.commitment_weight),
            "codebook": Term(train=self.codebook_weight),
        }

    def terms(
        self, x: Tensor, c: Tensor = None, training: bool = False, target: Tensor = None
    ) -> dict[str, Tensor]:
        (quantized,), z_q = self.encode_levels(x, c, training)
        likelihood = self.generate(z_q, c, training, like=x)
        return self.bound(x if target is None else target, quantized, likelihood, c)

    def bound(
        self, x: Tensor, quantized: Quantized, likelihood: Distribution, c: Tensor = None
    ) -> dict[str, Tensor]:
        """Returns the terms, given the codes and p(x|z), for subclasses that also use both.

        Args:
            x: (B, S).
            quantized: `Quantized` of x.
            likelihood: p(x|z_q, c), as `generate` returns it.
            c: As `embedded` returns it.
        """
        reconstruction = -likelihood.log_prob(x)
        return {
            "reconstruction": reconstruction,
            "commitment": quantized.commitment,  # ||z_e - sg[e]||^2
            "codebook": quantized.codebook,  # ||sg[z_e] - e||^2
            **self.code_terms(reconstruction, [quantized.indices], c),
        }

    @property
    def quantizer(self) -> Quantizer:
        """The quantizer."""
        return self.quantizers[0]

    @property
    def prior(self) -> Any:
        """The prior of the codes; `None` while they are taken to be uniform."""
        return self.priors[0] if self.priors else None

    def encode_levels(
        self, x: Tensor, c: Tensor = None, training: bool = False
    ) -> tuple[list[Quantized], Tensor]:
        quantized = self.inferred(self.encoder_outputs(x, c, training), training)
        return [quantized], quantized.z_q

    def inferred(self, outputs: list[Tensor], training: bool = False) -> Any:
        return self.quantizer(outputs[0], training=training, seed=self.noise.stream(training))

    def latent_of(self, inferred: Any) -> Tensor:
        return inferred.z_q

    def state_of(self, codes: Tensor, training: bool = False) -> Tensor:
        return codes[0]

    def for_user(self, levels: list) -> Any:
        return levels[0]

    def from_user(self, value: Any) -> list:
        return [value]
