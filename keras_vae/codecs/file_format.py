"""The bytes of a compressed file.

A file begins with a header: `KVZ`, the version of the format, the coding scheme, the sha256 of the
model's weights, the shape and the type of the data, the model's bound, the checksum of the content
and the settings of the coder. The coder's words follow, and finally a checksum of everything before
it. Numbers are little-endian.
"""

import hashlib
import math
import struct
from collections.abc import Iterable
from typing import Any
from typing import NamedTuple

import numpy as np

_MAGIC = b"KVZ"
_VERSION = 3
_CHECKSUM_BYTES = 8
_DTYPES = ("float32", "float64", "uint8", "int32", "int64", "bool", "float16", "uint16", "int8")
_MAX_AXES = 8

SCHEMES = ("bits-back", "direct", "codes")


class FileInfo(NamedTuple):
    """The header of a compressed file.

    Attributes:
        scheme: String: "bits-back", "direct", or "codes", which is lossy.
        model_sha256: String of 64 hexadecimal digits, the sha256 of its model's weights.
        num_examples: Integer.
        shape: Tuple of ints, the shape of one example.
        dtype: String, the dtype of the data.
        num_bytes: Integer, the size of the file.
        header_bytes: Integer, the size of everything but the coder's words.
        initial_bits: Integer, the bits that the first draws of latents took and that were not
            recovered.
        bound: Float, the model's bound in bits per dimension; NaN if unknown.
    """

    scheme: str
    model_sha256: str
    num_examples: int
    shape: tuple[int, ...]
    dtype: str
    num_bytes: int
    header_bytes: int
    initial_bits: int
    bound: float

    @property
    def bits_per_dim(self) -> float:
        """The bits of the file per element of the data."""
        return 8 * self.num_bytes / (self.num_examples * max(1, math.prod(self.shape)))


class Content(NamedTuple):
    """The content of a file besides `FileInfo`.

    Attributes:
        checksum: 16 bytes of the sha256 of the symbols.
        settings: Bytes, the settings of the coder.
        words: NumPy array of uint32, the coder's words.
        num_initial: Integer, the number of initial words that were read.
    """

    checksum: bytes
    settings: bytes
    words: np.ndarray
    num_initial: int


class Writer:
    """Puts numbers into bytes."""

    def __init__(self) -> None:
        self.data = b""

    def numbers(self, kinds: str, *values: Any) -> None:
        """Writes numbers, as `struct` packs them."""
        self.data += struct.pack("<" + kinds, *values)

    def raw(self, data: bytes) -> None:
        """Writes bytes."""
        self.data += data


class Reader:
    """Takes numbers from bytes.

    Raises:
        ValueError: Raised by its methods if there are not enough bytes left.
    """

    def __init__(self, data: bytes):
        self.data = data
        self.position = 0

    def numbers(self, kinds: str) -> tuple:
        """Returns numbers, as `struct` unpacks them."""
        kinds = "<" + kinds
        return struct.unpack(kinds, self.raw(struct.calcsize(kinds)))

    def raw(self, count: int) -> bytes:
        """Returns the next bytes."""
        if self.position + count > len(self.data):
            raise ValueError(_damaged("it ends too early"))
        self.position += count
        return self.data[self.position - count : self.position]

    def rest(self) -> bytes:
        """Returns all remaining bytes."""
        return self.raw(len(self.data) - self.position)


def write_file(
    scheme: str,
    model_sha256: str,
    shape: tuple[int, ...],
    dtype: str,
    bound: float,
    content: Content,
) -> bytes:
    """Returns the bytes of a file.

    Args:
        scheme: String, one of `SCHEMES`.
        model_sha256: String of 64 hexadecimal digits.
        shape: Tuple of ints, the shape of all examples, (N, *S).
        dtype: String, the dtype of the data.
        bound: Float, in bits per dimension.
        content: `Content`.
    """
    writer = Writer()
    writer.raw(_MAGIC)
    writer.numbers("BBB", _VERSION, SCHEMES.index(scheme), dtype_code(dtype))
    writer.raw(bytes.fromhex(model_sha256))
    writer.numbers("B", len(shape))
    writer.numbers(f"{len(shape)}I", *shape)
    writer.numbers("f", bound)
    writer.raw(content.checksum)
    writer.numbers("IH", content.num_initial, len(content.settings))
    writer.raw(content.settings)
    writer.raw(content.words.astype("<u4").tobytes())
    return writer.data + _checksum(writer.data)


