"""Matrix products on PyTorch, by the faster of its two libraries."""

from typing import Any

import torch

# Number of multiplications from which a product by oneDNN is worth its overhead.
SMALLEST = 2**22


def product(x: torch.Tensor, matrix: torch.Tensor, added: torch.Tensor | None = None) -> Any:
    """Returns x @ matrix, or x @ matrix + added.

    PyTorch multiplies float32 matrices with MKL, and convolves with oneDNN, which has a matrix
    product too. MKL uses AVX-512 only on Intel processors; on others with AVX-512, oneDNN takes a
    quarter to a half of the time. Without AVX-512, MKL is about a tenth faster. oneDNN's product
    has no gradient in PyTorch; it is defined here.

    Args:
        x: Tensor (..., M).
        matrix: Tensor (M, N).
        added: Tensor (N,), a bias, or of the shape of the product; or `None`.

    Returns:
        Tensor (..., N).
    """
    if not _is_for_onednn(x, matrix):
        if added is None:
            return torch.matmul(x, matrix)
        return torch.addmm(added, x, matrix) if x.ndim == 2 else torch.matmul(x, matrix) + added
    if added is not None and added.ndim > 1:  # oneDNN adds a bias only
        return product(x, matrix) + added
    rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    if torch.is_grad_enabled():
        y = _Product.apply(rows, matrix, added)
    else:
        y = _by_onednn(rows, matrix, added)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[-1])


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(context, x, matrix, bias):
        context.save_for_backward(x, matrix)
        return _by_onednn(x, matrix, bias)

    @staticmethod
    def backward(context, upstream):
        x, matrix = context.saved_tensors
        of_x, of_matrix, of_bias = context.needs_input_grad
        return (
            product(upstream, matrix.t()) if of_x else None,
            product(x.t(), upstream) if of_matrix else None,
            upstream.sum(0) if of_bias else None,
        )


def _by_onednn(x, matrix, bias):
    # It takes the transposed matrix, in any memory layout.
    return _linear(x, matrix.t(), bias, "none", [], "")


def are_exact() -> bool:
    """Returns whether float32 matrices are multiplied in float32, as is the default.

    `torch.set_float32_matmul_precision` and its successors can change that.
    """
    for_all = torch.backends.fp32_precision
    libraries = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
    said = [library.fp32_precision for library in libraries]
    return all((for_all if s == "none" else s) in ("ieee", "none") for s in said)


def _found() -> Any:
    """Returns oneDNN's product if it is faster, otherwise `None`."""
    return _of_onednn() if torch.backends.cpu.get_cpu_capability() == "AVX512" else None


def _of_onednn():
    """Returns oneDNN's product, or `None` if PyTorch was built without it."""
    if not torch.backends.mkldnn.is_available():
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


_linear = _found()


def _is_for_onednn(x, matrix):
    return (
        matrix.ndim == 2
        and x.numel() * matrix.shape[1] >= SMALLEST  # first, for small ones in loops
        and _linear is not None
        and x.dtype == matrix.dtype == torch.float32
        and x.device.type == matrix.device.type == "cpu"
        and torch.backends.mkldnn.enabled
        and not torch.jit.is_tracing()
        and not torch.compiler.is_compiling()
    )
