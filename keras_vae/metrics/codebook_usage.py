"""Metrics of codebook usage, which count the codes of an epoch."""

from typing import Any

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.typing import Tensor

TINY = 1e-30  # replaces 0 in a denominator or a logarithm


class CodebookMetric(keras.metrics.Metric):
    """Base class of metrics that count the codes of an epoch.

    Args:
        num_embeddings: Positive integer K, the number of codes in each codebook.
        num_codebooks: Positive integer Q, the number of codebooks, each with an index per position.
        name: String, the name of the metric.
        dtype: The dtype of the result, as for every Keras metric. Counts are always
            float32.

    Raises:
        ValueError: If `num_embeddings` or `num_codebooks` is not a positive integer.
    """

    def __init__(
        self,
        num_embeddings: int,
        num_codebooks: int = 1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.num_embeddings = check_count("num_embeddings", num_embeddings)
        self.num_codebooks = check_count("num_codebooks", num_codebooks)
        shape = self.num_codebooks, self.num_embeddings
        self.counts = self.add_variable(shape, "zeros", dtype="float32", name="counts")

    def update_state(self, indices: Tensor, sample_weight: Tensor | None = None) -> None:
        """Counts indices, except those of -1, which are masked.

        Args:
            indices: Integer tensor (B, ...), or (B, ..., Q) with Q > 1 codebooks.
            sample_weight: Optional tensor (B,), the weight of each example in the counts.
        """
        indices = ops.cast(indices, "int32")
        weights = ops.cast(ops.greater_equal(indices, 0), "float32")
        if sample_weight is not None:
            of_example = (-1, *(1,) * (len(indices.shape) - 1))
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), of_example)
        first_codes = self.num_embeddings * ops.arange(self.num_codebooks, dtype="int32")
        codes = ops.maximum(indices, 0) + first_codes  # numbered across all codebooks
        counts = ops.segment_sum(
            ops.reshape(weights, (-1,)),
            ops.reshape(codes, (-1,)),
            self.num_codebooks * self.num_embeddings,
        )
        self.counts.assign_add(ops.reshape(counts, self.counts.shape))

    def get_config(self) -> dict[str, Any]:
        return {
            "num_embeddings": self.num_embeddings,
            "num_codebooks": self.num_codebooks,
            **super().get_config(),
        }


@keras.saving.register_keras_serializable(package="keras_vae")
class CodebookUsage(CodebookMetric):
    """Computes the fraction of the codes that were used at least once in an epoch.

    With several codebooks it is the mean over codebooks.

    Args:
        num_embeddings: Positive integer K, the number of codes in each codebook.
        num_codebooks: Positive integer Q, the number of codebooks, each with an index per position.
        name: String, the name of the metric.
        dtype: The dtype of the result, as for every Keras metric.

    Input shape: Indices (B, ...), or (B, ..., Q) with Q > 1 codebooks; -1 is not counted.

    Raises:
        ValueError: If `num_embeddings` or `num_codebooks` is not a positive integer.

    Example:

    ```python
    usage = CodebookUsage(num_embeddings=4)
    usage.update_state([[0, 0, 1]])
    usage.result()  # 0.5
    ```
    """

    def __init__(
        self,
        num_embeddings: int,
        num_codebooks: int = 1,
        name: str = "usage",
        dtype: Any = None,
    ) -> None:
        super().__init__(num_embeddings, num_codebooks, name, dtype)

    def result(self) -> Tensor:
        """Returns the usage, a scalar."""
        return usage_of(self.counts)


@keras.saving.register_keras_serializable(package="keras_vae")
class CodebookPerplexity(CodebookMetric):
    """Computes the perplexity of the codes of an epoch:

        perplexity = exp(-sum_k p_k log p_k),   p_k the frequency of code k

    It is K if all codes are equally frequent, and 1 if only one is used. With several codebooks it
    is the geometric mean over codebooks: its logarithm is the mean cost of an index, in nats, if
    indices are coded one by one.

    Args:
        num_embeddings: Positive integer K, the number of codes in each codebook.
        num_codebooks: Positive integer Q, the number of codebooks, each with an index per position.
        name: String, the name of the metric.
        dtype: The dtype of the result, as for every Keras metric.

    Input shape: Indices (B, ...), or (B, ..., Q) with Q > 1 codebooks; -1 is not counted.

    Raises:
        ValueError: If `num_embeddings` or `num_codebooks` is not a positive integer.

    Example:

    ```python
    perplexity = CodebookPerplexity(num_embeddings=4)
    perplexity.update_state([[0, 0, 1, 1]])
    perplexity.result()  # 2.0
    ```
    """

    def __init__(
        self,
        num_embeddings: int,
        num_codebooks: int = 1,
        name: str = "perplexity",
        dtype: Any = None,
    ) -> None:
        super().__init__(num_embeddings, num_codebooks, name, dtype)

    def result(self) -> Tensor:
        """Returns the perplexity, a scalar, which is 1 before anything is counted."""
        return perplexity_of(self.counts)


def usage_of(counts: Tensor) -> Tensor:
    """Computes the fraction of the codes that were used, a scalar, from counts (Q, K)."""
    return ops.mean(ops.cast(ops.greater(counts, 0), "float32"))


def perplexity_of(counts: Tensor) -> Tensor:
    """Computes the exponential of the mean entropy of the codebooks from counts (Q, K)."""
    counts = ops.cast(counts, "float32")
    # Before anything is counted, all frequencies are 0; 0 log 0 is 0.
    frequencies = counts / ops.maximum(ops.sum(counts, axis=-1, keepdims=True), TINY)
    entropy = -ops.sum(frequencies * ops.log(ops.maximum(frequencies, TINY)), axis=-1)
    return ops.exp(ops.mean(entropy))
