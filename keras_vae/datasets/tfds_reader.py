"""Images from tensorflow-datasets, as a script that runs in a separate process.

`tfds.py` runs this file by its path, so that TensorFlow never enters the caller's process, where it
could claim the GPU's memory. It must therefore import nothing from this package, which is why
`stack`, needed for images from any source, lives here.
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
    """Stacks images into one array.

    Args:
        pictures: Iterable of uint8 arrays (H, W, C).
        image_size: Tuple of 2 ints, (height, width), to resize each image to, or `None`.

    Returns:
        uint8 array (N, H, W, C).

    Raises:
        ValueError: If the sizes differ and `image_size` is not given.
    """
    if image_size is not None:
        pictures = (resize(picture, image_size) for picture in pictures)
    stacked: list[np.ndarray] = []
    for index, picture in enumerate(pictures):
        if stacked and picture.shape != stacked[0].shape:
            raise ValueError(
                f"The images differ in size: the first is {stacked[0].shape}, number {index} is "
                f"{picture.shape} (height, width, channels). Pass image_size=(height, width)."
            )
        stacked.append(picture)
    return np.stack(stacked)


def resize(picture: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Returns a uint8 image (H, W, C) resized bilinearly, with antialiasing."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'Resizing images needs Pillow: pip install "keras-vae[datasets]"'
        ) from error
    if picture.dtype != np.uint8:
        raise ValueError(f"`image_size` can resize uint8 images only. Received: {picture.dtype}")
    height, width = image_size
    channels = [
        Image.fromarray(channel).resize((width, height), Image.Resampling.BILINEAR)
        for channel in np.moveaxis(picture, -1, 0)
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


def read(
    name: str, split: str, image_size: tuple[int, int] | None = None, data_dir: str | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns one split of a data set of tensorflow-datasets, in its own order.

    Returns:
        `(pictures, labels)`, (N, H, W, C) and (N,); labels is None if there is no scalar `label`.

    Raises:
        ValueError: If it holds no images, or sizes differ and `image_size` is not given.
    """
    import tensorflow_datasets as tfds

    dataset = tfds.load(name, split=split, data_dir=data_dir)
    spec = dataset.element_spec
    if "image" not in spec:
        raise ValueError(f"{name} has no feature `image`. It has: {', '.join(spec)}")
    labelled = "label" in spec and spec["label"].shape.rank == 0
    keys = ("image", "label") if labelled else ("image",)
    # If all images have one size, batches are forty times faster than single images.
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
    """Writes `x_{part}.npy` and `y_{part}.npy` for each of `PARTS` that the data set has."""
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
    """Returns a description of the error, for the process that waits for the arrays."""
    import tensorflow_datasets as tfds

    is_a_name = re.split("[/:]", name)[0].isidentifier()
    if isinstance(error, tfds.core.DatasetNotFoundError) or not is_a_name:
        return {"unknown": True, "names": tfds.list_builders()}
    return {"unknown": False, "text": "".join(traceback.format_exception(error)[-2:])}


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    if request is None:
        import tensorflow_datasets as tfds

        print(json.dumps(tfds.list_builders(with_community_datasets=False)))
        sys.exit()
    try:
        write(**request | {"folder": Path(request["folder"])})
    except Exception as error:
        answer = json.dumps(explain(request["name"], error))
        Path(request["folder"], "error.json").write_text(answer)
        sys.exit(1)
