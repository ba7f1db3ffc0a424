"""Fast gradients of convolutions on JAX's CPU."""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable
from collections.abc import Iterator

import jax

_lock = threading.RLock()  # held while JAX's functions are replaced


@contextlib.contextmanager
def fast_gradients() -> Iterator[None]:
    """Within this context gradients for kernels are computed in the way that is fast on a CPU.

    XLA computes them by a convolution whose kernel is the cotangent. Where the input is dilated, in
    a transposed convolution with strides, that takes over 20 times as long as the forward pass, and
    twice as long as need be where a convolution has fewer channels after it than before. So they
    are computed as the gradients of the convolution that runs the other way; see `exchanged`.
    `benchmarks/benches/transposed_kernel_gradient.py` tells when JAX needs this no longer.

    It holds for what this thread traces: layers of Keras, and code that calls `jax.lax`. On other
    devices nothing is done.

    Raises:
        TypeError, NotImplementedError: by JAX, where a convolution is differentiated in forward
            mode (`jax.jvp`).
    """
    if jax.default_backend() != "cpu":
        yield
        return
    with _lock:
        own = {name: getattr(jax.lax, name) for name in _IS_FASTER}
        try:
            for name, is_faster in _IS_FASTER.items():
                setattr(jax.lax, name, _replaced(own[name], is_faster))
            yield
        finally:
            for name, function in own.items():
                setattr(jax.lax, name, function)


def exchanged(convolution: Callable) -> Callable:
    """Returns a function of x and a kernel, whose gradient for the kernel is computed otherwise.

    A convolution is linear in x. With its transpose T, from the cotangent g to that of x,

        <f(x, k), g> = <x, T(g, k)>

    so the gradient for k is that of the convolution T, with x and g exchanged. Its sums are the
    same, in another order.

    Args:
        convolution: Function of x and a kernel, linear in each.
    """

    @jax.custom_vjp
    def function(x, kernel):
        return convolution(x, kernel)

    def forward(x, kernel):
        return convolution(x, kernel), (x, kernel)

    def backward(inputs, cotangent):
        x, kernel = inputs

        def transposed(kernel):
            (found,) = jax.linear_transpose(lambda x: convolution(x, kernel), x)(cotangent)
            return found

        of_x, pull_back = jax.vjp(transposed, kernel)
        (of_kernel,) = pull_back(x)
        return of_x, of_kernel

    function.defvjp(forward, backward)
    return function


def _replaced(own, is_faster):
    """Returns JAX's function, with other gradients where they are faster and for this thread."""
    owner, signature = threading.get_ident(), inspect.signature(own)

    @functools.wraps(own)
    def convolution(lhs, rhs, *args, **kwargs):
        how = signature.bind(lhs, rhs, *args, **kwargs)
        how.apply_defaults()
        if threading.get_ident() != owner or not is_faster(lhs, rhs, how.arguments):
            return own(lhs, rhs, *args, **kwargs)
        return exchanged(lambda x, kernel: own(x, kernel, *args, **kwargs))(lhs, rhs)

    return convolution


def _narrows(x, kernel, how):
    """Whether a convolution is without strides and has fewer channels after it than before."""
    if how["feature_group_count"] != 1 or how["batch_group_count"] != 1:
        return False
    numbers = jax.lax.conv_dimension_numbers(x.shape, kernel.shape, how["dimension_numbers"])
    out, into = (kernel.shape[axis] for axis in numbers.rhs_spec[:2])
    return out < into and all(stride == 1 for stride in how["window_strides"])


def _narrows_or_strides(x, kernel, how):
    """Whether a transposed convolution has strides, or fewer channels after it than before."""
    if any(stride > 1 for stride in how["strides"]):
        return True
    numbers = jax.lax.conv_dimension_numbers(x.shape, kernel.shape, how["dimension_numbers"])
    channels = [kernel.shape[axis] for axis in numbers.rhs_spec[:2]]
    out, into = reversed(channels) if how["transpose_kernel"] else channels
    return out < into


_IS_FASTER = {"conv_general_dilated": _narrows, "conv_transpose": _narrows_or_strides}
