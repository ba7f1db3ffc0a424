import numpy as np
import pytest

from keras_vae.codecs import file_format
from keras_vae.codecs.file_format import Content

pytestmark = pytest.mark.one_backend

CONTENT = Content(b"c" * 16, b"settings", np.arange(50, dtype="uint32"), 3)
DATA = file_format.write_file("direct", "ab" * 32, (10, 4, 4, 1), "uint8", 0.5, CONTENT)


def test_what_is_written_is_read():
    info, content = file_format.read_file(DATA)
    assert info.scheme == "direct"
    assert info.model_sha256 == "ab" * 32
    assert (info.num_examples, info.shape, info.dtype) == (10, (4, 4, 1), "uint8")
    assert (info.bound, info.initial_bits) == (0.5, 96)
    assert info.num_bytes == len(DATA) == info.header_bytes + 4 * 50
    assert info.bits_per_dim == 8 * len(DATA) / 160
    assert (content.checksum, content.settings, content.num_initial) == (b"c" * 16, b"settings", 3)
    np.testing.assert_array_equal(content.words, CONTENT.words)


@pytest.mark.parametrize("length", range(0, len(DATA), 7))
def test_a_truncated_file(length):
    with pytest.raises(ValueError, match=r"damaged|begin with"):
        file_format.read_info(DATA[:length])


@pytest.mark.parametrize("place", range(3, len(DATA), 5))
def test_a_flipped_bit(place):
    flipped = bytearray(DATA)
    flipped[place] ^= 4
    with pytest.raises(ValueError, match="checksum differs"):
        file_format.read_info(bytes(flipped))


def test_other_bytes_and_other_things():
    with pytest.raises(ValueError, match="does not begin with 'KVZ'"):
        file_format.read_info(b"PK\x03\x04 a zip archive")
    with pytest.raises(ValueError, match=r"`data` must be the bytes.*Received: str"):
        file_format.read_info("out.kvz")


def test_another_version_says_so():
    body = bytearray(DATA[:-8])
    body[3] = 9
    with pytest.raises(ValueError, match=r"format 9.*reads format 3"):
        file_format.read_info(bytes(body) + file_format._checksum(bytes(body)))


def test_types_that_no_file_holds():
    with pytest.raises(ValueError, match=r"`x` must be of one of the types.*complex64"):
        file_format.dtype_code("complex64")
