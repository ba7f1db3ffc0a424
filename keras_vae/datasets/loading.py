"""Data sets by name: the embedded digits, local files and folders, tensorflow-datasets."""

import os

import numpy as np

from keras_vae.checks import check_count
from keras_vae.datasets.binarization import binarize as draw_binary
from keras_vae.datasets.embedded import EMBEDDED
from keras_vae.datasets.embedded import read_embedded
from keras_vae.datasets.folder import picture_sizes
from keras_vae.datasets.local import find
from keras_vae.datasets.local import is_local
from keras_vae.datasets.local import read_local
from keras_vae.datasets.splits import Arrays
from keras_vae.datasets.splits import Splits
from keras_vae.datasets.splits import fixed_split
from keras_vae.datasets.tfds import check_tfds
from keras_vae.datasets.tfds import read_tfds

# Each part has its own seed, so that its binarization does not depend on the other parts.
_PART_SEEDS = {"train": 1, "validation": 2, "test": 3}


def load(
    name: str | os.PathLike,
    *,
    validation_size: int = 0,
    binarize: str | None = None,
    seed: int = 0,
    image_size: tuple[int, int] | None = None,
    data_dir: str | os.PathLike | None = None,
) -> Splits:
    """Loads an image data set in fixed parts.

    The parts never depend on a seed: data with training, validation and test parts keep them, and a
    single array or flat folder is divided by `splits.fixed_split`, with a tenth for testing. Images
    are float32 in [0, 1]: uint8 is divided by 255, unless it holds only 0 and 1.

    Args:
        name: String or path, one of
            - `"mnist_mini"`: 4,000 training and 1,000 test digits of MNIST, which ship with the
              library;
            - `"shapes"`: 9,600 drawn shapes with known factors, which `shape_factors` computes from
              `y`;
            - the path of an `.npz` file with arrays `x_train` and `x_test` (and optionally
              `y_train`, `y_test`, `x_validation`, `y_validation`), or with one array `images` or
              `x` (and optionally `y`), or with image files as bytes, `jpeg_train` and
              `offsets_train` and so on: file i is bytes `offsets[i]` to `offsets[i + 1]`;
            - the path of a folder of images, directly in it or in `train` and `test`; sub-folders
              are classes. Write `"./photos"` for a folder in the working directory, as a bare word
              is a name;
            - the name of an image data set in tensorflow-datasets, such as `"mnist"`,
              `"fashion_mnist"`, `"cifar10"`, `"omniglot"`, `"binarized_mnist"`.
        validation_size: Int, the number of examples at the end of the training part that become the
            validation part.
        binarize: `"fixed"` (each pixel drawn once, from Bernoulli(x)), `"threshold"` (1 where
            x >= 0.5) or `None`. For dynamic binarization use `None` and `Batches(binarize=True)`.
        seed: Int, at least 0, the seed of `binarize="fixed"`.
        image_size: Tuple of 2 ints, (height, width), to resize every (uint8) image to, without
            preserving the aspect ratio, or `None`.
        data_dir: Path of a folder, or `None`. A relative path that does not exist is also looked up
            there and in the folder named by the environment variable `KERAS_VAE_DATA_DIR`;
            tensorflow-datasets stores its files there instead of in its own default folder.

    Returns:
        `Splits` with `train`, `test` and, if there is one, `validation`, each `Arrays` with `x`
        (N, H, W, C) and `y` (N,) or None.

    Raises:
        ValueError: If the name is unknown, `binarize` or `validation_size` is invalid, or the data
            are not images of one size.
        FileNotFoundError: If a path does not exist. The message lists the places searched.
        ImportError: If tensorflow-datasets or Pillow is needed and not installed.

    Example:

    ```python
    data = load("mnist_mini", validation_size=500)
    model.fit(Batches(data.train.x, batch_size=100), epochs=3, shuffle=False)
    model.evaluate(Batches(data.validation.x, batch_size=100, shuffle=False))
    ```
    """
    if binarize not in (None, "fixed", "threshold"):
        raise ValueError(
            f'`binarize` must be None, "fixed" or "threshold". Received: binarize={binarize!r}. '
            "Dynamic binarization draws anew at every use: Batches(x, binarize=True)."
        )
    raw, description = _read(name, image_size, data_dir)
    if "test" not in raw:
        raw, description = _divide(raw, description)
    pictures = to_unit_range({part: x for part, (x, _) in raw.items()})
    parts = {
        part: Arrays(_binary(pictures[part], part, binarize, seed), _labels(y))
        for part, (_, y) in raw.items()
    }
    if validation_size:
        parts = _hold_out(parts, validation_size, name)
    return Splits(str(name), **parts, description=description)


