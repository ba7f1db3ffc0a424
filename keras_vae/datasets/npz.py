"""Raw arrays from `.npz` files."""

import numpy as np

from keras_vae.datasets.tfds_reader import stack

_LAYOUTS = (
    "x_train, x_test (and perhaps y_train, y_test, x_validation, y_validation), "
    "or one array images or x (and perhaps y)"
)


def read_npz(path, image_size=None):
    """The arrays of a file as `{part: (x, y)}`; one array alone is the part "train".

    With `image_size`, `(height, width)`, its pictures are resized, and gain a channel axis.

    Raises:
        ValueError: if the file is no `.npz`, or its keys are none of the layouts of `load`.
    """
    try:
        # Never pickles: a data file must not be able to run code.
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    # What a broken file makes NumPy raise depends on where it is broken.
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as an .npz file of plain arrays: {error}. "
            "Write one with np.savez_compressed(path, x_train=..., x_test=...)."
        ) from error
    if "x_train" in arrays and "x_test" in arrays:
        return {
            part: (_sized(arrays[f"x_{part}"], image_size), arrays.get(f"y_{part}"))
            for part in ("train", "validation", "test")
            if f"x_{part}" in arrays
        }
    for key in ("images", "x"):
        if key in arrays:
            return {"train": (_sized(arrays[key], image_size), arrays.get("y"))}
    raise ValueError(
        f"{path} has none of the layouts that are read: {_LAYOUTS}. "
        f"Received: {', '.join(arrays) or 'no arrays'}"
    )


def _sized(x, image_size):
    if image_size is None:
        return x
    return stack(x[..., None] if x.ndim == 3 else x, image_size)
