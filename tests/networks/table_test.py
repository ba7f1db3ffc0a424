import keras
import numpy as np
import pytest

import keras_vae
from keras_vae import TableSchema

pytestmark = pytest.mark.compiled_once


def table(size=400):
    """A number that a class determines, a rare class, and a count, with gaps."""
    rng = np.random.default_rng(0)
    city = rng.choice(["Bonn", "Ulm", "Kiel"], size, p=[0.6, 0.39, 0.01])
    height = np.where(city == "Bonn", -3.0, np.where(city == "Ulm", 0.0, 4.0))
    visits = rng.poisson(25, size).astype(float)
    visits[::7] = np.nan
    return {"city": city.tolist(), "height": height + 0.1 * rng.normal(size=size), "visits": visits}


def model_of(schema, family=keras_vae.VAE, **options):
    return family(
        keras_vae.TableEncoder(schema, 3, (16,)),
        keras_vae.TableDecoder(schema, 3, (16,)),
        keras_vae.ColumnsLikelihood(schema),
        seed=0,
        **options,
    )


def test_trains_on_a_table_with_gaps_and_loads_from_a_preset(tmp_path):
    schema = TableSchema.infer(table())
    x = schema.encode(table())
    model = model_of(schema)
    model.compile(keras.optimizers.Adam(0.01))
    losses = model.fit(x, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save_to_preset(tmp_path)
    loaded = keras_vae.VAE.from_preset(tmp_path)
    np.testing.assert_allclose(loaded.score(x[:9]), model.score(x[:9]), rtol=1e-5)
    assert loaded.likelihood.schema.columns == schema.columns


def test_draws_are_rows_of_the_table():
    schema = TableSchema.infer(table())
    rows = schema.decode(model_of(schema).sample(20, seed=0, from_likelihood=True))
    assert set(rows["city"]) <= {"Bonn", "Ulm", "Kiel"}
    assert all(isinstance(n, int) and n >= 0 for n in rows["visits"])


@pytest.mark.slow
def test_columns_that_determine_each_other_stay_matched_and_rare_classes_survive():
    # With N(0, I) as the prior 4 % are not: draws between two classes fit neither.
    keras.utils.set_random_seed(0)
    schema = TableSchema.infer(table(4000))
    model = model_of(schema, prior=keras_vae.GaussianMixture(8))
    model.compile(keras.optimizers.Adam(0.006))
    model.fit(schema.encode(table(4000)), epochs=35, batch_size=64, verbose=0)
    rows = schema.decode(model.sample(20_000, seed=0, from_likelihood=True))
    city, height = np.array(rows["city"]), np.array(rows["height"])
    nearest = np.array(["Bonn", "Ulm", "Kiel"])[
        np.abs(height[:, None] - [-3.0, 0.0, 4.0]).argmin(axis=1)
    ]
    assert np.mean(nearest == city) >= 0.99
    assert 0.004 < np.mean(city == "Kiel") < 0.02


@pytest.mark.one_backend
def test_no_schema():
    with pytest.raises(TypeError, match="`schema`"):
        keras_vae.TableEncoder((5,), 2)
