"""A causal transformer over codes."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.conditions import Condition
from keras_vae.configured import check_configured
from keras_vae.indexing import at
from keras_vae.layers.function_of import function_of
from keras_vae.layers.positions import LearnedPositions
from keras_vae.layers.positions import Positions
from keras_vae.layers.transformer_block import TransformerBlock
from keras_vae.models.base.autoregressive_model import AutoregressiveModel
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class TransformerPrior(AutoregressiveModel):
    """A causal transformer: p(x|c) = prod_i p(x_i | x_1 ... x_{i-1}, c) by attention to x_<i and c.

    x may have any shape: a sequence (N,), a grid (h, w), grids of several levels (h, w, Q) or
    pictures (H, W, C). It is read in raster order, the last axis first. The token at position i is
    a learned embedding of x_{i-1}; the token at the first position marks the start. The condition
    comes before them: each vector along its last axis is mapped to the width of a token and becomes
    one more token that every position attends to (one token for a label, h' w' tokens for a map
    (h', w', E)). The tokens pass through causal attention blocks (`TransformerBlock`) and a linear
    layer that returns logits. This layer starts at zero, so before training all codes are equally
    probable, at log K nats each.

    Sampling caches the keys and values of previous tokens, so each new code costs one token.

    Args:
        shape: Tuple of ints, the shape of one x.
        num_embeddings: Integer, K. x contains integers from 0 to K - 1.
        width: Integer, the features of a token.
        num_layers: Integer, the number of blocks.
        num_heads: Integer, the heads of attention in each block. It must divide `width`.
        positions: `LearnedPositions()`, the default, or `RotaryPositions()`.
        dropout: Float in [0, 1), the rate of dropout on both halves of each block in training.
        condition: `Condition`, such as `LabelCondition(10)` or `CodeCondition((4, 4), 512)`, or
            `None`.
        seed: Integer, or `None`. It determines all noise and the order of the batches.

    Terms: `nll` = -log p(x|c), in nats per example, exact. The logs contain `loss`, `nll` and
    `nll_per_code`.

    Raises:
        ValueError: If a size is not a positive integer. Also raised by `fit` if `x` does not
            contain integers from 0 to K - 1.

    Example:

    ```python
    prior = TransformerPrior((7, 7), num_embeddings=128, condition=LabelCondition(10))
    prior.compile(keras.optimizers.Adam(3e-4))
    prior.fit(codes, labels, epochs=30)
    new = prior.sample(64, condition=7, temperature=0.9)  # (64, 7, 7)
    ```

    Reference:
        - [Chen et al., 2020](https://proceedings.mlr.press/v119/chen20s.html), section 2
    """

    def __init__(
        self,
        shape: Shape,
        num_embeddings: int,
        width: int = 128,
        num_layers: int = 4,
        num_heads: int = 4,
        positions: Any = None,
        dropout: float = 0.0,
        condition: Condition | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(shape, num_embeddings, condition, seed=seed, name=name, dtype=dtype)
        self.width = check_count("width", width)
        self.num_layers = check_count("num_layers", num_layers)
        self.num_heads, self.dropout = num_heads, dropout
        self.positions = check_configured("positions", positions, Positions, LearnedPositions)
        rotary, policy = self.positions.for_attention(), self.dtype_policy
        self.num_told = 0  # tokens of the condition
        if condition is not None:
            self.num_told = math.prod(condition.shape[:-1])
            self.told = keras.layers.Dense(width, dtype=policy, name="told")
        # One vector more than there are values: the last is the start token.
        self.vectors = keras.layers.Embedding(
            self.num_embeddings + 1,
            width,
            keras.initializers.RandomNormal(stddev=0.02),
            dtype=policy,
            name="vectors",
        )
        self.blocks = [
            TransformerBlock(num_heads, dropout, rotary, dtype=policy, name=f"block_{i + 1}")
            for i in range(num_layers)
        ]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy, name="norm")
        self.head = keras.layers.Dense(
            self.num_embeddings, kernel_initializer="zeros", dtype="float32", name="head"
        )

    def logits(self, x: Tensor, condition: Tensor = None, training: bool = False) -> Tensor:
        tokens = self.vectors(self._shifted(ops.reshape(x, (-1, self.num_codes))))
        if condition is not None:
            tokens = ops.concatenate([self._told(condition), tokens], axis=1)
        tokens = self.positions(tokens, ops.arange(tokens.shape[1]))
        for block in self.blocks:
            tokens = block(tokens, training=training, seed=self.noise.stream(training))
        logits = self.head(self.norm(tokens[:, self.num_told :]))
        return ops.reshape(logits, (-1, *self.data_shape, self.num_embeddings))

    def start(self, condition: Tensor, batch_size: int) -> Any:
        length = self.num_told + self.num_codes
        cache = [block.start(batch_size, length) for block in self.blocks]
        if condition is None:
            return cache
        told, advance = self._told(condition), self._advance()
        return ops.fori_loop(
            0, self.num_told, lambda i, cache: advance(cache, at(told, i, axis=1), i)[1], cache
        )

    def step(self, cache: Any, codes: Tensor, position: Tensor) -> tuple[Tensor, Any]:
        return self.stepper()(cache, codes, position)

    def stepper(self) -> Callable:
        vectors, norm, head = map(function_of, (self.vectors, self.norm, self.head))
        advance = self._advance()

        def step(cache, codes, position):
            before = at(codes, (position - 1) % self.num_codes, axis=1)
            token = vectors(ops.where(position == 0, self.num_embeddings, before))
            token, cache = advance(cache, token, self.num_told + position)
            return head(ops.cast(norm(token), "float32")), cache

        return step

    def _advance(self):
        """Returns a function of the cache, the token (B, F) at a position, and the position, which
        returns the blocks' output for the token and the updated cache."""
        steps = [block.stepper() for block in self.blocks]

        def advance(cache, token, position):
            token = self.positions(token[:, None], ops.reshape(position, (1,)))[:, 0]
            after = []
            for step, before in zip(steps, cache, strict=True):
                token, known = step(before, token, position)
                after.append(known)
            return token, after

        return advance

    def _shifted(self, codes):
        """Returns codes (B, N) shifted right by one, (B, N), beginning with the start token."""
        return ops.pad(codes[:, :-1], ((0, 0), (1, 0)), constant_values=self.num_embeddings)

    def _told(self, condition):
        """Returns the tokens of a condition, (B, M, F)."""
        return self.told(ops.reshape(condition, (-1, self.num_told, condition.shape[-1])))
