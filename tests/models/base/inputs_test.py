import keras
import numpy as np
import pytest

from keras_vae.models.base import inputs


class TwoBatches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index >= 2:
            raise IndexError
        return (np.full((3, 2), index, "float32"),)


class NoBatch(TwoBatches):
    def __len__(self):
        return 0

    def __getitem__(self, index):
        raise IndexError


def test_arrays_of_any_framework_are_arrays_and_data_sets_are_not():
    assert inputs.is_array(np.zeros(3))
    assert inputs.is_array(keras.ops.zeros(3))
    assert not inputs.is_array(TwoBatches())
    assert not inputs.is_array([1, 2])


def test_a_look_at_a_data_set_takes_nothing_from_it():
    data = TwoBatches()
    (batch,), same = inputs.first_batch(data)
    assert same is data
    np.testing.assert_array_equal(batch, np.zeros((3, 2)))


def test_a_look_at_a_generator_puts_the_batch_back():
    generator = (np.full((2,), i) for i in range(3))
    batch, again = inputs.first_batch(generator)
    np.testing.assert_array_equal(batch, [0, 0])
    np.testing.assert_array_equal(np.stack(list(again)), [[0, 0], [1, 1], [2, 2]])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("data", [NoBatch(), iter(()), (x for x in ()), []])
def test_empty_data_sets(data):
    with pytest.raises(ValueError, match=r"`validation_data`.*no batch"):
        inputs.first_batch(data, "validation_data")


def message(x, data_shape):
    with pytest.raises(ValueError, match="`x`") as error:
        inputs.check_examples(x, data_shape)
    return str(error.value)


def test_shape_errors_name_the_likely_cause():
    shape = (28, 20, 1)
    assert "one example" in message(np.zeros(shape), shape)
    assert "x[..., None]" in message(np.zeros((5, 28, 20)), shape)
    assert "3 channels and the model takes 1" in message(np.zeros((5, 28, 20, 3)), shape)
    assert "Expected: (N, 28, 20, 1)" in message(np.zeros((5, 20, 28, 1)), shape)
    inputs.check_examples(np.zeros((5, 28, 20, 1)), shape)
    inputs.check_examples(np.zeros((5, 28, 20, 3)), (28, 20, None))


def test_first_value_that_is_not_finite_is_named():
    x = np.zeros((4, 3), "float32")
    x[2, 1], x[3, 0] = np.nan, np.inf
    found = message(x, (3,))
    assert "2 values that are not finite, the first (nan) at index (2, 1)" in found


def test_large_finite_numbers_pass():
    inputs.check_examples(np.full((4, 3), 3e38, "float32"), (3,))
    inputs.check_examples(np.full((4, 3), 1e308), (3,))  # whose sum is not finite


def test_types_and_emptiness():
    assert "must hold numbers" in message(np.array([["a"]]), (1,))
    assert "is empty: it has shape (0, 3)" in message(np.zeros((0, 3)), (3,))
    inputs.check_examples(np.zeros((2, 3), bool), (3,))
