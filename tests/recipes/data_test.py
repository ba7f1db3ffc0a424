import numpy as np
import pytest
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes import load_data

pytestmark = pytest.mark.one_backend


def test_as_many_test_examples_as_the_recipe_says(tmp_path):
    few = TEXT.replace("[evaluation]", "[evaluation]\nnum_examples = 4")
    whole, part = (load_data(read_tiny_recipe(tmp_path, t), tmp_path) for t in (TEXT, few))
    np.testing.assert_array_equal(part.test.x, whole.test.x[:4])
    np.testing.assert_array_equal(part.train.x, whole.train.x)
