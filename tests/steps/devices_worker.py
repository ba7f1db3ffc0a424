"""Trains on all devices, of this process or of two, with `keras.distribution.DataParallel`."""

import sys
from pathlib import Path

import jax
import keras
import numpy as np
import pytest
import shared_training


def main(folder, place=None, address=None):
    if place is not None:
        keras.distribution.initialize(address, num_processes=2, process_id=int(place))
        assert jax.process_count() == 2
    shared = keras.distribution.DataParallel(auto_shard_dataset=False)
    keras.distribution.set_distribution(shared)
    shared_training.write(Path(folder) / f"{jax.process_index()}.npz", shared_training.EXACT)

    vae, x = shared_training.compiled("vae"), shared_training.data_of("vae")
    alone = keras.ops.convert_to_numpy(vae.call(keras.ops.convert_to_tensor(x)))
    np.testing.assert_allclose(vae.predict(x, batch_size=7, verbose=0), alone, atol=1e-6)
    assert vae.sample(3, seed=0).shape == (3, 6)
    if place is not None:
        with pytest.raises(ValueError, match="must be the same in all 2 processes"):
            vae.fit(x + int(place), verbose=0)
        vae.save(Path(folder) / f"{place}.keras")
        assert (Path(folder) / f"{place}.keras").exists() == (place == "0")


if __name__ == "__main__":
    main(*sys.argv[1:])
