import pytest

from keras_vae.recipes.cards.markdown import escaped
from keras_vae.recipes.cards.markdown import table

pytestmark = pytest.mark.one_backend


def test_table():
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_a_bar_in_a_cell():
    assert escaped("p(z|y)") == "p(z\\|y)"
