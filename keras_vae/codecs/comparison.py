"""How many bytes general compressors and picture formats need for the same data."""

import bz2
import gzip
import io
import math

import numpy as np

_COLUMNS_FROM = 64  # pictures; fewer are placed in one column
_MODES = {1: "L", 3: "RGB"}


def general_sizes(levels: np.ndarray, num_levels: int) -> dict[str, int]:
    """Returns `{name: bytes}` of all data as one file in each format, losslessly.

    Pictures are joined into one, as separate files would mostly hold headers. Binary data are
    packed, eight numbers per byte. PNG and WebP are left out if the package Pillow is not
    installed, or if the data are not pictures of one or three channels.

    Args:
        levels: Integers (N, *S).
        num_levels: Integer; levels range from 0 to `num_levels` - 1.
    """
    raw = raw_bytes(levels, num_levels)
    sizes = {
        "raw": len(raw),
        "gzip -9": len(gzip.compress(raw, 9, mtime=0)),
        "bz2 -9": len(bz2.compress(raw, 9)),
    }
    if levels.ndim == 4 and levels.shape[-1] in _MODES and num_levels <= 256:
        sizes.update(_picture_sizes(levels, num_levels))
    return sizes


def raw_bytes(levels: np.ndarray, num_levels: int) -> bytes:
    """Returns the data as plain bytes: eight bits per byte, or one or two bytes per number."""
    if num_levels == 2:
        return np.packbits(levels.astype("uint8").ravel()).tobytes()
    return levels.astype("uint8" if num_levels <= 256 else "<u2").tobytes()


def _picture_sizes(levels, num_levels):
    try:
        from PIL import Image
    except ImportError:
        return {}
    sheet = _sheet(levels)
    values = sheet if num_levels > 2 else sheet * 255
    picture = Image.fromarray(values.astype("uint8").squeeze())
    of_png = picture.convert("1") if num_levels == 2 else picture
    found = {"PNG": _bytes_of(of_png, "png", optimize=True)}
    if max(picture.size) < 16384:  # the most that WebP takes
        found["WebP"] = _bytes_of(picture.convert("RGB"), "webp", lossless=True, quality=100)
    return found


def _bytes_of(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return len(file.getvalue())


def _sheet(levels):
    """Returns pictures (N, H, W, C) side by side in rows, black where there is none."""
    count, height, width, channels = levels.shape
    columns = 1 if count < _COLUMNS_FROM else math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    padded = np.zeros((rows * columns, height, width, channels), levels.dtype)
    padded[:count] = levels
    grid = padded.reshape(rows, columns, height, width, channels)
    return grid.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
