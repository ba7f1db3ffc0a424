import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers.k_means import JITTER
from keras_vae.quantizers.k_means import drawn_again
from keras_vae.quantizers.k_means import k_means
from keras_vae.quantizers.k_means import totals


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def uniform(size, seed=0):
    return np.random.default_rng(seed).uniform(size=size).astype("float32")


def called(function, *arrays):
    return function(*[ops.convert_to_tensor(a) for a in arrays])


def draw(codes, lost, rows, weights=None, seed=0, noise=None):
    weights = np.ones(len(rows), "float32") if weights is None else weights
    noise = uniform(len(rows), seed) if noise is None else noise
    return numpy(called(drawn_again, codes, np.array(lost), rows, weights, noise))


def rows_of_codes(codes, rows):
    """The index of the row that each code lies on."""
    same = (codes[:, None] == rows).all(axis=-1)
    assert (same.sum(axis=1) == 1).all()
    return same.argmax(axis=1)


def test_totals_by_hand():
    rows, weights = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]), [1.0, 1.0, 0.0, 1.0]
    indices = np.array([2, 0, 0, 2], "int32")
    sums, counts = totals(
        *[ops.convert_to_tensor(a, "float32") for a in (rows, weights)],
        ops.convert_to_tensor(indices),
        3,
    )
    np.testing.assert_array_equal(numpy(sums), [[3, 4], [0, 0], [8, 10]])
    np.testing.assert_array_equal(numpy(counts), [1, 0, 2])


def test_lost_codes_are_put_on_different_rows_and_the_others_stay():
    codes, rows, lost = normal(5, 3), normal(8, 3, seed=1), [True, False, True, True, False]
    drawn = draw(codes, lost, rows)
    np.testing.assert_array_equal(drawn[[1, 4]], codes[[1, 4]])
    assert len(set(rows_of_codes(drawn[[0, 2, 3]], rows))) == 3
    again = draw(codes, lost, rows, seed=1)
    assert (drawn[[0, 2, 3]] != again[[0, 2, 3]]).any()


def test_rows_are_drawn_in_proportion_to_their_weights():
    codes, rows = normal(1, 2), normal(3, 2, seed=1)
    weights = np.array([1.0, 0.0, 3.0], "float32")
    drawn = [rows_of_codes(draw(codes, [True], rows, weights, s), rows)[0] for s in range(300)]
    counts = np.bincount(drawn, minlength=3)
    assert counts[1] == 0
    assert abs(counts[2] / 300 - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 300)


def test_rows_without_a_weight_are_not_drawn_whatever_the_noise():
    rows, weights = normal(6, 2), np.array([0.0, 1.0, 0.0, 1e-25, 1.0, 0.0], "float32")
    drawn = draw(normal(3, 2), [True] * 3, rows, weights, noise=np.zeros(6, "float32"))
    assert sorted(rows_of_codes(drawn, rows)) == [1, 3, 4]


def test_rows_are_shared_where_there_are_fewer_than_codes():
    rows = normal(5, 3, seed=1)
    weights = np.array([1.0, 1.0, 0.0, 1.0, 0.0], "float32")
    drawn = draw(normal(8, 3), [True] * 8, rows, weights)
    assert len(np.unique(drawn, axis=0)) == 8
    first, second = drawn[:3], drawn[3:6]
    assert sorted(rows_of_codes(first, rows)) == [0, 1, 3]
    steps = np.linalg.norm(second - first, axis=1)
    assert (steps > 0).all()
    others = np.roll(first, -1, axis=0)
    assert (steps < JITTER * np.linalg.norm(others - first, axis=1)).all()


def test_no_code_moves_where_no_row_has_a_weight():
    codes, rows = normal(4, 3), normal(6, 3, seed=1)
    drawn = draw(codes, [True] * 4, rows, np.zeros(6, "float32"))
    np.testing.assert_array_equal(drawn, codes)


def k_means_of(codes, rows, num_iterations, weights=None):
    weights = np.ones(len(rows), "float32") if weights is None else weights
    arrays = codes, rows, weights, uniform(len(rows))
    tensors = [ops.convert_to_tensor(a) for a in arrays]
    return numpy(k_means(*tensors, num_iterations))


def numpy_k_means(codes, rows, num_iterations):
    for _ in range(num_iterations):
        nearest = np.square(rows[:, None] - codes).sum(axis=-1).argmin(axis=1)
        codes = np.stack([rows[nearest == k].mean(axis=0) for k in range(len(codes))])
    return codes


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_iterations", [0, 1, 4])
def test_agrees_with_numpy(num_iterations):
    rows = normal(100, 3)
    expected = numpy_k_means(rows[:6], rows, num_iterations)
    found = k_means_of(rows[:6], rows, num_iterations)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_rows_without_a_weight_do_not_count():
    rows, weights = normal(60, 3), np.ones(60, "float32")
    weights[40:] = 0
    rows[40:] = 100
    expected = numpy_k_means(rows[:6], rows[:40], 3)
    np.testing.assert_allclose(k_means_of(rows[:6], rows, 3, weights), expected, atol=1e-5)


def test_no_code_is_left_without_rows():
    # 20 clusters, and all the codes on one row of the first.
    centers = 10 * normal(20, 3, seed=1)
    rows = np.repeat(centers, 10, axis=0) + 0.01 * normal(200, 3)
    codes = k_means_of(np.repeat(rows[:1], 20, axis=0), rows, 10)
    nearest = np.square(rows[:, None] - codes).sum(axis=-1).argmin(axis=1)
    assert len(np.unique(nearest)) == 20
    assert np.square(rows - codes[nearest]).sum() < 0.05 * np.square(rows - rows.mean()).sum()


def test_codes_that_nothing_is_left_for_stay():
    rows = np.repeat(np.eye(2, dtype="float32"), 5, axis=0)
    codes = np.concatenate([rows[[0, 5]], normal(2, 2) + 50])
    np.testing.assert_array_equal(k_means_of(codes, rows, 3), codes)
