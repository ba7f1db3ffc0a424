import keras
import numpy as np
from keras import ops

from keras_vae.layers.dropout import dropped


def test_the_right_part_is_dropped_and_the_mean_stays():
    x = ops.ones((100, 200))
    y = ops.convert_to_numpy(dropped(x, 0.2, keras.random.SeedGenerator(0)))
    np.testing.assert_allclose(np.unique(y), [0, 1.25])
    assert abs(np.mean(y == 0) - 0.2) < 4 * np.sqrt(0.2 * 0.8 / y.size)


def test_the_generator_decides():
    x, seed = ops.ones((4, 5)), keras.random.SeedGenerator(0)
    first, second = (ops.convert_to_numpy(dropped(x, 0.5, seed)) for _ in range(2))
    assert not np.array_equal(first, second)
    again = ops.convert_to_numpy(dropped(x, 0.5, keras.random.SeedGenerator(0)))
    np.testing.assert_array_equal(first, again)


def test_at_rate_zero_nothing_is_drawn():
    x = ops.ones((4, 5))
    assert dropped(x, 0.0, seed=None) is x


def test_the_type_stays():
    x = ops.cast(ops.ones((4, 5)), "bfloat16")
    y = dropped(x, 0.5, keras.random.SeedGenerator(0))
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
