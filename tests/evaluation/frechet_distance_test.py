import numpy as np
import pytest

from keras_vae.evaluation import frechet_distance


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((2, 6, 6))
    return rng.standard_normal((40, 6)) @ mixing[0], 1 + rng.standard_normal((25, 6)) @ mixing[1]


def test_one_feature_by_hand():
    # Means 0 and 3, variances 2 and 8: 9 + (sqrt(8) - sqrt(2))^2.
    assert np.isclose(frechet_distance([[-1.0], [1.0]], [[1.0], [5.0]]), 11.0)


def test_uncorrelated_features_add_up():
    a = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1.0]])
    assert np.isclose(frechet_distance(a, a * [2, 5] + [0, 1]), 1 + (1 + 16) * 4 / 3)


def test_a_set_is_at_no_distance_from_itself_and_the_distance_is_symmetric(features):
    a, b = features
    assert frechet_distance(a, a[::-1]) < 1e-10
    assert np.isclose(frechet_distance(a, b), frechet_distance(b, a))


def test_agrees_with_scipys_matrix_root(features):
    linalg = pytest.importorskip("scipy.linalg")
    a, b = features
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = linalg.sqrtm(cov_a @ cov_b).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(cov_a + cov_b - 2 * root)
    assert np.isclose(frechet_distance(a, b), expected, rtol=1e-9)


def test_fewer_rows_than_features(features):
    a, b = (f[:4] for f in features)
    assert frechet_distance(a, a) < 1e-10
    assert np.isclose(frechet_distance(a, a + 2.0), 24.0)
    # A line along each of two axes: their product is 0, and nothing overlaps.
    line, across = np.outer([1, -1], [1, 0, 0.0]), np.outer([1, -1], [0, 1, 0.0])
    assert np.isclose(frechet_distance(line, across), 4.0)
    assert frechet_distance(a, b) > 0


def test_half_precision_features_are_summed_in_double():
    a = np.full((1000, 1), 300.0, "float16")
    assert frechet_distance(a, a - np.float16(1)) == pytest.approx(1.0)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("a", "b", "match"),
    [
        (np.ones((3, 2)), np.ones((3, 4)), "the same features"),
        (np.ones(3), np.ones((3, 1)), r"`features_a` must be a matrix .* shape \(3,\)"),
        (np.ones((3, 1)), np.ones((1, 1)), "`features_b` must be a matrix .* at least two"),
        (np.ones((3, 1)), np.full((3, 1), np.nan), "`features_b`.*finite. Received: 3"),
        (np.full((3, 1), -np.inf), np.ones((3, 1)), "`features_a`.*finite"),
    ],
)
def test_bad_features(a, b, match):
    with pytest.raises(ValueError, match=match):
        frechet_distance(a, b)
