import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import ArrayCondition
from keras_vae import LabelCondition


def test_labels_become_one_hot():
    expected = [[0, 0, 1], [1, 0, 0]]
    labels = LabelCondition(3)
    for given in ([2, 0], [[2], [0]], expected):
        np.testing.assert_array_equal(labels(np.array(given)), expected)


def test_checked_labels_keep_their_meaning():
    labels = LabelCondition(3)
    for given in ([2, 0], [2.0, 0.0], [[2], [0]], np.array([2, 0], "uint8"), np.eye(3)[[2, 0]]):
        checked = labels.check(given, 2)
        np.testing.assert_array_equal(labels(checked), np.eye(3)[[2, 0]])


@pytest.mark.parametrize("bad", [3, -1, 0.5, np.nan])
def test_a_bad_label_is_named_with_its_index(bad):
    with pytest.raises(ValueError, match=rf"`y` holds 1 .* \({float(bad)}\) at index 2.*0 to 2"):
        LabelCondition(3).check(np.array([0.0, 1.0, bad, 2.0]), 4, "y")


@pytest.mark.parametrize("row", [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0]])
def test_a_row_that_is_not_one_hot_is_refused(row):
    with pytest.raises(ValueError, match="index 1"):
        LabelCondition(3).check(np.array([[0, 1, 0], row]), 2)


def test_missing_or_too_few_conditions_are_refused():
    with pytest.raises(ValueError, match=r"condition is missing. Expected: `y`, labels from 0"):
        LabelCondition(3).check(None, 2, "y")
    with pytest.raises(ValueError, match=r"each of the 3 examples\. Received: 2"):
        LabelCondition(3).check([0, 1], 3)
    with pytest.raises(ValueError, match="wrong shape or type"):
        LabelCondition(3).check(["a", "b"], 2)
    with pytest.raises(ValueError, match="wrong shape or type"):
        LabelCondition(3).check(np.zeros((2, 4)), 2)


def test_labels_that_were_dropped_in_training_may_be_absent():
    labels = LabelCondition(3, dropout=0.5)
    np.testing.assert_array_equal(labels(labels.check_for(None, 2)), np.zeros((2, 3)))
    np.testing.assert_array_equal(labels.check(np.zeros((2, 3)), 2), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="missing"):
        LabelCondition(3).check_for(None, 2)


def test_one_condition_stands_for_all():
    np.testing.assert_array_equal(LabelCondition(3).check_for(1, 4), [1, 1, 1, 1])
    repeated = ArrayCondition((2,)).check_for([3.0, 4.0], 3)
    np.testing.assert_array_equal(repeated, [[3, 4]] * 3)


def test_dropout_leaves_the_right_share_of_labels_and_no_other():
    labels, stream = LabelCondition(4, dropout=0.3), keras.random.SeedGenerator(0)
    given = np.arange(4000) % 4
    shown = ops.convert_to_numpy(labels.drop(ops.convert_to_tensor(given), stream))
    kept = shown.sum(axis=1) == 1
    assert abs(kept.mean() - 0.7) < 4 * np.sqrt(0.3 * 0.7 / 4000)
    np.testing.assert_array_equal(shown[kept], np.eye(4)[given[kept]])
    assert not shown[~kept].any()


def test_without_dropout_nothing_is_drawn():
    stream = keras.random.SeedGenerator(0)
    before = ops.convert_to_numpy(stream.state).copy()
    given = ops.convert_to_tensor([0, 1])
    assert LabelCondition(4).drop(given, stream) is given
    assert ArrayCondition((2,)).drop(given, stream) is given
    np.testing.assert_array_equal(ops.convert_to_numpy(stream.state), before)


def test_arrays_are_checked():
    condition = ArrayCondition((2, 2, 1))
    x = np.arange(8).reshape(2, 2, 2, 1)
    assert condition.check(x, 2).dtype == np.float32
    np.testing.assert_array_equal(condition(condition.check(x, 2)), x)
    with pytest.raises(ValueError, match=r"\(N, 2, 2, 1\).*Add the batch axis"):
        condition.check(x[0], 1)
    bad = x.astype("float32")
    bad[1, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="1 conditions that are not finite, the first at index 1"):
        condition.check(bad, 2)


@pytest.mark.parametrize("arguments", [{"num_classes": 1}, {"num_classes": 2.5}])
def test_bad_numbers_of_classes_are_refused(arguments):
    with pytest.raises(ValueError, match="num_classes"):
        LabelCondition(**arguments)


def test_other_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="dropout"):
        LabelCondition(3, dropout=1.0)
    for shape in ((), 4, (0,), (None, 3)):
        with pytest.raises(ValueError, match="shape"):
            ArrayCondition(shape)


@pytest.mark.parametrize("layer", [LabelCondition(3, 0.1), ArrayCondition((2, 3))])
def test_config_makes_the_same_condition(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.shape == layer.shape
