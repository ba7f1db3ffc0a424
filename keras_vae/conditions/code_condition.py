"""Codes as a condition, for priors of a level given the codes of the level above."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.conditions.condition import Condition
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class CodeCondition(Condition):
    """A grid of codes, each embedded as a vector that is learned together with the networks.

    Args:
        shape: Tuple of ints, the shape (h, w) of one grid.
        num_embeddings: Integer K, at least 2: codes are integers from 0 to K - 1.
        embedding_dim: Positive integer D, the size of the vectors.

    Input shape: Integers (B, *shape).
    Output shape: (B, *shape, D).

    Raises:
        ValueError: If `shape` contains anything but positive integers, if `num_embeddings` is not
            an integer of at least 2, or if `embedding_dim` is not a positive integer; or if codes
            have another shape or are out of range.

    Example:

    ```python
    above = CodeCondition((4, 4), num_embeddings=512)
    prior = PixelCNN((8, 8), num_embeddings=512, condition=above)
    prior.fit(bottom_codes, top_codes)
    ```

    Reference:
        - [Razavi et al., 2019](https://arxiv.org/abs/1906.00446), section 3.2
    """

    def __init__(
        self, shape: Shape, num_embeddings: int, embedding_dim: int = 64, **kwargs: Any
    ) -> None:
        self.num_embeddings = check_count("num_embeddings", num_embeddings, least=2)
        self.embedding_dim = check_count("embedding_dim", embedding_dim)
        grid = tuple(check_count(f"shape[{i}]", n) for i, n in enumerate(shape))
        super().__init__((*grid, self.embedding_dim), grid, "int32", **kwargs)
        self.vectors = self.add_weight(
            name="vectors",
            shape=(self.num_embeddings, self.embedding_dim),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, condition: Tensor) -> Tensor:
        return ops.take(self.vectors, ops.cast(condition, "int32"), axis=0)

    def expected(self) -> str:
        grid = ", ".join(map(str, self.raw_shape))
        return f"codes from 0 to {self.num_embeddings - 1}, of shape (N, {grid})"

    def checked_values(self, array: np.ndarray, name: str) -> np.ndarray:
        if array.dtype.kind not in "buif" or array.shape[1:] != self.raw_shape:
            raise ValueError(
                f"`{name}` has the wrong shape or type. Expected: {self.expected()}. Received: "
                f"shape {array.shape}, dtype {array.dtype}."
            )
        bad = ~((array >= 0) & (array < self.num_embeddings) & (array == np.floor(array)))
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"`{name}` holds {int(bad.sum())} values that are not codes, the first "
                f"({array[first]}) at index {first}. Expected: {self.expected()}. Are they codes "
                "of another level?"
            )
        return array.astype("int32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": self.raw_shape,
            "num_embeddings": self.num_embeddings,
            "embedding_dim": self.embedding_dim,
        }
