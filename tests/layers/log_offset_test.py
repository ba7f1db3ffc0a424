import numpy as np
from keras import ops

from keras_vae.layers import LogOffset


def test_the_first_block_is_moved_and_no_other():
    parameters = np.arange(12.0).reshape(2, 6)
    got = ops.convert_to_numpy(LogOffset(3)([parameters, np.array([[10.0], [20.0]])]))
    expected = parameters + np.array([[10, 10, 0, 0, 0, 0], [20, 20, 0, 0, 0, 0]])
    np.testing.assert_array_equal(got, expected)


def test_config_round_trip():
    assert LogOffset.from_config(LogOffset(3).get_config()).num_parameters == 3
