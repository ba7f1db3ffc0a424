"""How much of its codebooks a trained model uses."""

from typing import NamedTuple

import numpy as np

from keras_vae.metrics.codebook_usage import perplexity_of
from keras_vae.metrics.codebook_usage import usage_of


class CodeUsage(NamedTuple):
    """How often the codes of one quantizer were used.

    Attributes:
        usage: float, the part of the codes used at least once, averaged over codebooks.
        perplexity: float, of the codes' frequencies, the geometric mean over codebooks.
        counts: NumPy int array (Q, K), how often each code of each codebook was used.
    """

    usage: float
    perplexity: float
    counts: np.ndarray


def codebook_usage(model, x, condition=None, batch_size=256):
    """Returns how often a trained model uses each of its codes for x.

    Args:
        model: model with a `quantizer`, or one a level in `quantizers`.
        x: array (N, S), with many more positions than there are codes.
        condition: conditions (N, ...) of a conditional model.
        batch_size: int, examples encoded at once.

    Returns:
        `CodeUsage`; a list of them, one a level, of a model with several quantizers.

    Raises:
        ValueError: the model has no codebook.

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


def quantizers_of(model):
    """Returns a model's quantizers, one a level, after checking that there is one."""
    if quantizers := getattr(model, "quantizers", None):
        return list(quantizers)
    if quantizer := getattr(model, "quantizer", None):
        return [quantizer]
    raise ValueError(
        f"{type(model).__name__} has no codebook: it must have a `quantizer`, or `quantizers`, as "
        "keras_vae.VQVAE and keras_vae.VQVAE2 do."
    )


def _code_usage(quantizer, indices):
    counts = np.stack(
        [
            np.bincount(i[i >= 0], minlength=quantizer.num_embeddings)
            for i in indices.reshape(-1, quantizer.num_codebooks).T
        ]
    )
    return CodeUsage(float(usage_of(counts)), float(perplexity_of(counts)), counts)
