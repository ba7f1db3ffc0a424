import keras
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from keras_vae.estimators import Imputer
from keras_vae.models.base.imputation import Imputation

pytestmark = pytest.mark.compiled_once

QUICK = {
    "num_updates": 2,
    "num_samples": 2,
    "num_draws": 10,
    "hidden_units": (8,),
    "random_state": 0,
}
RNG = np.random.default_rng(0)


@pytest.mark.skipif(keras.config.backend() != "torch", reason="compiles a model for every check")
@pytest.mark.slow
@parametrize_with_checks([Imputer(**QUICK)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_gaps_are_filled_better_than_by_the_mean():
    x = RNG.normal(size=(300, 1)) @ np.array([[1.0, -2.0, 0.5, 3.0]]) + 5.0
    x += 0.1 * RNG.normal(size=x.shape)
    gaps = RNG.random(x.shape) < 0.3
    imputer = Imputer(num_updates=600, num_samples=5, hidden_units=(16,), random_state=0)
    filled = imputer.fit_transform(np.where(gaps, np.nan, x))
    np.testing.assert_array_equal(filled[~gaps], x[~gaps])
    means = np.broadcast_to(np.nanmean(np.where(gaps, np.nan, x), axis=0), x.shape)
    assert np.mean((filled - x)[gaps] ** 2) < 0.5 * np.mean((means - x)[gaps] ** 2)


@pytest.mark.one_backend
@pytest.mark.parametrize("first", [None, 5.0])
def test_whole_numbers_in_a_column_of_floats_are_filled_by_floats(first):
    polars = pytest.importorskip("polars")
    count = [first, *np.random.default_rng(0).poisson(200, 59).astype(float)]
    count[7] = None
    frame = polars.DataFrame({"city": ["a", "b"] * 30, "count": count})
    imputer = Imputer(num_updates=5, hidden_units=(8,), random_state=0)
    filled = imputer.fit_transform(frame)
    assert filled.schema == frame.schema
    assert filled["count"].null_count() == 0


@pytest.mark.one_backend
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_comes_back_as_a_frame(library):
    frames = pytest.importorskip(library)
    city = RNG.choice(["Bonn", "Ulm"], 60).tolist()
    height = [1.0 if c == "Bonn" else 2.0 for c in city]
    city[3], height[5] = None, None
    frame = frames.DataFrame({"city": city, "height": height})
    filled = Imputer(**QUICK).fit_transform(frame)
    assert type(filled) is type(frame)
    assert filled["city"].to_list()[3] in ("Bonn", "Ulm")
    assert np.isfinite(filled["height"].to_list()).all()
    assert filled["height"].to_list()[0] == height[0]


@pytest.mark.one_backend
def test_a_frame_keeps_its_index_and_the_names_of_its_columns():
    pandas = pytest.importorskip("pandas")
    ages = [30.5, None, 40.25, 50.0] * 5
    frame = pandas.DataFrame({0: ages, 1: ["F", "M"] * 10, "age": ages}, index=range(100, 80, -1))
    filled = Imputer(**QUICK).fit_transform(frame)
    pandas.testing.assert_index_equal(filled.index, frame.index)
    assert list(filled.columns) == [0, 1, "age"]
    frame["age"] = filled["age"]
    assert frame["age"].notna().all()
    assert frame["age"][100] == 30.5


@pytest.mark.one_backend
def test_a_frame_of_numbers_may_hold_gaps_of_its_library():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": pandas.array([1, None, 3, 4], "Int64"), "b": [1.0, 2.0, 3, 5]})
    filled = Imputer(**QUICK).fit_transform(frame)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[:, 0][[0, 2, 3]], [1, 3, 4])


@pytest.mark.one_backend
@pytest.mark.parametrize("is_table", [False, True])
def test_a_far_gap_is_filled_by_a_far_number(is_table, monkeypatch):
    x = np.stack([RNG.normal(size=40), RNG.normal(size=40)], axis=1)
    x[3, 0] = np.nan
    given, place = x, 0
    if is_table:
        pandas = pytest.importorskip("pandas")
        given = pandas.DataFrame({"city": ["Bonn", "Ulm"] * 20, "a": x[:, 0], "b": x[:, 1]})
        place = 1
    imputer = Imputer(**QUICK).fit(given)

    def far(rows, num_samples):
        values = np.where(np.isnan(rows), 13.0, rows).astype("float32")
        return Imputation(values, np.zeros(rows.shape), np.zeros((0, *rows.shape)))

    monkeypatch.setattr(imputer.model_, "impute", far)
    filled = np.asarray(imputer.transform(given))[3, place]
    z = 9.0 + np.exp(3.0)  # 10 + log(1 + z - 10) = 13
    expected = np.nanmean(x[:, 0]) + z * np.nanstd(x[:, 0])
    assert filled == pytest.approx(expected, rel=1e-5)
