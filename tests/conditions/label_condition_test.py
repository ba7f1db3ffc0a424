import keras
import numpy as np
import pytest
from keras import ops

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


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("bad", [3, -1, 0.5, np.nan])
def test_a_bad_label_is_named_with_its_index(bad):
    with pytest.raises(ValueError, match=rf"`y` holds 1 .* \({float(bad)}\) at index 2.*0 to 2"):
        LabelCondition(3).check(np.array([0.0, 1.0, bad, 2.0]), 4, "y")


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("row", [[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0]])
def test_a_row_that_is_not_one_hot_is_refused(row):
    with pytest.raises(ValueError, match="index 1"):
        LabelCondition(3).check(np.array([[0, 1, 0], row]), 2)


def test_labels_that_were_dropped_in_training_may_be_absent():
    labels = LabelCondition(3, dropout=0.5)
    np.testing.assert_array_equal(labels(labels.check_for(None, 2)), np.zeros((2, 3)))
    np.testing.assert_array_equal(labels.check(np.zeros((2, 3)), 2), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="missing"):
        LabelCondition(3).check_for(None, 2)


def test_dropout_leaves_the_right_share_of_labels_and_no_other():
    labels, stream = LabelCondition(4, dropout=0.3), keras.random.SeedGenerator(0)
    given = np.arange(4000) % 4
    shown = ops.convert_to_numpy(labels.drop(ops.convert_to_tensor(given), stream))
    kept = shown.sum(axis=1) == 1
    assert abs(kept.mean() - 0.7) < 4 * np.sqrt(0.3 * 0.7 / 4000)
    np.testing.assert_array_equal(shown[kept], np.eye(4)[given[kept]])
    assert not shown[~kept].any()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("arguments", [{"num_classes": 1}, {"num_classes": 2.5}])
def test_bad_numbers_of_classes_are_refused(arguments):
    with pytest.raises(ValueError, match="num_classes"):
        LabelCondition(**arguments)
