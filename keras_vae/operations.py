"""Operations of Keras, by the backend's own functions where those are at hand."""

from collections.abc import Callable


def plain(operation: Callable) -> Callable:
    """Returns an operation of Keras as a function of tensors, by the backend's own if it has one.

    Keras converts and checks the arguments at each call. On PyTorch that takes longer than the
    operation itself on small tensors.

    Args:
        operation: Function in `keras.ops` or `keras.activations`. It is returned itself if it is
            not registered here. An axis is to be passed by position.
    """
    return _PLAIN.get(operation, operation)


def replace_by(operation: Callable, function: Callable) -> None:
    """Makes `plain` return a function of the backend for an operation of Keras."""
    _PLAIN[operation] = function


_PLAIN: dict[Callable, Callable] = {}
