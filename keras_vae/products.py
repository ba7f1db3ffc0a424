"""Matrix products, by the fastest method on the backend."""

from collections.abc import Callable

from keras import ops

from keras_vae.typing import Tensor


def matrix_product(x: Tensor, matrix: Tensor, added: Tensor | None = None) -> Tensor:
    """Returns x @ matrix, or x @ matrix + added.

    Args:
        x: Tensor (..., M).
        matrix: Tensor (M, N).
        added: Tensor (N,), a bias, or of the shape of the product; or `None`.
    """
    return _multiply(x, matrix, added)


def multiply_by(multiply: Callable) -> None:
    """Makes `matrix_product` call a function of the backend."""
    global _multiply
    _multiply = multiply


def _by_keras(x, matrix, added):
    # TensorFlow's product of a higher-rank tensor with a matrix crashes for some sizes.
    rows = x if len(x.shape) == 2 else ops.reshape(x, (-1, x.shape[-1]))
    y = ops.matmul(rows, matrix)
    if rows is not x:
        y = ops.reshape(y, (*ops.shape(x)[:-1], y.shape[-1]))
    return y if added is None else y + added


_multiply: Callable = _by_keras
