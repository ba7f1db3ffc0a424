import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from keras_vae.steps import checked_tf_data  # noqa: E402

X, Y = np.arange(6, dtype="float32").reshape(6, 1), np.arange(6)


def mapped(dataset, seen, limit=np.inf):
    def check(parts):
        x, y, _ = parts
        seen.append((type(x), type(y), len(x)))
        if x.max() > limit:
            raise ValueError("too large")

    def parts_of(element):
        return (*element, None)

    return checked_tf_data.mapped(dataset, parts_of, check, lambda parts: tuple(parts[:2]))


def test_elements_stay_as_they_are_and_are_seen_as_arrays():
    seen = []
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    again = mapped(dataset, seen)
    assert again.element_spec[0].dtype == tf.float32
    assert int(again.cardinality()) == 2
    x, y = (np.concatenate(part) for part in zip(*again.as_numpy_iterator(), strict=True))
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)
    assert seen == [(np.ndarray, np.ndarray, 4), (np.ndarray, np.ndarray, 2)]


def test_a_bad_element_is_not_given():
    given = []
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):  # noqa: PT012
        for x, _ in mapped(tf.data.Dataset.from_tensor_slices((X, Y)).batch(2), [], limit=3):
            given.append(len(x))
    assert given == [2, 2]
