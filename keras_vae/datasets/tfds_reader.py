"""Pictures out of tensorflow-datasets, as a script in a process of its own.

`tfds.py` runs this file by its path, so that TensorFlow never enters the caller's process, where it
could take the GPU's memory. It must therefore import nothing of this package; what pictures of any
source need (`stack`) lives here for that reason.
"""

import json
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from typing import TypeAlias

import numpy as np

PARTS = ("train", "validation", "test")
RawParts: TypeAlias = dict[str, tuple[np.ndarray, np.ndarray | None]]  # part -> (x, y)


def stack(pictures: Iterable[np.ndarray], image_size: tuple[int, int] | None = None) -> np.ndarray:
    """One array of pictures.

    Args:
        pictures: iterable of uint8 arrays (H, W, C).
        image_size: None, or `(height, width)` that each is resized to.

    Returns:
        uint8 array (N, H, W, C).

    Raises:
        ValueError: if the sizes differ and there is no `image_size`.
    """
    if image_size is not None:
        pictures = (resize(picture, image_size) for picture in pictures)
    stacked: list[np.ndarray] = []
    for index, picture in enumerate(pictures):
        if stacked and picture.shape != stacked[0].shape:
            raise ValueError(
                f"The pictures differ in size: the first is {stacked[0].shape}, number {index} is "
                f"{picture.shape} (height, width, channels). Give image_size=(height, width)."
            )
        stacked.append(picture)
    return np.stack(stacked)


def resize(picture: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """A uint8 picture (H, W, C) at another size: bilinear, over the whole area it shrinks from."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'Resizing pictures needs Pillow: pip install "keras-vae[datasets]"'
        ) from error
    if picture.dtype != np.uint8:
        raise ValueError(f"`image_size` resizes uint8 pictures only. Received: {picture.dtype}")
    height, width = image_size
    channels = [
        Image.fromarray(channel).resize((width, height), Image.Resampling.BILINEAR)
        for channel in np.moveaxis(picture, -1, 0)
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


def read(
    name: str, split: str, image_size: tuple[int, int] | None = None, data_dir: str | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """One split of a tensorflow-datasets data set, in its own order.

    Returns:
        `(pictures, labels)`: (N, H, W, C) and (N,), labels None where it has no `label`.

    Raises:
        ValueError: if it holds no pictures, or pictures of several sizes without `image_size`.
    """
    import tensorflow_datasets as tfds

    dataset = tfds.load(name, split=split, data_dir=data_dir)
    spec = dataset.element_spec
    if "image" not in spec:
        raise ValueError(f"{name} has no feature `image`. It has: {', '.join(spec)}")
    labelled = "label" in spec and spec["label"].shape.rank == 0
    keys = ("image", "label") if labelled else ("image",)
    # Batches are forty times faster than single pictures, where all have one size.
    batch_size = 1024 if spec["image"].shape.is_fully_defined() else 1
    dataset = dataset.map(lambda example: {key: example[key] for key in keys}).batch(batch_size)
    labels = []

    def pictures():
        for batch in tfds.as_numpy(dataset):
            labels.extend(batch.get("label", ()))
            yield from batch["image"]

    stacked = stack(pictures(), image_size)
    return stacked, np.array(labels) if labelled else None


def write(
    name: str, folder: Path, image_size: tuple[int, int] | None = None, data_dir: str | None = None
) -> None:
    """Writes `x_{part}.npy` and `y_{part}.npy` for the parts of `PARTS` that the data set has."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(name, data_dir=data_dir)
    builder.download_and_prepare()
    for part in PARTS:
        if part not in builder.info.splits:
            continue
        pictures, labels = read(name, part, image_size, data_dir)
        np.save(folder / f"x_{part}.npy", pictures)
        if labels is not None:
            np.save(folder / f"y_{part}.npy", labels)


def explain(name: str, error: Exception) -> dict[str, Any]:
    """What went wrong, for the process that waits for the arrays."""
    import tensorflow_datasets as tfds

    is_a_name = re.split("[/:]", name)[0].isidentifier()
    if isinstance(error, tfds.core.DatasetNotFoundError) or not is_a_name:
        return {"unknown": True, "names": tfds.list_builders()}
    return {"unknown": False, "text": "".join(traceback.format_exception(error)[-2:])}


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    try:
        write(**request | {"folder": Path(request["folder"])})
    except Exception as error:
        answer = json.dumps(explain(request["name"], error))
        Path(request["folder"], "error.json").write_text(answer)
        sys.exit(1)
