import numpy as np
import pytest

from keras_vae.checks import MAX_DRAWS
from keras_vae.checks import check_count
from keras_vae.checks import check_dropout
from keras_vae.checks import check_num_draws
from keras_vae.checks import is_number


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("value", [2, np.int64(2)])
def test_counts_become_ints(value):
    assert type(check_count("n", value, least=2)) is int


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("value", [1, -3, True, 2.0, "2", None])
def test_what_is_no_count_is_named(value):
    with pytest.raises(ValueError, match=r"`n`.*at least 2\. Received: "):
        check_count("n", value, least=2)


def test_numbers_are_those_of_python_and_numpy():
    assert all(is_number(v) for v in (1, 0.5, np.float16(0.5), np.int64(1)))
    assert not any(is_number(v) for v in (True, np.True_, "1", None, 1j, np.zeros(2)))


def test_bad_rates_of_dropout():
    for rate in (0, np.float32(0.1), np.float64(0.1), np.int64(0)):
        assert type(check_dropout(rate)) is float
    for rate in (1, -0.1, True, "half", float("nan")):
        with pytest.raises(ValueError, match="`dropout`"):
            check_dropout(rate)


def test_draws_that_would_not_end():
    assert check_num_draws("n", MAX_DRAWS) == MAX_DRAWS
    with pytest.raises(ValueError, match=r"`n` must be at most 100,000,000.*Received: 100,000,001"):
        check_num_draws("n", MAX_DRAWS + 1)
