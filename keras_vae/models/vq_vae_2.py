"""VQ-VAE-2: vector-quantized latents on several levels."""

from typing import Any

import keras

from keras_vae.conditions import Condition
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.levels import check_networks
from keras_vae.models.base.levels import joined
from keras_vae.models.base.quantized_model import QuantizedModel
from keras_vae.models.base.quantized_model import check_quantizer
from keras_vae.models.base.term import Term
from keras_vae.quantizers import Quantized
from keras_vae.quantizers import Quantizer
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class VQVAE2(QuantizedModel):
    """`VQVAE` with codes on L levels, of which the upper ones are coarser and are found first.

    The encoders run upwards, h_1 = E_1(x), h_2 = E_2(h_1), and so on. Codes are found downwards:
    the top level quantizes h_L, and each level below quantizes h_l joined with a decoding of the
    levels above it. A lower level therefore need not repeat what the levels above already encode.

        z_L = Q_L(h_L),   u_l = D_{l+1}([z_{l+1}, u_{l+1}]),   z_l = Q_l([h_l, u_l])
        p(x|z) = D_1([z_1, u_1])

    The prior is p(z_L) p(z_{L-1}|z_L) ... p(z_1|z_2), one autoregressive model for each level.

    Args:
        encoders: List of L `keras.Model`s. `encoders[0]` maps x (B, S) to a map (B, h, w, F), and
            each further one maps the output of the level below to a smaller map, such as
            `ConvMapEncoder`.
        decoders: List of L `keras.Model`s. `decoders[0]` maps `[z_1, u_1]`, joined along the last
            axis, to the parameters of the likelihood. `decoders[l]` maps those of level l + 1 to a
            map of the size of h_l, such as `ConvMapDecoder`.
        quantizers: List of L `Quantizer`s. On the lower levels they quantize the joined channels;
            `VectorQuantizer(512, code_dim=64)` projects these to codes of fewer channels.
        likelihood: `Likelihood`. By default Bernoulli.
        priors: List of L `AutoregressiveModel`s, already trained. By default the codes are uniform
            until `fit_prior` is called.
        commitment_weight, codebook_weight, condition, seed: See `VQVAE`.

    Terms, in nats per example: those of `VQVAE`, with `kl_1` to `kl_L` = -log p(z_l|z_{l+1}) and
    the other costs summed over the levels. The logs contain these, their sum `kl`, `elbo`, and
    `usage_l` and `perplexity_l` for each level.

    Raises:
        TypeError: If a part is of the wrong type.
        ValueError: If the lists differ in length, or if the parts do not fit each other.

    Example:

    ```python
    model = VQVAE2(
        encoders=[ConvMapEncoder((32, 32, 3), 64), ConvMapEncoder((8, 8, 64), 64, (64,))],
        decoders=[ConvMapDecoder((32, 32, 3), 192), ConvMapDecoder((8, 8, 64), 64, (64,))],
        quantizers=[VectorQuantizer(512, code_dim=64), VectorQuantizer(512)],
        likelihood=LearnedSigmaGaussianLikelihood(),
    )
    model.compile(keras.optimizers.Adam(3e-4))
    model.fit(x_train, epochs=30)
    model.fit_prior(x_train, epochs=30)
    pictures = model.sample(16, seed=0)
    ```

    Reference:
        - [Razavi et al., 2019](https://arxiv.org/abs/1906.00446), algorithms 1 and 2
    """

    def __init__(
        self,
        encoders: list[keras.Model],
        decoders: list[keras.Model],
        quantizers: list[Quantizer],
        likelihood: Likelihood | None = None,
        priors: list | None = None,
        commitment_weight: Weight = 0.25,
        codebook_weight: Weight = 1.0,
        condition: Condition | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        num_levels = check_networks(encoders, decoders)
        if not isinstance(quantizers, list | tuple) or len(quantizers) != num_levels:
            raise ValueError(
                f"`quantizers` must be a list of {num_levels}, one for each level, that of the "
                f"data first. Received: {quantizers!r}."
            )
        super().__init__(
            encoders[0],
            decoders[0],
            likelihood,
            commitment_weight,
            codebook_weight,
            condition=condition,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.encoders, self.decoders = list(encoders), list(decoders)
        self.quantizers = [check_quantizer(quantizer) for quantizer in quantizers]
        self.priors = list(priors or ())

    def objective(self) -> dict[str, Term]:
        return {
            "reconstruction": Term(evaluate=1.0),
            **self.code_objective(),
            "commitment": Term(train=self.commitment_weight),
            "codebook": Term(train=self.codebook_weight),
        }

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        quantized, state = self.encode_levels(x, c, training)
        reconstruction = -self.generate(state, c, training, like=x).log_prob(x)
        return {
            "reconstruction": reconstruction,
            "commitment": sum(q.commitment for q in quantized),
            "codebook": sum(q.codebook for q in quantized),
            **self.code_terms(reconstruction, [q.indices for q in quantized], c),
        }

    def encode_levels(
        self, x: Tensor, c: Tensor = None, training: bool = False
    ) -> tuple[list[Quantized], Tensor]:
        maps = [self.encoder_outputs(x, c, training)[0]]  # h_1, ..., h_L
        for encoder in self.encoders[1:]:
            maps.append(self.output_of(encoder, maps[-1], training))
        quantized: list[Quantized] = []
        stream = self.noise.stream(training)

        def choose(level, above):
            z_e = joined(maps[level], above)
            found = self.quantizers[level](z_e, training=training, seed=stream)
            quantized.insert(0, found)
            return found.z_q

        return quantized, self._top_down(choose, training)

    def state_of(self, codes: Tensor, training: bool = False) -> Tensor:
        return self._top_down(lambda level, above: codes[level], training)

    def _top_down(self, choose, training):
        """Walks from the top level down and returns the input of the decoder of x.

        Args:
            choose: Function of the level and of the output of the level above (a list of at most
                one map), which returns z_q.
            training: Bool.
        """
        above = []
        for level in reversed(range(len(self.quantizers))):
            state = joined(choose(level, above), above)
            if level:
                above = [self.output_of(self.decoders[level], state, training)]
        return state
