"""The header of a safetensors file, read and checked before any tensor is."""

import math
from typing import BinaryIO
from typing import NamedTuple

import numpy as np

from keras_vae.presets.format import strict_json

# Weights are stored in these dtypes; half-precision ones are widened when they are read.
DTYPES: dict[str, np.dtype] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_LENGTH_BYTES = 8  # the header's length comes first, little-endian
_MAX_AXES = 32
_MAX_TENSORS = 10_000


class TensorEntry(NamedTuple):
    """One tensor of a file.

    Attributes:
        dtype: `numpy.dtype`.
        shape: Tuple of ints.
        start: Int, its first byte, counted from the end of the header.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int

    @property
    def num_bytes(self) -> int:
        """The size of its data in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def of(self, data: np.ndarray) -> np.ndarray:
        """Returns the NumPy array, which shares memory with `data` if that is aligned.

        Args:
            data: NumPy array of all bytes that follow the header.
        """
        tensor = data[self.start : self.start + self.num_bytes].view(self.dtype)
        return np.require(tensor, requirements="A").reshape(self.shape)


def read_table(
    file: BinaryIO, num_bytes: int, dtypes: dict[str, np.dtype] = DTYPES
) -> dict[str, TensorEntry]:
    """Returns `{name: TensorEntry}` of a safetensors file, in the order of the data.

    Args:
        file: Binary file, positioned at its start, and afterwards at the first tensor.
        num_bytes: Int, the size of the file.
        dtypes: Dict from the allowed types to the NumPy dtypes to read them as.

    Raises:
        ValueError: If the file is not a safetensors file, or its tensors do not fill it exactly.
    """
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if not 2 <= length <= min(strict_json.MAX_BYTES, num_bytes - _LENGTH_BYTES):
        raise ValueError(
            f"its header would be {length:,} bytes long, in a file of {num_bytes:,} bytes; the "
            f"limit is {strict_json.MAX_BYTES:,}"
        )
    header = strict_json.parse(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    header.pop("__metadata__", None)
    if len(header) > _MAX_TENSORS:
        raise ValueError(
            f"it holds {len(header):,} tensors, but at most {_MAX_TENSORS:,} are allowed"
        )
    table = {name: _entry(name, value, dtypes) for name, value in header.items()}
    table = dict(sorted(table.items(), key=lambda item: (item[1].start, item[1].num_bytes)))
    _check_layout(table, num_bytes - _LENGTH_BYTES - length)
    return table


def _entry(name, value, dtypes):
    shown = f"the tensor {name[:100]!r}"
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{shown} is not described by `dtype`, `shape` and `data_offsets`")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in dtypes:
        raise ValueError(f"{shown} has the dtype {str(dtype)[:20]!r}, not one of {list(dtypes)}")
    if not _are_sizes(shape) or len(shape) > _MAX_AXES:
        raise ValueError(f"{shown} has no valid shape: {str(shape)[:100]}")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{shown} has no valid `data_offsets`: {str(offsets)[:100]}")
    entry = TensorEntry(dtypes[dtype], tuple(shape), offsets[0])
    if offsets[1] - offsets[0] != entry.num_bytes:
        raise ValueError(
            f"{shown} of shape {str(shape)[:100]} takes {entry.num_bytes:,} bytes, but "
            f"{offsets[1] - offsets[0]:,} are declared"
        )
    return entry


def _are_sizes(values):
    return isinstance(values, list) and all(type(n) is int and 0 <= n < 2**63 for n in values)


def _check_layout(table, num_bytes):
    """Checks that the tensors fill the file from the end of the header, without gaps."""
    end = 0
    for name, entry in table.items():
        if entry.start != end:
            raise ValueError(
                f"the tensor {name[:100]!r} starts at byte {entry.start:,} instead of {end:,}"
            )
        end += entry.num_bytes
    if end != num_bytes:
        raise ValueError(f"its tensors take {end:,} bytes, but {num_bytes:,} follow the header")
