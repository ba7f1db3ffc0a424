"""How gradients pass a quantizer, whose own are zero."""

import keras
from keras import ops

from keras_vae.configured import Configured
from keras_vae.gradients import straight_through
from keras_vae.typing import Tensor

TINY = 1e-12  # norms below which a vector has no direction


class GradientEstimator(Configured):
    """Base class: `estimator(z, codes)` returns `codes`, exactly, with a gradient that reaches z.

    z and codes, both (..., d), float32. The codes get no gradient by this way.
    """

    def __call__(self, z: Tensor, codes: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define `__call__`.")


@keras.saving.register_keras_serializable(package="keras_vae")
class StraightThrough(GradientEstimator):
    """The gradient of the identity: z is moved as its code should be.

    Reference: van den Oord et al. 2017, "Neural discrete representation learning", section 3.2;
    Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons for
    conditional computation".
    """

    def __call__(self, z: Tensor, codes: Tensor) -> Tensor:
        return straight_through(codes, z)


@keras.saving.register_keras_serializable(package="keras_vae")
class RotationTrick(GradientEstimator):
    """The gradient of the rotation and scaling that takes z to its code e:

        e = (|e| / |z|) R z,   R = I - 2 r r^T + 2 e^ z^T      (section 4.2)

    with unit vectors e^ of e, z^ of z and r of e^ + z^, all of them constants. The angle between
    gradient and code becomes that between the gradient and z, so that, other than straight
    through, z within one cell are moved apart or together according to where they lie in it.

    At z = 0, which has no direction, the gradient is that of the identity.

    Reference: Fifty et al. 2024, "Restructuring vector quantization with the rotation trick".
    """

    def __call__(self, z: Tensor, codes: Tensor) -> Tensor:
        fixed_z, codes = ops.stop_gradient(z), ops.stop_gradient(codes)
        z_norm, code_norm = _norm(fixed_z), _norm(codes)
        z_unit, code_unit = _unit(fixed_z), _unit(codes)
        middle = _unit(z_unit + code_unit)
        rotated = z - 2 * _dot(z, middle) * middle + 2 * _dot(z, z_unit) * code_unit
        scaled = rotated * code_norm / ops.maximum(z_norm, TINY)
        return straight_through(codes, ops.where(z_norm > TINY, scaled, z))


def _dot(a, b):
    return ops.sum(a * b, axis=-1, keepdims=True)


def _norm(vector):
    return ops.sqrt(_dot(vector, vector))


def _unit(vector):
    return vector / ops.maximum(_norm(vector), TINY)
