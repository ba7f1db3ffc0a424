"""How much of its codebooks a trained model uses."""

from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_vae.metrics.codebook_usage import perplexity_of
from keras_vae.metrics.codebook_usage import usage_of
from keras_vae.typing import Array


class CodeUsage(NamedTuple):
    """How often the codes of one quantizer were used.

    Attributes:
        usage: Float, the fraction of the codes used at least once, the mean over codebooks.
        perplexity: Float, the perplexity of the codes, the geometric mean over codebooks.
        counts: NumPy int array (Q, K), how often each code of each codebook was used.
    """

    usage: float
    perplexity: float
    counts: np.ndarray


def codebook_usage(
    model: keras.Model, x: Array, condition: Array | None = None, batch_size: int = 256
) -> CodeUsage | list[CodeUsage]:
    """Counts how often a trained model uses each of its codes for x.

    Args:
        model: Model with a `quantizer`, or with one per level in `quantizers`.
        x: Array (N, *S), with many more positions than there are codes.
        condition: Array (N, ...), the conditions, if the model is conditional.
        batch_size: Integer, the number of examples encoded at once.

    Returns:
        `CodeUsage`, or a list with one per level for a model with several quantizers.

    Raises:
        ValueError: If the model has no codebook, or if `x` is not valid data for it.

    Example:

    ```python
    usage, perplexity, counts = codebook_usage(model, x_test)
    dead = np.flatnonzero(counts[0] == 0)
    ```
    """
    quantizers = quantizers_of(model)
    indices = model.encode_indices(x, condition=condition, batch_size=batch_size)
    if isinstance(indices, list):
        return [_code_usage(q, i) for q, i in zip(quantizers, indices, strict=True)]
    return _code_usage(quantizers[0], indices)


def quantizers_of(model: keras.Model) -> list[Any]:
    """Returns the quantizers of a model, one per level.

    Raises:
        ValueError: If the model has none.
    """
    if quantizers := getattr(model, "quantizers", None):
        return list(quantizers)
    if quantizer := getattr(model, "quantizer", None):
        return [quantizer]
    raise ValueError(
        f"{type(model).__name__} has no codebook: it must have a `quantizer`, or `quantizers`, as "
        "keras_vae.VQVAE and keras_vae.VQVAE2 do."
    )


def _code_usage(quantizer: Any, indices: np.ndarray) -> CodeUsage:
    counts = np.stack(
        [
            np.bincount(i[i >= 0], minlength=quantizer.num_embeddings)
            for i in indices.reshape(-1, quantizer.num_codebooks).T
        ]
    )
    return CodeUsage(float(usage_of(counts)), float(perplexity_of(counts)), counts)
