import pytest

from keras_vae.recipes.kinds import KINDS
from keras_vae.recipes.kinds import kind_of

pytestmark = pytest.mark.one_backend


def test_pictures_where_nothing_is_said():
    assert kind_of({"name": "mnist"}) is KINDS["pictures"]
    assert kind_of({"name": "x", "kind": "texts"}) is KINDS["texts"]


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"`kind`.*\"pictures\".*\"texts\".*Received: 'sounds'"):
        kind_of({"name": "x", "kind": "sounds"})


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_says_what_the_base_leaves_open(name):
    from keras_vae.recipes.kinds.kind import Kind

    for method in ("load", "batches", "task", "loading", "uses"):
        assert getattr(type(KINDS[name]), method) is not getattr(Kind, method)
