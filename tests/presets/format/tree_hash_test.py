import hashlib

import numpy as np
import pytest

from keras_vae.presets.format.tree_hash import tree_sha256

pytestmark = pytest.mark.one_backend

MIB = 1 << 20
DATA = np.random.default_rng(0).bytes(3 * MIB + 5)


def test_it_is_the_sha256_of_the_sha256s_of_pieces():
    pieces = [DATA[:MIB], DATA[MIB : 2 * MIB], DATA[2 * MIB : 3 * MIB], DATA[3 * MIB :]]
    together = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    assert tree_sha256(DATA) == hashlib.sha256(together).hexdigest()
    assert tree_sha256(np.frombuffer(DATA, "uint8")) == tree_sha256(DATA)


@pytest.mark.parametrize("place", [0, MIB - 1, MIB, len(DATA) - 1])
def test_every_byte_counts(place):
    changed = bytearray(DATA)
    changed[place] ^= 1
    assert tree_sha256(changed) != tree_sha256(DATA)


def test_so_do_the_length_and_the_order_of_pieces():
    assert tree_sha256(DATA[:-1]) != tree_sha256(DATA)
    assert tree_sha256(DATA + b"\0") != tree_sha256(DATA)
    assert tree_sha256(DATA[MIB : 2 * MIB] + DATA[:MIB]) != tree_sha256(DATA[: 2 * MIB])
    assert tree_sha256(b"") == hashlib.sha256(b"").hexdigest()
