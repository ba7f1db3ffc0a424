"""Vector quantization that weighs what a code costs to tell against how near it is."""

from typing import Any

import keras
from keras import ops

from keras_vae.quantizers.codebook_updates import RunningShares
from keras_vae.quantizers.vector_quantizer import VectorQuantizer
from keras_vae.typing import Tensor


class CodeProbabilities(RunningShares):
    """The running shares p of the rows that each code has.

    Args:
        decay: float in [0, 1).
        floor: float in (0, 1), the share of an even distribution that is mixed in, so that a code
            without rows is dear but not out of reach.
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
        p = p / ops.sum(p)  # codes put elsewhere begin anew, so that the shares are not exact
        return -ops.log((1 - self.floor) * p + self.floor * self.even(quantizer))


@keras.saving.register_keras_serializable(package="keras_vae")
class EntropyConstrainedVectorQuantizer(VectorQuantizer):
    """`VectorQuantizer` whose codes are chosen by distance and by rate:

        index = argmin_k |z - e_k|^2 - rate_weight log p_k

    p_k is the running share of the rows that have code k. Of two codes nearly as near, the commoner
    is taken, so that the codes as a whole have a smaller entropy, and a prior of them a lower cost,
    for little more distortion. `rate_weight = 0` is the `VectorQuantizer`.

    Args:
        num_embeddings: int, K, at least 2.
        rate_weight: number of at least 0, in units of |z - e|^2 a nat.
        **kwargs: as of `VectorQuantizer`.

    Input shape, output and errors: as of `VectorQuantizer`; `ValueError` of a `rate_weight` that
    is not as above.

    Example:

    ```python
    quantizer = EntropyConstrainedVectorQuantizer(128, rate_weight=0.05)
    ```

    Reference: Chou, Lookabaugh, Gray 1989, "Entropy-constrained vector quantization", IEEE
    Transactions on Acoustics, Speech, and Signal Processing 37(1).
    """

    probabilities = CodeProbabilities()

    def __init__(self, num_embeddings: int, rate_weight: float, **kwargs: Any) -> None:
        super().__init__(num_embeddings, **kwargs)
        is_number = isinstance(rate_weight, int | float) and not isinstance(rate_weight, bool)
        if not is_number or not 0 <= rate_weight < float("inf"):
            raise ValueError(
                f"`rate_weight` must be a number of at least 0. Received: {rate_weight!r}."
            )
        self.rate_weight = rate_weight

    def search(self, rows: Tensor, codes: Tensor) -> Tensor:
        # As one more coordinate: that of rows is 0, of a code the root of what it costs.
        costs = ops.sqrt(self.rate_weight * self.probabilities.nats(self))
        rows = ops.concatenate([rows, ops.zeros_like(rows[:, :1])], axis=-1)
        return super().search(rows, ops.concatenate([codes, costs[:, None]], axis=-1))

    @property
    def _parts(self):
        return [*super()._parts, self.probabilities]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate_weight": self.rate_weight}
