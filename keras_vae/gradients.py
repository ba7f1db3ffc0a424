"""Values that carry the gradient of something else."""

from keras import ops

from keras_vae.typing import Tensor


def straight_through(value: Tensor, surrogate: Tensor) -> Tensor:
    """Returns exactly `value`, but with the gradient of `surrogate`.

    Args:
        value: Tensor.
        surrogate: Tensor of the same shape.

    Returns:
        Tensor equal to `value`.

    Reference:
        - [Bengio et al., 2013](https://arxiv.org/abs/1308.3432)
    """
    # The difference is exactly 0. Evaluated from left to right, value + surrogate -
    # stop_gradient(surrogate) would differ from value by rounding.
    return ops.stop_gradient(value) + (surrogate - ops.stop_gradient(surrogate))


def passing(tensor: Tensor, share: Tensor | float | None) -> Tensor:
    """Returns `tensor`, which passes on only a share of its gradient; `None` means all of it."""
    return tensor if share is None else straight_through(tensor, share * tensor)
