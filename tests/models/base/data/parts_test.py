import numpy as np
import pytest

from keras_vae.models.base.data.parts import Parts
from keras_vae.models.base.data.parts import of_batch
from keras_vae.models.base.data.parts import of_x

X, Y, W = np.zeros((4, 3)), np.arange(4), np.ones(4)


def same(found, *expected):
    return all(a is b for a, b in zip(found, Parts(*expected), strict=True))


@pytest.mark.parametrize(
    "batch, takes_pairs, expected",
    [
        (X, False, (X,)),
        ((X,), False, (X,)),
        ([X, Y], True, (X, Y)),
        ((X, Y, W), True, (X, Y, W)),
        ((X, None, W), False, (X, None, W)),
        (([X, Y],), True, (X, Y)),
        ((((X, Y)), None, W), True, (X, Y, W)),
        ({"image": X, "label": Y}, True, (X, Y)),
        ({"image": X, "label": Y}, False, (X,)),
        ({"x": X, "y": Y, "sample_weight": W}, True, (X, Y, W)),
        (({"x": X, "condition": Y},), True, (X, Y)),
        ({"photo": X}, False, (X,)),
        ({"x": X, "id": Y}, False, (X,)),
    ],
)
def test_parts_of_a_batch(batch, takes_pairs, expected):
    assert same(of_batch(batch, takes_pairs), *expected)


def test_a_list_of_two_examples_is_no_pair():
    examples = [X[0], X[1]]
    assert of_x(examples, True, data_shape=(3,)).x is examples
    assert same(of_x([X, Y], True, data_shape=(3,)), X, Y)


def test_a_dict_that_is_not_plain_names_its_keys():
    for batch in ({"a": X, "b": Y}, {"x": X, "image": X}, {}):
        with pytest.raises(ValueError, match="unclear which of its entries") as error:
            of_batch(batch, False, "data")
        assert ", ".join(map(repr, batch)) in str(error.value)
    with pytest.raises(ValueError, match="'label', 'target'"):
        of_batch({"x": X, "label": Y, "target": Y}, True)


def test_tuples_of_four():
    with pytest.raises(ValueError, match="yields tuples of 4"):
        of_batch((X, Y, W, W), False)


def test_weights_without_y_are_given_with_x():
    assert Parts(X, None, W).given == (X, X, W)
    assert Parts(X).given == (X,)
