"""One rank of two: trains with the other, and writes what it has found."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import shared_training
import torch
import torch.distributed as dist


def main(folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    shared_training.write(folder / f"{rank}.npz")

    # What the ranks begin with is that of the first, the seed of the batches' order too.
    keras.utils.set_random_seed(rank)
    vae, x = shared_training.vae(seed=None), shared_training.data_of("vae")
    vae.compile("sgd")
    with pytest.raises(ValueError, match="must be the same in all 2 processes"):
        vae.fit(x + rank, verbose=0)
    vae.fit(x, batch_size=4, verbose=0)
    np.savez(folder / f"begun_{rank}.npz", *vae.get_weights(), seed=vae.noise.seed)

    vae.save(folder / f"saved_{rank}.keras")
    vae.save_weights(folder / f"saved_{rank}.weights.h5")
    vae.save_to_preset(folder / f"saved_{rank}")
    assert all((folder / f"saved_{rank}{s}").exists() == (rank == 0) for s in SUFFIXES)
    dist.destroy_process_group()


SUFFIXES = ("", ".keras", ".weights.h5")

if __name__ == "__main__":
    main(Path(sys.argv[1]))
