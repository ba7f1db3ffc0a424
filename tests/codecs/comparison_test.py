import bz2
import gzip

import numpy as np
import pytest

from keras_vae.codecs import comparison

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)


def test_binary_data_are_packed_before_they_are_compressed():
    levels = RNG.integers(0, 2, (50, 6, 5, 1))
    raw = comparison.raw_bytes(levels, 2)
    np.testing.assert_array_equal(np.unpackbits(np.frombuffer(raw, "uint8"))[:1500], levels.ravel())
    sizes = comparison.general_sizes(levels, 2)
    assert len(gzip.decompress(gzip.compress(raw, 9))) == sizes["raw"]
    assert sizes["bz2 -9"] == len(bz2.compress(raw, 9))


def test_pictures_are_one_sheet_in_their_order():
    levels = RNG.integers(0, 256, (100, 4, 3, 3))
    sheet = comparison._sheet(levels)
    columns = sheet.shape[1] // 3
    np.testing.assert_array_equal(sheet[:4, 3:6], levels[1])
    np.testing.assert_array_equal(sheet[4:8, :3], levels[columns])


def test_picture_formats_are_lossless_sizes():
    pytest.importorskip("PIL")
    noise, flat = RNG.integers(0, 256, (20, 8, 8, 1)), np.zeros((20, 8, 8, 1), "int32")
    assert comparison.general_sizes(noise, 256)["PNG"] > 20 * 64  # noise does not compress
    for name, size in comparison.general_sizes(flat, 256).items():
        assert name == "raw" or size < 200
