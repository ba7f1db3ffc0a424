import numpy as np
from keras import ops

from keras_vae import ObservedValues


def test_zero_stands_for_a_gap_and_the_mask_tells_it():
    got = ops.convert_to_numpy(ObservedValues()(np.array([[0.5, np.nan], [0.0, 2.0]])))
    assert got.tolist() == [[0.5, 0, 1, 0], [0, 2, 1, 1]]
    assert ObservedValues().compute_output_shape((None, 7, 3)) == (None, 7, 6)
