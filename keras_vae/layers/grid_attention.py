"""Attention to everything before, as a layer of a PixelCNN."""

import math
from typing import Any

import keras
from keras import ops

from keras_vae.layers.transformer_block import TransformerBlock
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class GridAttention(TransformerBlock):
    """A `TransformerBlock` to place between the `GatedConvolution`s of a PixelCNN.

    It attends over the horizontal stack h in raster order, where each position has seen what lies
    before it, and returns the vertical stack v unchanged.

    Args:
        num_heads, dropout, positions: See `TransformerBlock`.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input shape: [v, h], each (B, H, W, F); further inputs are ignored.
    Output shape: (v, h), each (B, H, W, F).

    Example:

    ```python
    layer = GridAttention(num_heads=4, positions=RotaryPositions())
    v, h = layer([v, h])
    ```

    Reference:
        - [Chen et al., 2018](https://arxiv.org/abs/1712.09763), "PixelSNAIL: An Improved
          Autoregressive Generative Model", section 2
        - [Razavi et al., 2019](https://arxiv.org/abs/1906.00446), "Generating Diverse High-Fidelity
          Images with VQ-VAE-2", section 3.2
    """

    def build(self, input_shape: list[tuple[Any, ...]]) -> None:
        *_, height, width, features = input_shape[1]
        self.grid = (height, width)
        super().build((None, height * width, features))

    def call(
        self, inputs: list[Tensor], training: bool = False, seed: Seed = None
    ) -> tuple[Tensor, Tensor]:
        vertical, horizontal, *_ = inputs
        tokens = ops.reshape(horizontal, (-1, math.prod(self.grid), horizontal.shape[-1]))
        tokens = super().call(tokens, training, seed)
        return vertical, ops.reshape(tokens, (-1, *self.grid, horizontal.shape[-1]))

    def start(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """Returns the cache before the first position; see `CausalAttention.start`."""
        return super().start(batch_size, math.prod(self.grid))

    def row(
        self, cache: tuple[Tensor, Tensor], inputs: list[Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Returns the row of v and the cache unchanged; see `GatedConvolution.row`."""
        return inputs[0], cache

    def compute_output_shape(
        self, input_shape: list[tuple[Any, ...]]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(input_shape[0]), tuple(input_shape[1])
