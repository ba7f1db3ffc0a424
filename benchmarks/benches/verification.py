"""What it costs to verify weights: those of a preset read by us, against safetensors' reader."""

import tempfile
from pathlib import Path

import numpy as np

from registry import Bench
from registry import Row
from registry import Run

NUM_TENSORS = 16
bench = Bench(
    "verification",
    "Tensors read from the page cache: by us, who compare the file with its digest, and by "
    "safetensors' own reader, which compares nothing.",
    "MB",
    options={"megabytes": 64},
    quick={"megabytes": 16},
    rows=[
        Row(
            "verification of a preset's weights, ms for each MB",
            "keras_vae",
            "safetensors",
            bars={"torch": 2.0},
            kind="difference",
        )
    ],
)


def written(megabytes: int) -> tempfile.TemporaryDirectory:
    """Returns the folder of a preset, which lasts as long as it is held."""
    from keras_vae.presets import write_preset

    shape = (NUM_TENSORS, megabytes * 10**6 // NUM_TENSORS // 4)
    tensors = np.random.default_rng(0).standard_normal(shape, dtype="float32")
    folder = tempfile.TemporaryDirectory()
    write_preset(folder.name, {}, {f"tensor_{i}": t for i, t in enumerate(tensors)})
    return folder


@bench.contender("keras_vae", "torch")
def ours(backend: str, megabytes: int) -> Run:
    from keras_vae.presets import read_preset

    folder = written(megabytes)

    def run() -> tuple[float, None]:
        read_preset(folder.name).read_tensors()
        return megabytes, None

    return run


@bench.contender("safetensors", "torch")
def safetensors(backend: str, megabytes: int) -> Run:
    from safetensors.numpy import load_file

    from keras_vae.presets.format.preset_files import WEIGHTS

    folder = written(megabytes)

    def run() -> tuple[float, None]:
        load_file(Path(folder.name) / WEIGHTS)
        return megabytes, None

    return run
