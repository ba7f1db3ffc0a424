import numpy as np
from keras import ops

from keras_vae.gradients import straight_through


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_straight_through_is_exact_where_plain_addition_is_not():
    value, surrogate = (ops.convert_to_tensor([v], "float32") for v in (1e-9, 50.0))
    assert numpy(straight_through(value, surrogate))[0] == np.float32(1e-9)
    assert numpy(value + surrogate - surrogate)[0] == 0.0
