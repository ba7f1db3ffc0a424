"""Lookup-free quantization: a code is the signs of a few channels."""

from typing import Any

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.checks import is_number
from keras_vae.gradients import passing
from keras_vae.gradients import straight_through
from keras_vae.quantizers.finite_scalar_quantizer import digits_of
from keras_vae.quantizers.finite_scalar_quantizer import indices_of
from keras_vae.quantizers.projected_quantizer import ProjectedQuantizer
from keras_vae.quantizers.projected_quantizer import quantized
from keras_vae.quantizers.projected_quantizer import where
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import rows_of
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class LookupFreeQuantizer(ProjectedQuantizer):
    """Takes the signs of b channels: 2^b codes of -1 and 1, without a lookup table.

        z_q = sign(z),   index = sum_i 2^(i - 1) [z_i > 0]

    The gradient is straight-through, and `commitment` is |z - z_q|^2. `codebook` is the entropy
    cost, which makes each position certain of one code and the batch use all codes:

        codebook = sum over positions of H(q) - diversity_weight H(mean of q over the batch)

    in nats, with q the soft assignment of each bit, q(1) = sigmoid(4 z_i / temperature), whose
    log-odds are the difference of the squared distances from -1 and 1. The cost may be negative;
    its minimum with `diversity_weight=1`, -b ln 2 per position, is reached where every position is
    certain and every bit is balanced. The bits of a position are independent under q, so H(q) is a
    sum over bits. The entropy of the mean is summed over bits as well: an upper bound, blind to
    dependence between bits, that needs no table of 2^b numbers.

    If b differs from D, one dense layer projects z_e to b channels and another projects the codes
    back to D.

    Args:
        num_bits: Int, b, from 1 to 30.
        diversity_weight: Float, at least 0, the weight of the entropy of the mean relative to that
            of each position.
        temperature: Float, greater than 0, of the soft assignments.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Input shape: (B, ..., D).
    Output: `Quantized`, with indices (B, ...).

    Raises:
        ValueError: If `num_bits` is not from 1 to 30, `diversity_weight` is negative, or
            `temperature` is not greater than 0.

    Example:

    ```python
    quantizer = LookupFreeQuantizer(num_bits=10)  # 1,024 codes
    z_q, indices, commitment, codebook = quantizer(z_e)
    ```

    Reference:
        - [Yu et al., 2023](https://arxiv.org/abs/2310.05737), "Language model beats diffusion:
          tokenizer is key to visual generation" (MAGVIT-v2), section 3.1
    """

    def __init__(
        self, num_bits: int, diversity_weight: float = 1.0, temperature: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.code_dim = self.num_bits = check_count("num_bits", num_bits)
        if self.num_bits > 30:
            raise ValueError(
                f"`num_bits` must be at most 30, as indices are int32. Received: {num_bits}. Use a "
                "GroupedQuantizer."
            )
        if not is_number(diversity_weight) or not diversity_weight >= 0:
            raise ValueError(
                "`diversity_weight` must be a number of at least 0. Received: "
                f"{diversity_weight!r}."
            )
        if not is_number(temperature) or not temperature > 0:
            raise ValueError(
                f"`temperature` must be a number greater than 0. Received: {temperature!r}."
            )
        self.diversity_weight, self.temperature = float(diversity_weight), float(temperature)

    @property
    def num_embeddings(self) -> int:
        return 2**self.num_bits

    def call(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        z = self.project_in(where(mask, z_e, 0.0))
        indices = indices_of(z > 0, self._levels)
        signs = self.codes_of(indices)
        commitment = ops.sum(ops.square(z - ops.stop_gradient(signs)), axis=-1)
        z_q = self.project_out(straight_through(signs, passing(z, share)))
        return quantized(z_q, indices, commitment, self._entropy_cost(z, mask), mask)

    def codes_of(self, indices: Tensor) -> Tensor:
        return 2 * digits_of(indices, self._levels) - 1

    @property
    def _levels(self):
        return (2,) * self.num_bits

    def _entropy_cost(self, z, mask):
        """The entropy cost of each position, (B, ...)."""
        q = ops.sigmoid(4 * z / self.temperature)
        return _entropy(q) - self.diversity_weight * _entropy(self._mean(q, mask))

    def _mean(self, q, mask):
        """The mean over the positions of the batch, (b,), of q (B, ..., b)."""
        counted = ops.concatenate([q, ops.ones_like(q[..., :1])], axis=-1)
        sums = ops.sum(rows_of(where(mask, counted, 0.0)), axis=0)
        sums = self.across_replicas(sums)
        return sums[:-1] / ops.maximum(sums[-1], 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_bits": self.num_bits,
            "diversity_weight": self.diversity_weight,
            "temperature": self.temperature,
        }


def _entropy(q):
    """The entropy of independent bits of probabilities q (..., b), (...) nats."""
    # 0 log 0 is 0: the bound keeps the logarithm, and so the product, finite.
    terms = [p * ops.log(ops.maximum(p, 1e-30)) for p in (q, 1 - q)]
    return -ops.sum(sum(terms), axis=-1)