def read_file(data: bytes) -> tuple[FileInfo, Content]:
    """Returns the header and the content of a file.

    Raises:
        ValueError: If the bytes are not such a file, or are damaged.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ValueError(
            f"`data` must be the bytes of a compressed file. Received: {type(data).__name__}. Read "
            'them: open(path, "rb").read().'
        )
    data = bytes(data)
    if not data.startswith(_MAGIC):
        raise ValueError(
            f"This file was not written by `compress`: it does not begin with {_MAGIC.decode()!r}. "
            f"Received: {len(data)} bytes, {data[:8]!r}..."
        )
    if len(data) < len(_MAGIC) + _CHECKSUM_BYTES + 1:
        raise ValueError(_damaged("it ends too early"))
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if _checksum(body) != checksum:
        raise ValueError(_damaged("its checksum differs"))
    reader = Reader(body)
    reader.raw(len(_MAGIC))
    (version,) = reader.numbers("B")
    if version != _VERSION:
        raise ValueError(
            f"This file has format {version}, and this version of keras_vae reads format "
            f"{_VERSION}. Use the version that wrote it."
        )
    return _fields(reader, len(data))


def read_info(data: bytes) -> FileInfo:
    """Returns the header of a compressed file; needs no model.

    Args:
        data: The bytes of the file.

    Raises:
        ValueError: If the bytes are not such a file, or are damaged.
    """
    return read_file(data)[0]


def content_checksum(pieces: Iterable[np.ndarray]) -> bytes:
    """Returns 16 bytes of the sha256 of symbols, given as successive integer arrays."""
    digest = hashlib.sha256()
    for symbols in pieces:
        digest.update(np.ascontiguousarray(symbols, "<i4").ravel().data)
    return digest.digest()[:16]


def dtype_code(dtype: str) -> int:
    """Returns the code of a dtype in files.

    Raises:
        ValueError: If files cannot hold the dtype.
    """
    if dtype not in _DTYPES:
        raise ValueError(
            f"`x` must be of one of the types {', '.join(_DTYPES)}. Received: {dtype}."
        )
    return _DTYPES.index(dtype)


def _fields(reader, num_bytes):
    scheme, dtype = reader.numbers("BB")
    sha256 = reader.raw(32).hex()
    (num_axes,) = reader.numbers("B")
    if scheme >= len(SCHEMES) or dtype >= len(_DTYPES) or not 1 <= num_axes <= _MAX_AXES:
        raise ValueError(_damaged("its header holds impossible values"))
    num_examples, *shape = reader.numbers(f"{num_axes}I")
    (bound,) = reader.numbers("f")
    checksum = reader.raw(16)
    num_initial, settings_bytes = reader.numbers("IH")
    settings = reader.raw(settings_bytes)
    words = reader.rest()
    if len(words) % 4:
        raise ValueError(_damaged("it ends in the middle of a word"))
    info = FileInfo(
        SCHEMES[scheme],
        sha256,
        num_examples,
        tuple(shape),
        _DTYPES[dtype],
        num_bytes,
        num_bytes - len(words),
        32 * num_initial,
        bound,
    )
    return info, Content(checksum, settings, np.frombuffer(words, "<u4"), num_initial)


def _checksum(data):
    return hashlib.sha256(data).digest()[:_CHECKSUM_BYTES]


def _damaged(how):
    return f"This compressed file is damaged: {how}. Fetch it again, or compress the data again."
