import keras
import numpy as np
from keras import ops

from keras_vae.layers.everywhere import Everywhere


def test_a_vector_is_at_every_pixel():
    c = np.arange(6, dtype="float32").reshape(2, 3)
    y = ops.convert_to_numpy(Everywhere()([np.zeros((2, 4, 5, 7), "float32"), c]))
    assert np.array_equal(y, np.broadcast_to(c[:, None, None], (2, 4, 5, 3)))


def test_height_and_width_may_be_unknown():
    y = Everywhere()([keras.Input((None, None, 7)), keras.Input((3,))])
    assert y.shape == (None, None, None, 3)
