"""Values that carry the gradient of something else."""

from keras import ops


def straight_through(value, surrogate):
    """Returns `value`, exactly, with the gradient of `surrogate` in place of its own.

    Reference:
        - [Bengio et al., 2013](https://arxiv.org/abs/1308.3432)
    """
    # value + surrogate - stop_gradient(surrogate) from the left would be off by rounding.
    return ops.stop_gradient(value) + (surrogate - ops.stop_gradient(surrogate))
