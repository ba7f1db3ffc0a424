import numpy as np
import pytest

pytest.importorskip("constriction")

from families import BY_NAME

from keras_vae.codecs.bits_back import BitsBackCode
from keras_vae.codecs.bits_back import groups
from keras_vae.codecs.file_format import Reader
from keras_vae.codecs.file_format import Writer
from keras_vae.codecs.stack import Stack

pytestmark = pytest.mark.compiled_once


@pytest.mark.one_backend
def test_groups_begin_with_one_example_and_hold_all():
    found = groups(4000)
    assert [s.stop - s.start for s in found[:10]] == [1] * 10
    assert max(s.stop - s.start for s in found) == 256
    np.testing.assert_array_equal(np.concatenate([np.arange(4000)[s] for s in found]), range(4000))


@pytest.mark.parametrize("name", ["vae", "ladder_vae", "hierarchical_vae"])
def test_settings_and_symbols_come_back(name):
    model, x = BY_NAME[name].model(), BY_NAME[name].data(30)
    code, stack, done = BitsBackCode(model, 8), Stack(), []
    code.write(stack, x, [], done.append)
    writer = Writer()
    code.write_settings(writer)
    reader = BitsBackCode(model, 5)
    reader.read_settings(Reader(writer.data))
    for own, read in zip(code.levels, reader.levels, strict=True):
        assert own.lattice == read.lattice
        np.testing.assert_array_equal(own.is_coded, read.is_coded)
        assert (own.of_posterior, own.of_prior) == (read.of_posterior, read.of_prior)
    stack = Stack(*stack.words())
    found = np.empty_like(x)
    reader.read(stack, found, [], done.append)
    np.testing.assert_array_equal(found, x)
    assert stack.is_back_at_start()
    assert sum(done) == 60
