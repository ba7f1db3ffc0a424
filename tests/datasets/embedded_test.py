from pathlib import Path

import numpy as np
import pytest

from keras_vae.datasets.embedded import EMBEDDED
from keras_vae.datasets.embedded import read_embedded

pytestmark = pytest.mark.one_backend

MNIST = Path(__file__).parents[2] / ".." / "shared" / "data" / "mnist.npz"


def test_sizes_and_classes():
    parts = read_embedded("mnist_mini")[0]
    assert {part: x.shape for part, (x, _) in parts.items()} == {
        "train": (4000, 28, 28),
        "test": (1000, 28, 28),
    }
    np.testing.assert_array_equal(np.bincount(parts["train"][1]), [400] * 10)
    np.testing.assert_array_equal(np.bincount(parts["test"][1]), [100] * 10)


def test_no_test_digit_is_a_training_digit():
    parts = read_embedded("mnist_mini")[0]
    train, test = ({picture.tobytes() for picture in parts[part][0]} for part in ("train", "test"))
    assert len(train) == 4000
    assert not train & test


def test_whose_the_digits_are():
    description = read_embedded("mnist_mini")[1]
    for words in ("LeCun", "Cortes", "Burges", "CC BY-SA 3.0"):
        assert words in description
    folder = Path(__file__).parents[2] / "keras_vae" / "datasets"
    for name in EMBEDDED.keys() - {"shapes"}:  # drawn, and nobody's
        assert f"{name}.npz" in (folder / "ATTRIBUTION.md").read_text()
        assert (folder / f"{name}.npz").stat().st_size < 1_000_000


@pytest.mark.skipif(not MNIST.exists(), reason="needs the whole of MNIST")
def test_the_script_draws_exactly_these_digits():
    import runpy

    script = Path(__file__).parents[2] / "zoo" / "make_mnist_mini.py"
    with np.load(MNIST) as mnist:
        drawn = runpy.run_path(str(script))["mini"](mnist)
    for part, (x, y) in read_embedded("mnist_mini")[0].items():
        np.testing.assert_array_equal(drawn[f"x_{part}"], x)
        np.testing.assert_array_equal(drawn[f"y_{part}"], y)
