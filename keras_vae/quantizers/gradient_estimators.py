"""How gradients pass through a quantizer, whose own gradient is zero."""

import keras
from keras import ops

from keras_vae.configured import Configured
from keras_vae.gradients import straight_through
from keras_vae.typing import Tensor

TINY = 1e-12  # a vector of a smaller norm counts as having no direction


class GradientEstimator(Configured):
    """Base class: `estimator(z, codes)` returns exactly `codes`, with a gradient that reaches z.

    Both z and codes are (..., d), float32. No gradient reaches the codes.
    """

    def __call__(self, z: Tensor, codes: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define `__call__`.")


@keras.saving.register_keras_serializable(package="keras_vae")
class StraightThrough(GradientEstimator):
    """Copies the gradient of the code to z, as if quantization were the identity.

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), "Neural discrete
          representation learning", section 3.2
        - [Bengio et al., 2013](https://arxiv.org/abs/1308.3432), "Estimating or propagating
          gradients through stochastic neurons for conditional computation"
    """

    def __call__(self, z: Tensor, codes: Tensor) -> Tensor:
        return straight_through(codes, z)


@keras.saving.register_keras_serializable(package="keras_vae")
class RotationTrick(GradientEstimator):
    """Passes the gradient through the rotation and scaling that take z to its code e:

        e = (|e| / |z|) R z,   R = I - 2 r r^T + 2 e^ z^T      (section 4.2)

    with e^, z^ and r the unit vectors of e, z and e^ + z^, all held constant. The angle between the
    gradient and the code becomes the angle between the gradient and z. Unlike straight-through,
    the z of one cell are therefore pushed together or apart depending on where they lie in it.

    At z = 0, which has no direction, the gradient is that of the identity.

    Reference:
        - [Fifty et al., 2024](https://arxiv.org/abs/2410.06424), "Restructuring vector quantization
          with the rotation trick"
    """

    def __call__(self, z: Tensor, codes: Tensor) -> Tensor:
        fixed_z, codes = ops.stop_gradient(z), ops.stop_gradient(codes)
        z_norm, code_norm = _norm(fixed_z), _norm(codes)
        z_unit, code_unit = _unit(fixed_z), _unit(codes)
        # Two reflections make the rotation (section 4.2): linear in the dimension, no matrix.
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
