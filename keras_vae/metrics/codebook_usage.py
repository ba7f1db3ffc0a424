"""How much of a codebook is used: metrics that count the codes of an epoch."""

from numbers import Integral

import keras
from keras import ops

TINY = 1e-30  # stands for a zero in a denominator or a logarithm


class CodebookMetric(keras.metrics.Metric):
    """Base class of metrics that count the codes of an epoch.

    Args:
        num_embeddings: int, K, how many values each index has.
        num_codebooks: int, Q, how many indices each position has.
        name, dtype: as for every Keras metric. Counts are float32 under every policy.

    Raises:
        ValueError: an argument that is not such an integer.
    """

    def __init__(self, num_embeddings, num_codebooks=1, name=None, dtype=None):
        super().__init__(dtype, name)
        self.num_embeddings, self.num_codebooks = num_embeddings, num_codebooks
        for argument in ("num_embeddings", "num_codebooks"):
            value = getattr(self, argument)
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"`{argument}` must be a positive integer. Received: {value!r}.")
        self.counts = self.add_variable(
            (num_codebooks, num_embeddings), "zeros", dtype="float32", name="counts"
        )

    def update_state(self, indices, sample_weight=None):
        """Counts indices (B, ...), or (B, ..., Q) of Q codebooks, each by the weight (B,) of its
        example. Those of -1, which a mask leaves out, do not count."""
        indices = ops.cast(indices, "int32")
        weights = ops.cast(ops.greater_equal(indices, 0), "float32")
        if sample_weight is not None:
            of_example = (-1, *(1,) * (len(indices.shape) - 1))
            weights = weights * ops.reshape(ops.cast(sample_weight, "float32"), of_example)
        first_codes = self.num_embeddings * ops.arange(self.num_codebooks, dtype="int32")
        codes = ops.maximum(indices, 0) + first_codes  # the codebooks follow one another
        counts = ops.segment_sum(
            ops.reshape(weights, (-1,)),
            ops.reshape(codes, (-1,)),
            self.num_codebooks * self.num_embeddings,
        )
        self.counts.assign_add(ops.reshape(counts, self.counts.shape))

    def get_config(self):
        return {
            "num_embeddings": self.num_embeddings,
            "num_codebooks": self.num_codebooks,
            **super().get_config(),
        }


@keras.saving.register_keras_serializable(package="keras_vae")
class CodebookUsage(CodebookMetric):
    """Computes the part of the codes that were used at least once in an epoch, from 0 to 1.

    Of several codebooks it is the mean.

    Args:
        num_embeddings: int, K, how many values each index has.
        num_codebooks: int, Q, how many indices each position has.
        name, dtype: as for every Keras metric.

    Input shape: indices (B, ...), or (B, ..., Q) of Q > 1 codebooks; -1 is not counted.

    Raises:
        ValueError: an argument that is not a positive integer.

    Example:

    ```python
    usage = CodebookUsage(num_embeddings=4)
    usage.update_state([[0, 0, 1]])
    usage.result()  # 0.5
    ```
    """

    def __init__(self, num_embeddings, num_codebooks=1, name="usage", dtype=None):
        super().__init__(num_embeddings, num_codebooks, name, dtype)

    def result(self):
        """Returns the usage, a scalar."""
        return usage_of(self.counts)


@keras.saving.register_keras_serializable(package="keras_vae")
class CodebookPerplexity(CodebookMetric):
    """Computes the perplexity of the codes of an epoch: K where all are equally frequent, 1 where
    there is but one.

        perplexity = exp(-sum_k p_k log p_k),   p_k the frequency of code k

    Of several codebooks it is the geometric mean: its logarithm is the nats that one index costs
    where indices are coded one by one.

    Args:
        num_embeddings: int, K, how many values each index has.
        num_codebooks: int, Q, how many indices each position has.
        name, dtype: as for every Keras metric.

    Input shape: indices (B, ...), or (B, ..., Q) of Q > 1 codebooks; -1 is not counted.

    Raises:
        ValueError: an argument that is not a positive integer.

    Example:

    ```python
    perplexity = CodebookPerplexity(num_embeddings=4)
    perplexity.update_state([[0, 0, 1, 1]])
    perplexity.result()  # 2.0
    ```
    """

    def __init__(self, num_embeddings, num_codebooks=1, name="perplexity", dtype=None):
        super().__init__(num_embeddings, num_codebooks, name, dtype)

    def result(self):
        """Returns the perplexity, a scalar; 1 before anything is counted."""
        return perplexity_of(self.counts)


def usage_of(counts):
    """The part of the codes that were used: counts (Q, K) to a scalar."""
    return ops.mean(ops.cast(ops.greater(counts, 0), "float32"))


def perplexity_of(counts):
    """exp of the mean entropy of the codebooks: counts (Q, K) to a scalar."""
    counts = ops.cast(counts, "float32")
    frequencies = counts / ops.maximum(ops.sum(counts, axis=-1, keepdims=True), TINY)
    entropy = -ops.sum(frequencies * ops.log(ops.maximum(frequencies, TINY)), axis=-1)
    return ops.exp(ops.mean(entropy))
