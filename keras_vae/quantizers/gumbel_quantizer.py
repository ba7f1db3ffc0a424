"""A quantizer that samples its codes, with the gradient of a relaxed sample."""

from typing import Any
from typing import Self

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import Categorical
from keras_vae.distributions import kl_divergence
from keras_vae.gradients import passing
from keras_vae.gradients import straight_through
from keras_vae.indexing import first_largest
from keras_vae.quantizers.projected_quantizer import quantized
from keras_vae.quantizers.projected_quantizer import where
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.schedules import check_temperature
from keras_vae.typing import Seed
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class GumbelQuantizer(Quantizer):
    """Samples each code from q(index|z_e) and learns through a relaxed sample.

    A dense layer computes the logits l of q from z_e. In training, with Gumbel noise g,

        index = argmax(l + g),   z_q = codebook[index]

    and the gradient of z_q, for both logits and codebook, is that of the relaxed sample

        softmax((l + g) / temperature) codebook      (equation 2, straight through)

    In evaluation there is no noise and the most probable index is taken. `codebook` is the cost
    KL(q || uniform) = ln K - H(q) in nats, summed over positions. It depends on q rather than on
    the sample, so it is the same in training and evaluation. `commitment` is 0.

    Args:
        num_embeddings: Int, K, at least 2.
        temperature: Float greater than 0, or a schedule over the updates that the model has made.
            A lower temperature makes the gradient less biased but more variable; DALL-E lowers it
            from 1 to 1/16.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Input shape: (B, ..., D).
    Output: `Quantized`, with indices (B, ...).

    Raises:
        ValueError: If `num_embeddings` is below 2 or `temperature` is not greater than 0.

    Example:

    ```python
    quantizer = GumbelQuantizer(512)
    noise = keras.random.SeedGenerator(0)
    z_q, indices, _, kl = quantizer(z_e, training=True, seed=noise)
    ```

    Reference:
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144), "Categorical reparameterization
          with Gumbel-softmax"
        - [Ramesh et al., 2021](https://arxiv.org/abs/2102.12092), "Zero-shot text-to-image
          generation" (DALL-E), section 2.1
    """

    def __init__(self, num_embeddings: int, temperature: Weight = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._num_embeddings = check_count("num_embeddings", num_embeddings, least=2)
        self.temperature = check_temperature(temperature)

    @property
    def num_embeddings(self) -> int:
        return self._num_embeddings

    def build(self, input_shape: tuple[Any, ...]) -> None:
        self.to_logits = keras.layers.Dense(self.num_embeddings, dtype="float32", name="to_logits")
        self.to_logits.build(input_shape)
        self.codebook = self.add_weight(
            name="codebook",
            shape=(self.num_embeddings, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        logits = self.to_logits(where(mask, z_e, 0.0))  # (B, ..., K)
        q = Categorical(logits, batch_ndims=len(logits.shape) - 1)  # at each position
        uniform = Categorical(ops.zeros((self.num_embeddings,)), batch_ndims=0)
        scores = q.perturbed(q.shape, seed) if training else q.log_probs
        indices = first_largest(scores)
        soft = ops.softmax(scores / self.at_this_step(self.temperature), axis=-1)
        relaxed = ops.matmul(passing(soft, share), self.codebook)
        z_q = straight_through(self._codes_of(indices), relaxed)
        no_cost = ops.zeros_like(logits[..., 0])
        return quantized(z_q, indices, no_cost, kl_divergence(q, uniform), mask)

    def embed(self, indices: Tensor) -> Tensor:
        return where(indices >= 0, self._codes_of(ops.maximum(indices, 0)), 0.0)

    def _codes_of(self, indices):
        return ops.take(self.codebook, indices, axis=0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_embeddings": self.num_embeddings,
            "temperature": keras.saving.serialize_keras_object(self.temperature),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**keras.saving.deserialize_keras_object(config))
