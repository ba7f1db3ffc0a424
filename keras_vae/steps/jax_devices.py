"""Devices and processes on JAX: how `keras.distribution` spreads a batch over them."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from keras_vae.steps.processes import differing_data
from keras_vae.steps.processes import digest_of


def check_distribution(name: str) -> None:
    """Raises `RuntimeError` if this is one of several processes that would train separately.

    Args:
        name: The class of the model.
    """
    number, distribution = jax.process_count(), keras.distribution.distribution()
    if number == 1:
        return
    if distribution is None:
        raise RuntimeError(
            f"This process is one of {number}, and its {name} would train alone. Expected: a "
            "distribution over all processes. Received: none. Call `keras.distribution."
            "set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))` before "
            "the model is made."
        )
    if distribution.auto_shard_dataset:
        raise RuntimeError(
            f"The {number} processes are given the same data, and each takes its share of every "
            "batch. Expected: a distribution that does not divide the data. Received: "
            "auto_shard_dataset=True. Make it with `auto_shard_dataset=False`."
        )


@contextlib.contextmanager
def whole_batches() -> Iterator[None]:
    """Within this context Keras gives each device the whole of each batch.

    Keras would divide batches, which fails if their size is not a multiple of the number of
    devices.
    """
    distribution: Any = keras.distribution.distribution()
    if distribution is None or "get_data_layout" in vars(distribution):
        yield
        return

    def get_data_layout(shape):
        return keras.distribution.TensorLayout([None] * len(shape), distribution.device_mesh)

    # Set on the object, where it shadows the method of the class.
    vars(distribution)["get_data_layout"] = get_data_layout
    try:
        yield
    finally:
        del vars(distribution)["get_data_layout"]


def spread(data: Any) -> Any:
    """Shards a batch in a traced step, so that each device computes its share of the rows.

    XLA pads uneven shares, and excludes the padding from sums and other results.
    """
    distribution: Any = keras.distribution.distribution()
    if distribution is None:
        return data

    def spread_one(part):
        layout = type(distribution).get_data_layout(distribution, part.shape)
        return jax.lax.with_sharding_constraint(part, layout.backend_layout)

    return jax.tree.map(spread_one, data)


def meet(x: np.ndarray, seed: int) -> int:
    """Checks that all processes have the same data, and returns the seed of the first process.

    Raises:
        ValueError: If the data differ.
    """
    if jax.process_count() == 1:
        return seed
    mine = np.array([digest_of(x), seed], "uint32")
    digests, seeds = multihost_utils.process_allgather(mine).T
    if len(set(digests.tolist())) > 1:
        raise differing_data(jax.process_count())
    return int(seeds[0])


@contextlib.contextmanager
def discarded(path: Any) -> Iterator[str]:
    """Yields a path of the same name in a temporary folder, for processes that do not save.

    Reading arrays that are spread over several processes needs all of them.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / Path(str(path)).name)
