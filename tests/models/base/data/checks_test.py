import numpy as np
import pytest

from keras_vae.models.base.data import checks


def message(x, data_shape, check_values=None):
    with pytest.raises(ValueError, match="`x`") as error:
        checks.check_examples(x, data_shape, "x", check_values)
    return str(error.value)


def test_shape_errors_name_the_likely_cause():
    shape = (28, 20, 1)
    assert "one example" in message(np.zeros(shape), shape)
    assert "x[..., None]" in message(np.zeros((5, 28, 20)), shape)
    assert "3 channels, but the model takes 1" in message(np.zeros((5, 28, 20, 3)), shape)
    assert "Expected: (N, 28, 20, 1)" in message(np.zeros((5, 20, 28, 1)), shape)
    assert "x.reshape(-1, 28, 20, 1)" in message(np.zeros((5, 560)), shape)
    checks.check_examples(np.zeros((5, 28, 20, 1)), shape)
    checks.check_examples(np.zeros((5, 28, 20, 3)), (28, 20, None))


@pytest.mark.parametrize(
    "given, expected, axes",
    [
        ((3, 8, 6), (8, 6, 3), "(0, 2, 3, 1)"),
        ((1, 8, 6), (8, 6, 1), "(0, 2, 3, 1)"),
        ((6, 8, 3), (8, 6, 3), "(0, 2, 1, 3)"),
        ((2, 50), (50, 2), "(0, 2, 1)"),
        ((3, 32, 32), (28, 28, 1), "(0, 2, 3, 1)"),
    ],
)
def test_exchanged_axes_are_transposed_and_never_reshaped(given, expected, axes):
    told = message(np.zeros((5, *given)), expected)
    assert f"x.transpose{axes}" in told
    assert "x.reshape" not in told
    if sorted(given) == sorted(expected):
        assert np.transpose(np.zeros((5, *given)), eval(axes)).shape == (5, *expected)


def test_first_value_that_is_not_finite_is_named():
    x = np.zeros((4, 3), "float32")
    x[2, 1], x[3, 0] = np.nan, np.inf
    found = message(x, (3,))
    assert "2 values that are not finite" in found
    assert "Received: nan at index (2, 1)" in found


def test_large_finite_numbers_pass():
    checks.check_examples(np.full((4, 3), 3e38, "float32"), (3,))
    checks.check_examples(np.full((4, 3), 1e308), (3,))  # whose sum is not finite


def test_types_and_emptiness():
    assert "must hold numbers" in message(np.array([["a"]]), (1,))
    assert "is empty: it has shape (0, 3)" in message(np.zeros((0, 3)), (3,))
    checks.check_examples(np.zeros((2, 3), bool), (3,))


def test_values_are_checked_in_blocks_and_worded_for_the_whole():
    sizes = []

    def check_values(x, name):
        sizes.append(len(x))
        if x.max() > 1:
            raise ValueError(f"`{name}` of {len(x)}")

    x = np.zeros((1000, 784), "float32")
    checks.check_examples(x, (784,), "x", check_values)
    assert sum(sizes) == 1000
    assert max(sizes) * x[0].nbytes <= 1 << 18
    x[999] = 2
    assert message(x, (784,), check_values) == "`x` of 1000"


def test_weights():
    np.testing.assert_array_equal(checks.check_sample_weight([1, 0], 2, "w"), [1, 0])
    assert checks.check_sample_weight(None, 2, "w") is None
    for bad in ([1], [[1], [2]], [1, -1], [1, np.nan], [1, np.inf], ["a", "b"]):
        with pytest.raises(ValueError, match="`w` must hold one finite number of at least 0"):
            checks.check_sample_weight(bad, 2, "w")


def test_fractions():
    assert checks.check_fraction(0.25, 8) == 2
    for bad in (1.0, -0.1, 0.01, "a", np.nan):
        with pytest.raises(ValueError, match="leaves one of the two parts empty"):
            checks.check_fraction(bad, 8)
