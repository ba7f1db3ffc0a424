"""Matrix products, by the fastest method on the backend."""

from collections.abc import Callable

from keras import ops

from keras_vae.typing import Tensor

_matmul: Callable = ops.matmul


def matrix_product(x: Tensor, matrix: Tensor) -> Tensor:
    """Returns x @ matrix, for x (..., M) and a matrix (M, N)."""
    return _matmul(x, matrix)


def multiply_by(matmul: Callable) -> None:
    """Makes `matrix_product` use a function in place of `keras.ops.matmul`."""
    global _matmul
    _matmul = matmul
