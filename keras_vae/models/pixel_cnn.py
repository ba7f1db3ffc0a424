"""Gated PixelCNN: codes or pixels, each conditioned on those above it and to its left."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.conditions import Condition
from keras_vae.indexing import at
from keras_vae.layers.function_of import function_of
from keras_vae.layers.gated_convolution import CausalConvolution
from keras_vae.layers.gated_convolution import GatedConvolution
from keras_vae.layers.gated_convolution import check_odd
from keras_vae.layers.grid_attention import GridAttention
from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.positions import RotaryPositions
from keras_vae.layers.residual import ResidualBlock
from keras_vae.models.base.autoregressive_model import AutoregressiveModel
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class PixelCNN(AutoregressiveModel):
    """Gated PixelCNN: p(x|c) = prod_i p(x_i | x_1 ... x_{i-1}, c) over a grid, by convolutions.

    Each x_i is embedded as a learned vector. The vertical stack of convolutions sees these vectors
    shifted down by a row, and the horizontal stack sees them shifted right by a column, so no
    kernel needs a mask and there is no blind spot (`GatedConvolution`). The vertical stack also
    receives a learned vector for each position. A hidden layer and a linear layer map the
    horizontal stack to logits. The linear layer starts at zero, so before training all values are
    equally probable, at log K nats each.

    The condition enters every gate. A label or another vector is the same at all positions. A map
    (h', w', E), such as the codes of the level above, is resized to (h, w) by nearest neighbours,
    refined by residual blocks, and normalised.

    Sampling caches the activations of the convolutions, so each new code costs one position of
    each.

    Args:
        shape: Tuple of ints, (h, w) or (h, w, 1).
        num_embeddings: Integer, K. x contains integers from 0 to K - 1.
        filters: Integer, the channels of both stacks.
        num_blocks: Integer, the layers of the stacks after the first convolutions.
        kernel_size: Odd integer, the kernel size of these layers.
        first_kernel_size: Odd integer, the kernel size of the first convolutions. All layers
            together reach `first_kernel_size // 2 + num_blocks * (kernel_size // 2)` positions,
            which should cover the dependencies in x.
        attention_every: Integer, or `None`. Adds attention to all previous positions after every
            so many layers.
        num_heads: Integer, the heads of the attention. It must divide `filters`.
        dropout: Float in [0, 1), the rate of dropout on the output of each layer in training.
        condition: `Condition` of a vector or a map, such as `LabelCondition(10)` or
            `CodeCondition((4, 4), 512)`, or `None`.
        seed: Integer, or `None`. It determines all noise and the order of the batches.

    Terms: `nll` = -log p(x|c), in nats per example, exact. The logs contain `loss`, `nll` and
    `nll_per_code`.

    Raises:
        ValueError: If a size is not a positive integer. Also raised by `fit` if `x` does not
            contain integers from 0 to K - 1.

    Example:

    ```python
    prior = PixelCNN((7, 7), num_embeddings=128, condition=LabelCondition(10))
    prior.compile(keras.optimizers.Adam(1e-3))
    prior.fit(codes, labels, epochs=30)
    new = prior.sample(64, condition=7, temperature=0.9)  # (64, 7, 7)
    ```

    Reference:
        - [van den Oord et al., 2016](https://arxiv.org/abs/1606.05328)
        - [Razavi et al., 2019](https://arxiv.org/abs/1906.00446), for the attention
    """

    def __init__(
        self,
        shape: Shape,
        num_embeddings: int,
        filters: int = 64,
        num_blocks: int = 5,
        kernel_size: int = 3,
        first_kernel_size: int = 7,
        attention_every: int | None = None,
        num_heads: int = 4,
        dropout: float = 0.0,
        condition: Condition | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(shape, num_embeddings, condition, seed=seed, name=name, dtype=dtype)
        self.grid = _check_grid(self.shape)
        self.filters = check_count("filters", filters)
        self.num_blocks = check_count("num_blocks", num_blocks)
        self.kernel_size, self.num_heads, self.dropout = kernel_size, num_heads, dropout
        self.first_kernel_size = check_odd("first_kernel_size", first_kernel_size)
        if attention_every is not None:
            check_count("attention_every", attention_every)
        self.attention_every = attention_every
        policy, reach = {"dtype": self.dtype_policy}, first_kernel_size // 2
        # K values need no more than K dimensions: 2 for black-and-white pictures.
        vector_size = min(num_embeddings, filters)
        self.vectors = keras.layers.Embedding(num_embeddings, vector_size, name="vectors", **policy)
        self.above = CausalConvolution(filters, reach, reach, reach, name="above", **policy)
        self.left = CausalConvolution(filters, left=reach, name="left", **policy)
        self.positions = OutputBias(name="positions", **policy)
        self.blocks = self._new_blocks(**policy)
        self.refinement = self._new_refinement(**policy)
        self.hidden = keras.layers.Dense(filters, "relu", name="hidden", **policy)
        self.head = keras.layers.Dense(
            num_embeddings, kernel_initializer="zeros", dtype="float32", name="head"
        )

    def _new_blocks(self, **policy):
        blocks = []
        for i in range(1, self.num_blocks + 1):
            name = f"block_{i}"
            blocks.append(GatedConvolution(self.kernel_size, self.dropout, name=name, **policy))
            if self.attention_every and i % self.attention_every == 0:
                options = {"name": f"attention_{i}", **policy}
                positions = RotaryPositions(**policy)
                blocks.append(GridAttention(self.num_heads, self.dropout, positions, **options))
        return blocks

    def _new_refinement(self, **policy):
        """Returns the layers between a map of conditions and the gates."""
        if self.condition is None or len(self.condition.shape) == 1:
            return []
        if len(self.condition.shape) != 3:
            raise ValueError(
                "`condition` must have the shape of a vector (E,) or a map (h', w', E). Received: "
                f"shape {self.condition.shape}."
            )
        blocks = [ResidualBlock(self.filters, name=f"told_{i}", **policy) for i in (2, 3)]
        # Keeps the map's scale fixed: one that grew would saturate the gates and stop learning.
        scale = keras.layers.LayerNormalization(name="told_4", **policy)
        return [keras.layers.Dense(self.filters, name="told_1", **policy), *blocks, scale]

    def logits(self, x: Tensor, condition: Tensor = None, training: bool = False) -> Tensor:
        vectors = self.vectors(ops.reshape(x, (-1, *self.grid)))  # (B, h, w, D)
        down = ops.pad(vectors[:, :-1], ((0, 0), (1, 0), (0, 0), (0, 0)))
        right = ops.pad(vectors[:, :, :-1], ((0, 0), (0, 0), (1, 0), (0, 0)))
        vertical, horizontal = self.positions(self.above(down)), self.left(right)
        told, seed = self._told(condition), self.noise.stream(training)
        for block in self.blocks:
            stacks = [vertical, horizontal, *told]
            vertical, horizontal = block(stacks, training=training, seed=seed)
        logits = self.head(self.hidden(horizontal))
        return ops.reshape(logits, (-1, *self.data_shape, self.num_embeddings))

    def start(self, condition: Tensor, batch_size: int) -> Any:
        return {
            "above": self.above.start(batch_size),
            "left": self.left.start(batch_size),
            "blocks": [block.start(batch_size) for block in self.blocks],
            "told": self._told(condition),
        }

    def step(self, cache: Any, codes: Tensor, position: Tensor) -> tuple[Tensor, Any]:
        return self.stepper()(cache, codes, position)

    def stepper(self) -> Callable:
        layers = (self.vectors, self.hidden, self.head)
        vectors, hidden, head = map(function_of, layers)
        left_of, steps = self.left.stepper(), [block.stepper() for block in self.blocks]
        bias = ops.cast(self.left.conv.bias, self.left.compute_dtype)

        def step(cache, codes, position):
            column = position % self.grid[1]
            cache = self._at_row(cache, codes, position, column)
            # In the first column there is nothing to the left, and any code will do.
            before = vectors(at(codes, (position - 1) % self.num_codes, axis=1))
            before = before * ops.cast(column > 0, before.dtype)
            horizontal, left = left_of(cache["left"], before, bias)
            blocks = []
            for step_of_block, known in zip(steps, cache["blocks"], strict=True):
                horizontal, known = step_of_block(known, horizontal, position)
                blocks.append(known)
            logits = head(ops.cast(hidden(horizontal), "float32"))
            return logits, {**cache, "left": left, "blocks": blocks}

        return step

    def _at_row(self, cache, codes, position, column):
        """Returns the cache at a position. The vertical stack, which sees only the rows above,
        processes a whole row before its first column."""
        if isinstance(column, int):  # PyTorch's loops count in Python
            return cache if column else self._row(cache, codes, position)
        return ops.cond(column == 0, lambda: self._row(cache, codes, position), lambda: cache)

    def _row(self, cache, codes, position):
        """Returns the cache at the first position of a row, after the vertical stack's pass."""
        width = self.grid[1]
        row = ops.reshape(position // width, (1,))
        above = ops.maximum(position - width + ops.arange(width), 0)
        vectors = self.vectors(ops.take(codes, above, axis=1))
        before = vectors * ops.cast(position > 0, vectors.dtype)
        vertical, above = self.above.row(cache["above"], before[:, None])
        bias = ops.take(self.positions.bias, row, axis=0)
        vertical = vertical + ops.cast(bias, vertical.dtype)
        told = [ops.take(c, ops.minimum(row, c.shape[1] - 1), axis=1) for c in cache["told"]]
        blocks = []
        for block, known in zip(self.blocks, cache["blocks"], strict=True):
            vertical, known = block.row(known, [vertical, *told])
            blocks.append(known)
        return {**cache, "above": above, "left": ops.zeros_like(cache["left"]), "blocks": blocks}

    def _told(self, condition):
        """Returns [c] in the shape that the gates take, (B, 1, 1, E) or (B, h, w, E), or []."""
        if condition is None:
            return []
        if not self.refinement:
            return [condition[:, None, None]]
        for axis, size in enumerate(self.grid, start=1):
            nearest = np.arange(size) * condition.shape[axis] // size
            condition = ops.take(condition, nearest, axis=axis)
        for layer in self.refinement:
            condition = layer(condition)
        return [condition]


def _check_grid(shape):
    """Returns (h, w) of the shape of one x."""
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == 1):
        return shape[:2]
    raise ValueError(
        f"`shape` must be (h, w) or (h, w, 1), a grid of single integers. Received: {shape}."
    )
