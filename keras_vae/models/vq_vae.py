"""The vector-quantized variational autoencoder."""

from typing import Any

import keras

from keras_vae.conditions import Condition
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
    """Autoencoder of a grid of discrete codes, and a prior over them, trained in two stages.

    The encoder gives z_e, a vector for each position; the quantizer replaces each by its code;
    the decoder sees codes only. The cost of one example is

        -log p(x|z_q) + codebook_weight ||sg[z_e] - e||^2 + commitment_weight ||z_e - sg[e]||^2

    (equation 3), squared distances summed over positions and dimensions, with whatever costs the
    quantizer has in place of the latter two. Then `fit_prior` trains p(codes), and `sample` draws.

    Args:
        encoder: `keras.Model` from x (B, S) to z_e (B, ..., D), such as `ConvMapEncoder`.
        decoder: `keras.Model` from z_q (B, ..., D) to the parameters of the likelihood.
        quantizer: any `Quantizer`, such as `VectorQuantizer(512)`.
        likelihood: `Likelihood`, by default Bernoulli.
        prior: `AutoregressiveModel` of the codes, already trained; by default they are uniform
            until `fit_prior`.
        commitment_weight: number or schedule, beta; 0.25 in the paper.
        codebook_weight: number or schedule, the weight of the quantizer's other cost.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`.
            One that only the prior is told belongs to the prior.
        seed: int in [0, 2**31), or `None`; gives all noise and the order of the batches.

    Terms, nats per example: `reconstruction` = -log p(x|z_q); `kl` = -log p(codes), the KL of the
    posterior, which is certain, from the prior: N log K while it is uniform; `commitment` and
    `codebook`, squared distances without weights. Logs: `loss`, these, `elbo`, and over the codes
    of the whole epoch `usage`, the part of them that occurs, and `perplexity`.

    Raises:
        TypeError: If a part is of the wrong kind.
        ValueError: If parts do not fit each other.

    Example:

    ```python
    shape = (28, 28, 1)
    model = VQVAE(ConvMapEncoder(shape, 16), ConvMapDecoder(shape, 16), VectorQuantizer(128))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, epochs=30, validation_data=x_test)
    model.fit_prior(x_train, epochs=30)
    pictures = model.sample(16, seed=0)
    ```

    Reference: van den Oord, Vinyals, Kavukcuoglu 2017, "Neural Discrete Representation Learning".
    """

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
        target = x if target is None else target
        reconstruction = -self.generate(z_q, c, training).log_prob(target)
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
        """The prior of the codes, `None` while they count as uniform."""
        return self.priors[0] if self.priors else None

    def encode_levels(
        self, x: Tensor, c: Tensor = None, training: bool = False
    ) -> tuple[list[Quantized], Tensor]:
        z_e = self.encoder_outputs(x, c, training)[0]
        quantized = self.quantizer(z_e, training=training, seed=self.noise.stream(training))
        return [quantized], quantized.z_q

    def state_of(self, codes: Tensor, training: bool = False) -> Tensor:
        return codes[0]

    def for_user(self, levels: list) -> Any:
        return levels[0]

    def from_user(self, value: Any) -> list:
        return [value]
