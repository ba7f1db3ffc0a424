"""Means over examples of many quantities, kept in one variable."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_vae.operations import plain
from keras_vae.typing import Tensor


class TermMeans(keras.metrics.Metric):
    """Computes the means over examples of a model's loss and terms.

    One variable holds all sums and all weights, so a batch costs one addition however many
    quantities there are. A `keras.metrics.Mean` for each would cost several operations per
    quantity.

    Args:
        names: Sequence of strings, the names of the quantities.
        name: String, the name of the metric. It does not appear in logs; the names of the
            quantities do.
        dtype: The dtype of the result, as for every Keras metric. Sums are always float32.

    Example:

    ```python
    means = TermMeans(["loss", "kl"])
    means.update_state([384.0, 128.0], [128.0, 128.0])  # a batch of 128 examples
    means.update_state([320.0, 64.0], [64.0, 64.0])
    means.result()  # {"loss": 3.667, "kl": 1.0}
    ```
    """

    def __init__(self, names: Sequence[str], name: str = "term_means", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.names = tuple(names)
        self.sums = self.add_variable((2, len(self.names)), "zeros", dtype="float32", name="sums")

    def update_state(self, totals: Tensor, weights: Tensor) -> None:
        """Adds a batch.

        Args:
            totals: Float tensor (n,), the sum over the batch of each quantity.
            weights: Float tensor (n,), the number of examples of each, or the sum of their weights.
        """
        totals, weights = (ops.convert_to_tensor(v, "float32") for v in (totals, weights))
        self.sums.assign_add(plain(ops.stack)([totals, weights]))

    def result(self) -> dict[str, Tensor]:
        """Returns `{name: scalar}`: the means, 0 before anything is added."""
        totals, weights = ops.unstack(self.sums.value, num=2)
        means = ops.unstack(ops.divide_no_nan(totals, weights), num=len(self.names))
        return dict(zip(self.names, means, strict=True))

    def get_config(self) -> dict[str, Any]:
        return {"names": self.names, **super().get_config()}
