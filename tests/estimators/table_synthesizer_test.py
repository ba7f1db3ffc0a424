import keras
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from keras_vae.estimators import TableSynthesizer
from keras_vae.table_schema import TableSchema

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)


def table(size=600):
    sex = RNG.choice(["F", "M"], size, p=[0.3, 0.7])
    height = np.where(sex == "F", 165.0, 180.0) + 2 * RNG.normal(size=size)
    return {"sex": sex.tolist(), "height": height.tolist()}


@pytest.fixture(scope="module")
def fitted():
    options = {"latent_dim": 2, "hidden_units": (16,), "learning_rate": 5e-3}
    return TableSynthesizer(num_updates=2500, random_state=0, **options).fit(table())


@pytest.mark.one_backend
def test_rows_keep_the_shares_and_what_goes_together(fitted):
    rows = fitted.sample(2000, seed=0)
    sex, height = np.array(rows["sex"]), np.array(rows["height"])
    assert np.mean(sex == "F") == pytest.approx(0.3, abs=0.1)
    assert height[sex == "M"].mean() - height[sex == "F"].mean() > 8


@pytest.mark.one_backend
def test_columns_that_determine_each_other_stay_matched(fitted):
    rows = fitted.sample(4000, seed=1)
    sex, height = np.array(rows["sex"]), np.array(rows["height"])
    # The two heights overlap, at their middle, in 1 of 10,000 rows.
    assert np.mean((sex == "F") == (height < 172.5)) >= 0.99


@pytest.mark.one_backend
def test_rows_with_a_given_value(fitted):
    rows = fitted.sample(300, where={"sex": "F"}, seed=0)
    assert set(rows["sex"]) == {"F"}
    assert np.mean(rows["height"]) == pytest.approx(165, abs=3)


def test_numbers_stay_within_the_range_of_their_column():
    given = {"gain": [0.0] * 90 + RNG.uniform(1, 50, 10).tolist(), "sex": ["F", "M"] * 50}
    options = {"num_updates": 5, "hidden_units": (8,), "random_state": 0}
    drawn = TableSynthesizer(**options).fit(given).sample(300, seed=0)["gain"]
    assert min(drawn) >= 0
    assert max(drawn) <= max(given["gain"]) * (1 + 1e-6)


@pytest.mark.one_backend
def test_a_given_number_far_away_is_moved_as_it_was_in_training(monkeypatch):
    given = {"gain": [0.5, 1.0] * 100 + [1000.5], "sex": ["F", "M"] * 100 + ["F"]}
    schema = TableSchema.infer(given, {"gain": "real"})
    options = {"num_updates": 5, "hidden_units": (8,), "random_state": 0, "schema": schema}
    fitted = TableSynthesizer(**options).fit(given)
    trained_on, _ = fitted._table_rows(given, reset=False)
    asked, impute = [], fitted.model_.impute

    def noted(x, **options):
        asked.append(x)
        return impute(x, **options)

    monkeypatch.setattr(fitted.model_, "impute", noted)
    rows = fitted.sample(5, where={"gain": 1000.5}, seed=0)
    assert trained_on[-1, 0] < 13 < schema.encode(given)[-1, 0]
    assert asked[0][0, 0] == trained_on[-1, 0]
    assert rows["gain"] == [1000.5] * 5


@pytest.mark.one_backend
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_gives_frames(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame(table(60))
    fitted = TableSynthesizer(num_updates=5, hidden_units=(8,), random_state=0).fit(frame)
    rows = fitted.sample(7, seed=1)
    assert type(rows) is type(frame)
    assert list(rows.columns) == ["sex", "height"]
    assert rows.shape == (7, 2)


@pytest.mark.one_backend
def test_what_cannot_be_given(fitted):
    with pytest.raises(ValueError, match="must be one of 'sex', 'height'"):
        fitted.sample(3, where={"age": 3})
    with pytest.raises(ValueError, match="one of 'F', 'M'"):
        fitted.sample(3, where={"sex": "X"})
    with pytest.raises(ValueError, match="`n`"):
        fitted.sample(0)


@pytest.mark.skipif(keras.config.backend() != "torch", reason="compiles a model for every check")
@pytest.mark.slow
@parametrize_with_checks([TableSynthesizer(num_updates=2, hidden_units=(4,), random_state=0)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)
