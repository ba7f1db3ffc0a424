"""A bound that never stops the gradient."""

from keras import ops

from keras_vae.devices import numbers_are_at_hand
from keras_vae.typing import Tensor


def soft_bound(value: Tensor, limit: float = 20.0) -> Tensor:
    """Keeps `value` within about `limit`, growing only logarithmically beyond it.

    `f(v) = v` for `|v| <= limit`, else `sign(v) * (limit + log(1 + |v| - limit))`.

    The slope is continuous and nowhere 0, so an exploding log-variance stays finite and can still
    recover, as it could not from a clamp. With the default limit, `|f(v)| < 29.3` for
    `|v| <= 1e4`, so in float32 both `exp(f(v))` and its square are finite and positive.

    Args:
        value: Tensor.
        limit: Positive float, up to which `f` is the identity.

    Returns:
        Tensor of the shape of `value`.

    Example:

    >>> soft_bound(np.array([-3.0, 19.0, 1e4]))  # [-3., 19., 29.2084]
    """
    value = ops.convert_to_tensor(value)
    if numbers_are_at_hand() and bool((value.detach().abs() <= limit).all()):
        return value  # nearly always
    sign = ops.sign(value)
    excess = ops.relu(ops.abs(value) - limit)
    # `value - sign * excess` is exact, and has no branch whose gradient could be NaN.
    # Next to the limit, log1p would be no more exact than log, and ONNX converters lack it.
    return value - sign * excess + sign * ops.log(1.0 + excess)
