"""Trains on four devices with `keras.distribution.DataParallel`, and on one without."""

import families
import jax
import keras
import numpy as np
from states import largest_difference
from states import state

FAMILY = families.BY_NAME["vae"]


def trained():
    model = FAMILY.compiled(keras.optimizers.SGD(0.01, momentum=0.9))
    x = FAMILY.data(16)
    model.fit(x, batch_size=8, epochs=3, validation_data=x, validation_batch_size=8, verbose=0)
    return state(model)


def main():
    assert len(jax.devices()) == 4
    expected = trained()
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    difference = largest_difference(trained(), expected)
    assert difference < 1e-5, difference
    assert np.isfinite(difference)


if __name__ == "__main__":
    main()
