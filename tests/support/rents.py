"""A small table of rents in two cities, and a model of it."""

import keras
import numpy as np

import keras_vae

RNG = np.random.default_rng(0)
CITY = RNG.choice(["Bonn", "Ulm"], 300)
TABLE = {
    "city": CITY.tolist(),
    "rent": (np.where(CITY == "Bonn", 900.0, 600.0) + 20 * RNG.normal(size=300)).tolist(),
    "rooms": RNG.integers(1, 5, 300).tolist(),
}


def trained_model():
    """Returns a model that knows what rents are in Bonn and in Ulm."""
    keras.utils.set_random_seed(0)
    schema = keras_vae.TableSchema.infer(TABLE)
    model = keras_vae.VAE(
        keras_vae.TableEncoder(schema, 2, (16,)),
        keras_vae.TableDecoder(schema, 2, (16,)),
        keras_vae.ColumnsLikelihood(schema),
        seed=0,
    )
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(schema.encode(TABLE), epochs=60, batch_size=100, verbose=0)
    return model
