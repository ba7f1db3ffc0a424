"""Fast gradients of convolutions for JAX on CPUs."""

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
    """Within this context gradients of kernels are computed in a way that is fast on a CPU.

    XLA computes them with a convolution whose kernel is the cotangent. If the input is dilated, as
    in a transposed convolution with strides, that takes over 20 times as long as the forward pass;
    if a convolution has fewer output than input channels, it takes twice as long as necessary. So
    they are computed as the gradients of the transposed operation; see `exchanged`.
    `benchmarks/benches/transposed_kernel_gradient.py` shows when JAX no longer needs this.

    It applies to everything that this thread traces: layers of Keras, and code that calls
    `jax.lax`. On other devices it does nothing.

    Raises:
        TypeError, NotImplementedError: Raised by JAX if a convolution is differentiated in forward
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
    """Returns a convolution whose gradient with respect to the kernel is computed differently.

    A convolution is linear in x. With its transpose T, which maps the cotangent g to that of x,

        <f(x, k), g> = <x, T(g, k)>

    so the gradient with respect to k is that of the convolution T, with x and g exchanged. It adds
    the same summands in another order.

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
    """Returns JAX's function, with the other gradient where it is faster, in this thread."""
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
    """Whether a convolution has no strides, and fewer output than input channels."""
    if how["feature_group_count"] != 1 or how["batch_group_count"] != 1:
        return False
    numbers = jax.lax.conv_dimension_numbers(x.shape, kernel.shape, how["dimension_numbers"])
    out, into = (kernel.shape[axis] for axis in numbers.rhs_spec[:2])
    return out < into and all(stride == 1 for stride in how["window_strides"])


def _narrows_or_strides(x, kernel, how):
    """Whether a transposed convolution has strides, or fewer output than input channels."""
    if any(stride > 1 for stride in how["strides"]):
        return True
    numbers = jax.lax.conv_dimension_numbers(x.shape, kernel.shape, how["dimension_numbers"])
    channels = [kernel.shape[axis] for axis in numbers.rhs_spec[:2]]
    out, into = reversed(channels) if how["transpose_kernel"] else channels
    return out < into


_IS_FASTER = {"conv_general_dilated": _narrows, "conv_transpose": _narrows_or_strides}
