"""Vector quantization that trades the rate of a code against its distance."""

from typing import Any

import keras
from keras import ops

from keras_vae.checks import is_number
from keras_vae.quantizers.codebook_updates import RunningShares
from keras_vae.quantizers.vector_quantizer import VectorQuantizer
from keras_vae.typing import Tensor


class CodeProbabilities(RunningShares):
    """Tracks the running share p of rows assigned to each code.

    Args:
        decay: Float in [0, 1).
        floor: Float in (0, 1), the weight of the uniform distribution mixed in, so that a code
            without rows is expensive but still reachable.
    """

    name = "probabilities"

    def __init__(self, decay: float = 0.99, floor: float = 0.01) -> None:
        super().__init__(decay)
        self.floor = floor

    def even(self, quantizer: "VectorQuantizer") -> float:
        return 1 / quantizer.num_embeddings

    def nats(self, quantizer: "VectorQuantizer") -> Tensor:
        """Returns -log p of each code, (K,)."""
        p = self.shares(quantizer)
        p = p / ops.sum(p)  # resetting the share of a relocated code breaks the normalization
        return -ops.log((1 - self.floor) * p + self.floor * self.even(quantizer))


@keras.saving.register_keras_serializable(package="keras_vae")
class EntropyConstrainedVectorQuantizer(VectorQuantizer):
    """A `VectorQuantizer` that chooses codes by distance and by rate:

        index = argmin_k |z - e_k|^2 - rate_weight log p_k

    where p_k is the running share of rows assigned to code k. Of two codes at nearly the same
    distance the more frequent one wins, which lowers the entropy of the codes, and so the cost of a
    prior over them, for little extra distortion. `rate_weight=0` is a plain `VectorQuantizer`.

    Args:
        num_embeddings: Int, K, at least 2.
        rate_weight: Float, at least 0, in units of |z - e|^2 per nat.
        **kwargs: See `VectorQuantizer`.

    Input shape and output: as for `VectorQuantizer`.

    Raises:
        ValueError: If `rate_weight` is not a finite number of at least 0, or for the reasons given
            in `VectorQuantizer`.

    Example:

    ```python
    quantizer = EntropyConstrainedVectorQuantizer(128, rate_weight=0.05)
    ```

    Reference:
        - [Chou et al., 1989](https://doi.org/10.1109/29.17498), "Entropy-constrained vector
          quantization", IEEE Transactions on Acoustics, Speech, and Signal Processing 37(1)
    """

    probabilities = CodeProbabilities()

    def __init__(self, num_embeddings: int, rate_weight: float, **kwargs: Any) -> None:
        super().__init__(num_embeddings, **kwargs)
        if not is_number(rate_weight) or not 0 <= rate_weight < float("inf"):
            raise ValueError(
                f"`rate_weight` must be a number of at least 0. Received: {rate_weight!r}."
            )
        self.rate_weight = float(rate_weight)

    def search(self, rows: Tensor, codes: Tensor) -> Tensor:
        # The rate is one more squared coordinate, sqrt(cost) of a code and 0 of every row, so that
        # the search for the nearest code minimizes |z - e_k|^2 - rate_weight log p_k.
        costs = ops.sqrt(self.rate_weight * self.probabilities.nats(self))
        rows = ops.concatenate([rows, ops.zeros_like(rows[:, :1])], axis=-1)
        return super().search(rows, ops.concatenate([codes, costs[:, None]], axis=-1))

    @property
    def _parts(self):
        return [*super()._parts, self.probabilities]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate_weight": self.rate_weight}