def check_name(name: str | os.PathLike, data_dir: str | os.PathLike | None = None) -> None:
    """Raises the error of `load` immediately if there is no data set of this name.

    Args:
        name, data_dir: See `load`.

    Raises:
        ValueError: If the name is unknown.
        FileNotFoundError: If a path does not exist. The message lists the places searched.
        ImportError: If tensorflow-datasets is needed and not installed.
    """
    if is_local(name):
        find(name, data_dir)
    elif name not in EMBEDDED:
        check_tfds(str(name), data_dir)


def fitting_size(
    name: str | os.PathLike, largest: int, data_dir: str | os.PathLike | None = None
) -> tuple[int, int] | None:
    """Returns the `image_size` with which `load` returns pictures of one size, at most `largest`.

    Args:
        name, data_dir: See `load`.
        largest: Int, the longest side allowed.

    Returns:
        `None` if the pictures can stay as they are, otherwise `(largest, largest)`.

    Raises:
        As for `load`.
    """
    path = find(name, data_dir) if is_local(name) else None
    if path is not None and path.is_dir():
        sizes = picture_sizes(path)
    else:
        sizes = {load(name, data_dir=data_dir).train.x.shape[1:3]}
    is_fine = len(sizes) == 1 and max(next(iter(sizes))) <= largest
    return None if is_fine else (largest, largest)


def to_unit_range(pictures: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns float32 images (N, H, W, C) in [0, 1] from the raw arrays of all parts.

    Args:
        pictures: Dict of arrays (N, H, W) or (N, H, W, C): bool, float in [0, 1], or uint8. uint8
            counts as black and white if all parts hold only 0 and 1, and as 0 to 255 otherwise.

    Raises:
        ValueError: If an array has another dtype, range or number of axes.
    """
    for part, x in pictures.items():
        _check_pictures(part, x)
    black_and_white = all(x.max() <= 1 for x in pictures.values())
    scales = {
        part: np.float32(255 if x.dtype == np.uint8 and not black_and_white else 1)
        for part, x in pictures.items()
    }
    return {
        part: np.divide(x if x.ndim == 4 else x[..., None], scales[part], dtype=np.float32)
        for part, x in pictures.items()
    }


def _check_pictures(part, x):
    if x.ndim not in (3, 4) or x.size == 0 or (x.ndim == 4 and x.shape[-1] > 4):
        raise ValueError(
            f"The {part} images must be an array (N, height, width) or (N, height, width, "
            f"channels) with 1 to 4 channels in the last axis. Received: shape {x.shape}"
        )
    known = x.dtype in (np.uint8, np.bool_) or np.issubdtype(x.dtype, np.floating)
    if not known or not (x.min() >= 0 and x.max() <= (255 if x.dtype == np.uint8 else 1)):
        raise ValueError(
            f"The {part} images must be uint8 (0 to 255), bool, or float in [0, 1]. "
            f"Received: {x.dtype} from {x.min()} to {x.max()}"
        )


def _read(name, image_size, data_dir):
    """Returns the raw parts of a data set as `{part: (x, y)}`, and their description."""
    if isinstance(name, str) and name in EMBEDDED:
        return read_embedded(name, image_size)
    if is_local(name):
        path = find(name, data_dir)
        return read_local(path, image_size), f"Read from {path.name}."
    raw = read_tfds(name, image_size, data_dir)
    return raw, f"{name!r} of tensorflow-datasets, which names its source and licence."


def _divide(raw, description):
    """Splits a test part from the training part, for data that come without one."""
    x, y = raw["train"]
    train, test = fixed_split(len(x))
    divided = {
        part: (x[rows], None if y is None else y[rows])
        for part, rows in {"train": train, "test": test}.items()
    }
    return raw | divided, (
        f"{description} It has no test part, so the last tenth of "
        "np.random.default_rng(2026).permutation(n) is used as one."
    )


def _labels(y):
    return None if y is None else np.asarray(y).astype(np.int32)


def _binary(x, part, binarize, seed):
    if binarize == "fixed":
        return draw_binary(x, [seed, _PART_SEEDS[part]])
    if binarize == "threshold":
        return (x >= 0.5).astype(np.float32)
    return x


def _hold_out(parts, validation_size, name):
    """Returns the parts with the last training examples as the validation part."""
    if "validation" in parts:
        raise ValueError(
            f"{str(name)!r} comes with a validation part of {len(parts['validation'])}: "
            f"`validation_size` must be 0. Received: validation_size={validation_size}"
        )
    train, validation_size = parts["train"], check_count("validation_size", validation_size)
    if validation_size >= len(train):
        raise ValueError(
            f"`validation_size` must be at least 0 and less than the {len(train)} training "
            f"examples of {str(name)!r}. Received: validation_size={validation_size}"
        )
    return parts | {"train": train[:-validation_size], "validation": train[-validation_size:]}
