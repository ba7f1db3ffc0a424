"""Convolutions that see only earlier positions, computed all at once or step by step."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.checks import check_dropout
from keras_vae.indexing import at
from keras_vae.layers.dropout import dropped
from keras_vae.layers.function_of import function_of
from keras_vae.operations import plain
from keras_vae.products import matrix_product
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class CausalConvolution(keras.layers.Layer):
    """A convolution over a position, the rows `above` it, and columns to its `left` and `right`.

    Incrementally, `row` computes one row at a time. If `above` and `right` are 0, the function
    returned by `stepper` computes one pixel of a row at a time.

    Args:
        filters: Int, the number of output channels.
        above, left, right: Ints, how many rows and columns the kernel reaches.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input shape: (B, H, W, C), channels last.
    Output shape: (B, H, W, filters).
    """

    def __init__(
        self, filters: int, above: int = 0, left: int = 0, right: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.above, self.left, self.right = above, left, right
        self.conv = keras.layers.Conv2D(
            filters,
            (above + 1, left + 1 + right),
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="conv",
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:
        self.conv.build((None, None, None, input_shape[-1]))  # any size: inputs arrive padded
        *_, self.width, self.channels = input_shape

    def call(self, inputs: Tensor) -> Tensor:
        sides = ((0, 0), (self.above, 0), (self.left, self.right), (0, 0))
        return function_of(self.conv)(ops.pad(inputs, sides))

    def start(self, batch_size: int) -> Tensor:
        """Returns the state before the first row, or pixel: zeros, as at the edges."""
        width = self.left + self.width + self.right
        rows, pixels = (self.above, width, self.channels), (self.left * self.channels,)
        return ops.zeros((batch_size, *(rows if self.above else pixels)), self.compute_dtype)

    def row(self, seen: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the output at a row, (B, 1, W, filters), and the state before the next.

        Args:
            seen: The state returned by `start` or for the previous row.
            x: Tensor (B, 1, W, C).
        """
        joined, end = plain(ops.concatenate), self.left + self.width
        # The zeros at both sides of the rows above are also what lies beside this one.
        x = joined([seen[:, -1:, : self.left], x, seen[:, -1:, end:]], 2)
        window = joined([seen, x], 1)
        return function_of(self.conv)(window), window[:, 1:]

    def stepper(self) -> Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Returns a function of the state, a pixel (B, C) and a tensor to add in place of the bias,
        (B, filters) or (filters,), that returns the output at the pixel, (B, filters), and the
        state before the next."""
        # At a single pixel a convolution is a matrix product.
        kernel = ops.reshape(self.conv.kernel, (-1, self.conv.filters))
        kernel, joined = ops.cast(kernel, self.compute_dtype), plain(ops.concatenate)

        def step(seen, x, added):
            window = joined([seen, x], -1)
            return matrix_product(window, kernel, added), window[:, self.channels :]

        return step


@keras.saving.register_keras_serializable(package="keras_vae")
class GatedConvolution(keras.layers.Layer):
    """A layer of the vertical and horizontal stacks of a gated PixelCNN.

    The vertical stack v sees the rows above. The horizontal stack h sees the row to the left, and
    receives what v sees: together everything before, without a blind spot. With a condition c,

        a = W_v * v + C c,    v <- v + tanh(a_1) sigmoid(a_2)
        b = W_h * h + L a,    h <- h + M [tanh(b_1) sigmoid(b_2)]

    where `*` is a convolution, and a_1, a_2 are halves of the channels (equations 2 to 4 and figure
    2; the residual connection of v is not in the paper). For positions to see only what lies before
    them, and not themselves, the input must be shifted: v down by a row, h right by a column. M
    starts at zero, so that h starts unchanged.

    `call` takes all positions at once. Incrementally, `row` takes a row of v, and `step` then takes
    the columns of h one by one; loops call the function returned by `stepper`.

    Args:
        kernel_size: Odd int, k, at least 3. Each layer sees k // 2 more rows above, and as many
            more columns at the sides.
        dropout: Float in [0, 1), the dropout rate of what is added to h in training.
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer.

    Input shape: [v, h], each (B, H, W, F), or [v, h, c], with c (B, H, W, E) or (B, 1, 1, E).
    Output shape: (v, h), each (B, H, W, F).

    Raises:
        ValueError: If `kernel_size` is not an odd int of at least 3, or `dropout` is not in [0, 1).

    Example:

    ```python
    layer = GatedConvolution(kernel_size=3)
    v, h = layer([v, h])
    ```

    Reference:
        - [van den Oord et al., 2016](https://arxiv.org/abs/1606.05328), "Conditional Image
          Generation with PixelCNN Decoders", section 2
    """

    def __init__(self, kernel_size: int = 3, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_size = check_odd("kernel_size", kernel_size)
        self.dropout = check_dropout(dropout)

    def build(self, input_shape: list[tuple[Any, ...]]) -> None:
        shape, _, *condition_shape = input_shape
        filters, reach, dtype = shape[-1], self.kernel_size // 2, self.dtype_policy
        self.vertical = CausalConvolution(
            2 * filters, above=reach, left=reach, right=reach, dtype=dtype, name="vertical"
        )
        self.horizontal = CausalConvolution(2 * filters, left=reach, dtype=dtype, name="horizontal")
        self.link = keras.layers.Dense(2 * filters, dtype=dtype, name="link")
        self.mixing = keras.layers.Dense(
            filters, kernel_initializer="zeros", dtype=dtype, name="mixing"
        )
        for layer in (self.vertical, self.horizontal, self.mixing):
            layer.build(shape)
        self.link.build((*shape[:-1], 2 * filters))
        if condition_shape:
            self.told = keras.layers.Dense(2 * filters, use_bias=False, dtype=dtype, name="told")
            self.told.build(*condition_shape)

    def call(
        self, inputs: list[Tensor], training: bool = False, seed: Seed = None
    ) -> tuple[Tensor, Tensor]:
        """Returns v and h of the next layer.

        Args:
            inputs: List, [v, h] or [v, h, c].
            training: Bool, whether to apply dropout.
            seed: `keras.random.SeedGenerator` for the dropout.
        """
        vertical, horizontal, *condition = inputs
        above = self._told(self.vertical(vertical), condition)
        change = gated(self.horizontal(horizontal) + self.link(above))
        change = dropped(change, self.dropout if training else 0.0, seed)
        return vertical + gated(above), horizontal + self.mixing(change)

    def start(self, batch_size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the cache before the first row."""
        no_link = ops.zeros((batch_size, self.vertical.width, self.link.units), self.compute_dtype)
        return self.vertical.start(batch_size), no_link, self.horizontal.start(batch_size)

    def row(
        self, cache: tuple[Tensor, Tensor, Tensor], inputs: list[Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Returns a row of v, (B, 1, W, F), and the cache before its first column.

        Args:
            cache: The cache returned by `start` or by the previous step.
            inputs: List, [v] or [v, c], one row of each.
        """
        (vertical, *condition), (rows, _, columns) = inputs, cache
        above, rows = self.vertical.row(rows, vertical)
        above = self._told(above, condition)
        bias = ops.cast(self.horizontal.conv.bias, self.compute_dtype)
        link = function_of(self.link)(above)[:, 0] + bias  # once, not at each column
        return vertical + gated(above), (rows, link, ops.zeros_like(columns))

    def step(
        self, cache: tuple[Tensor, Tensor, Tensor], horizontal: Tensor, position: int | Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Returns h at a position, (B, F), and the cache for the next.

        Args:
            cache: The cache returned by `row` or by the previous step.
            horizontal: Tensor (B, F), h at this position.
            position: Int or scalar int tensor, the position in raster order.
        """
        return self.stepper()(cache, horizontal, position)

    def stepper(self) -> Callable:
        """Returns `step` as a function with the weights already read, for loops over positions."""
        convolved, mixed = self.horizontal.stepper(), function_of(self.mixing)

        def step(cache, horizontal, position):
            rows, link, columns = cache
            above = at(link, position % link.shape[1], axis=1)
            seen, columns = convolved(columns, horizontal, above)
            return horizontal + mixed(gated(seen)), (rows, link, columns)

        return step

    def _told(self, above, condition):
        return above + self.told(*condition) if condition else above

    def compute_output_shape(
        self, input_shape: list[tuple[Any, ...]]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(input_shape[0]), tuple(input_shape[1])

    def get_config(self) -> dict[str, Any]:
        config = {"kernel_size": self.kernel_size, "dropout": self.dropout}
        return {**super().get_config(), **config}


def gated(x: Tensor) -> Tensor:
    """Returns tanh(x_1) sigmoid(x_2) for the halves x_1, x_2 of the channels (equation 2)."""
    first, second = plain(ops.split)(x, 2, -1)
    return plain(ops.tanh)(first) * plain(ops.sigmoid)(second)


def check_odd(argument: str, value: Any) -> int:
    """Returns a kernel size as an odd int of at least 3.

    Raises:
        ValueError: If `value` is not such an integer.
    """
    if check_count(argument, value, least=3) % 2 == 0:
        raise ValueError(
            f"`{argument}` must be odd, as kernels reach as far left as right. Received: {value!r}."
        )
    return int(value)
