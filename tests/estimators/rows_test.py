import random

import keras
import numpy as np
import pytest
from families import BY_NAME

pytest.importorskip("sklearn")

from keras_vae.estimators import Embedding
from keras_vae.estimators import OutlierDetector
from keras_vae.estimators.rows import fit_updates
from keras_vae.estimators.rows import moved_apart
from keras_vae.estimators.rows import moved_together
from keras_vae.table_schema import Column
from keras_vae.table_schema import TableSchema

pytestmark = pytest.mark.compiled_once

QUICK = {"num_updates": 2, "hidden_units": (4,), "latent_dim": 2, "random_state": 0}
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(20, 2))
TABLE = {"city": ["Bonn", "Ulm"] * 10, "height": RNG.normal(size=20).tolist()}


def test_far_numbers_keep_their_order_and_the_density_its_mass():
    z = np.linspace(-60, 60, 240_001)[:, None]
    moved, log_density = moved_together(z)
    near = np.abs(z[:, 0]) <= 10
    np.testing.assert_allclose(moved[near], z[near].astype("float32"))
    assert (np.diff(moved[:, 0]) >= 0).all()
    slope = np.gradient(moved[:, 0].astype("float64"), z[:, 0])
    np.testing.assert_allclose(np.exp(log_density[::1000, 0]), slope[::1000], atol=0.02)


def test_numbers_moved_together_and_apart_are_as_before():
    z = np.array([[-1e6, -10.0, 0.0], [12.5, 1e3, np.nan]])
    np.testing.assert_allclose(moved_apart(moved_together(z)[0].astype("float64")), z, rtol=1e-4)


def test_no_number_is_too_large():
    moved, log_density = moved_together(np.array([[1e300, np.nan], [-1e300, 0.0]]))
    assert np.isfinite(log_density).all()
    assert moved[0, 0] == -moved[1, 0]
    assert np.isnan(moved[0, 1])


def test_training_makes_whole_epochs_of_at_least_the_updates():
    family = BY_NAME["vae"]
    model = fit_updates(family.model(), family.data(), 5, batch_size=4, learning_rate=1e-3)
    assert int(model.optimizer.iterations) == 6  # of 8 examples


def draws_of_the_user():
    return random.random(), np.random.rand(), float(keras.random.uniform(()))


@pytest.mark.parametrize("shape", [(20, 2), (8, 8, 8, 1)])
def test_training_leaves_the_generators_of_the_user_as_they_are(shape):
    x = RNG.normal(size=shape)
    options = {k: v for k, v in QUICK.items() if len(shape) == 2 or k != "hidden_units"}
    keras.utils.set_random_seed(3)
    expected = draws_of_the_user()
    keras.utils.set_random_seed(3)
    OutlierDetector(**options).fit(x)
    assert draws_of_the_user() == expected


def test_a_seed_gives_the_same_model_whatever_the_generators_of_the_user():
    scores = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        scores.append(OutlierDetector(**QUICK).fit(ROWS).score_samples(ROWS))
    np.testing.assert_array_equal(*scores)


@pytest.mark.one_backend
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_frame_of_numbers_is_an_array_whatever_its_library(library):
    frames = pytest.importorskip(library)
    make = frames.table if library == "pyarrow" else frames.DataFrame
    numbers = {"grade": [1, 2, 3, 4] * 5, "height": ROWS[:, 0].tolist()}
    fitted = Embedding(**QUICK).fit(make(numbers))
    assert [column.kind for column in fitted.schema_.columns] == ["real", "real"]
    assert list(fitted.feature_names_in_) == ["grade", "height"]
    expected = Embedding(**QUICK).fit_transform(np.stack(list(numbers.values()), axis=1))
    np.testing.assert_array_equal(fitted.transform(make(numbers)), expected)


@pytest.mark.one_backend
def test_names_of_columns_may_be_numbers():
    frame = pytest.importorskip("pandas").DataFrame({0: TABLE["city"], 1: TABLE["height"]})
    points = Embedding(**QUICK).fit_transform(frame)
    expected = Embedding(**QUICK).fit_transform(frame.rename(columns=str))
    np.testing.assert_array_equal(points, expected)


@pytest.mark.one_backend
def test_an_estimator_of_tables_refuses_an_array():
    frame = pytest.importorskip("pandas").DataFrame(TABLE)
    fitted = Embedding(**QUICK).fit(ROWS).fit(frame)
    assert not hasattr(fitted, "location_")
    with pytest.raises(ValueError, match=r"fitted on a table.*\['city', 'height'\].*ndarray"):
        fitted.transform(ROWS)
    assert fitted.fit(ROWS).transform(ROWS).shape == (20, 2)
    assert not hasattr(fitted, "feature_names_in_")


@pytest.mark.one_backend
def test_a_schema_is_of_a_data_frame():
    schema = TableSchema([Column("a", "real"), Column("b", "positive")])
    with pytest.raises(ValueError, match=r"has a `schema`.*\['a', 'b'\].*leave `schema` out"):
        Embedding(schema=schema, **QUICK).fit(ROWS)
