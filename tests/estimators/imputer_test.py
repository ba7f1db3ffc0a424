import keras
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from keras_vae.estimators import Imputer

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
