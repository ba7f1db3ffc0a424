"""Codes as a condition: what the priors of lower levels are told of those above."""

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.conditions.condition import Condition


@keras.saving.register_keras_serializable(package="keras_vae")
class CodeCondition(Condition):
    """A grid of codes, each given to networks as a vector that is learned with them.

    Args:
        shape: tuple of ints, the shape of one grid, (h, w).
        num_embeddings: int, K: codes are integers from 0 to K - 1.
        embedding_dim: int, D, the size of a code's vector.

    Input shape: integers (B, *shape).
    Output shape: (B, *shape, D).

    Raises:
        ValueError: an argument that is not as above; codes of another shape, or out of range.

    Example:

    ```python
    above = CodeCondition((4, 4), num_embeddings=512)
    prior = PixelCNN((8, 8), num_embeddings=512, condition=above)
    prior.fit(bottom_codes, top_codes)
    ```

    Reference: Razavi, van den Oord, Vinyals 2019, "Generating Diverse High-Fidelity Images with
    VQ-VAE-2", section 3.2.
    """

    def __init__(self, shape, num_embeddings, embedding_dim=64, **kwargs):
        self.num_embeddings = check_count("num_embeddings", num_embeddings, least=2)
        self.embedding_dim = check_count("embedding_dim", embedding_dim)
        grid = tuple(check_count(f"shape[{i}]", n) for i, n in enumerate(shape))
        super().__init__((*grid, self.embedding_dim), grid, "int32", **kwargs)
        self.vectors = self.add_weight(
            name="vectors",
            shape=(self.num_embeddings, self.embedding_dim),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, condition):
        return ops.take(self.vectors, ops.cast(condition, "int32"), axis=0)

    def expected(self):
        grid = ", ".join(map(str, self.raw_shape))
        return f"codes from 0 to {self.num_embeddings - 1}, of shape (N, {grid})"

    def checked_values(self, array, name):
        if array.dtype.kind not in "buif" or array.shape[1:] != self.raw_shape:
            raise ValueError(
                f"`{name}` has the wrong shape or type. Expected: {self.expected()}. Received: "
                f"shape {array.shape}, dtype {array.dtype}."
            )
        bad = ~((array >= 0) & (array < self.num_embeddings) & (array == np.floor(array)))
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"`{name}` holds {int(bad.sum())} values that are no codes, the first "
                f"({array[first]}) at index {first}. Expected: {self.expected()}. Are they of "
                "another level?"
            )
        return array.astype("int32")

    def get_config(self):
        return {
            **super().get_config(),
            "shape": self.raw_shape,
            "num_embeddings": self.num_embeddings,
            "embedding_dim": self.embedding_dim,
        }
