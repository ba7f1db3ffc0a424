import numpy as np
import pytest
from keras import ops

from keras_vae import tokens

pytestmark = pytest.mark.one_backend
X = np.array([[3, 4, 1, 0], [1, 0, 0, 0], [5, 5, 5, 5]])


def test_the_token_before_each():
    got = ops.convert_to_numpy(tokens.previous_tokens(X))
    assert got.tolist() == [[0, 3, 4, 1], [0, 1, 0, 0], [0, 5, 5, 5]]


def test_the_end_counts_and_padding_does_not():
    assert ops.convert_to_numpy(tokens.token_counts(X)).tolist() == [3, 1, 4]


def test_nothing_stays_after_the_end():
    got = tokens.ended(np.array([[3, 1, 7, 1], [4, 4, 4, 4]]))
    assert got.tolist() == [[3, 1, 0, 0], [4, 4, 4, 4]]


def test_sequences_pass():
    tokens.check_sequences(X.astype("float32"), 6)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ([3, 6, 1, 0], "from 0 to 5.*position 1"),
        ([3, 1.5, 1, 0], "integers"),
        ([3, -1, 1, 0], "Received: -1"),
        ([0, 0, 0, 0], "then the end"),  # an empty sequence is its end
        ([3, 0, 3, 1], "padding"),
        ([3, 1, 3, 1], "end"),
        ([3, 4, 0, 0], "a full row may omit the end"),
    ],
)
def test_what_is_no_sequence(row, word):
    with pytest.raises(ValueError, match=word):
        tokens.check_sequences(np.array([X[0], row]), 6)
