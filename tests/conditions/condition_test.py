import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import ArrayCondition
from keras_vae import LabelCondition


def test_missing_or_too_few_conditions_are_refused():
    with pytest.raises(ValueError, match=r"missing.*`y`.*labels from 0"):
        LabelCondition(3).check(None, 2, "y")
    with pytest.raises(ValueError, match=r"each of the 3 examples\. Received: 2"):
        LabelCondition(3).check([0, 1], 3)
    with pytest.raises(ValueError, match="wrong shape or type"):
        LabelCondition(3).check(["a", "b"], 2)
    with pytest.raises(ValueError, match="wrong shape or type"):
        LabelCondition(3).check(np.zeros((2, 4)), 2)


def test_one_condition_stands_for_all():
    np.testing.assert_array_equal(LabelCondition(3).check_for(1, 4), [1, 1, 1, 1])
    repeated = ArrayCondition((2,)).check_for([3.0, 4.0], 3)
    np.testing.assert_array_equal(repeated, [[3, 4]] * 3)


def test_without_dropout_nothing_is_drawn():
    stream = keras.random.SeedGenerator(0)
    before = ops.convert_to_numpy(stream.state).copy()
    given = ops.convert_to_tensor([0, 1])
    assert LabelCondition(4).drop(given, stream) is given
    assert ArrayCondition((2,)).drop(given, stream) is given
    np.testing.assert_array_equal(ops.convert_to_numpy(stream.state), before)


def test_other_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="dropout"):
        LabelCondition(3, dropout=1.0)
    for shape in ((), 4, (0,), (None, 3)):
        with pytest.raises(ValueError, match="shape"):
            ArrayCondition(shape)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("layer", [LabelCondition(3, 0.1), ArrayCondition((2, 3))])
def test_config_makes_the_same_condition(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.shape == layer.shape
