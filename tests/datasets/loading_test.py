from pathlib import Path

import numpy as np
import pytest

from keras_vae.datasets import loading
from keras_vae.datasets.binarization import binarize
from keras_vae.datasets.loading import fitting_size
from keras_vae.datasets.loading import load
from keras_vae.datasets.loading import to_unit_range

pytestmark = pytest.mark.one_backend

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
PICTURES = np.random.default_rng(0).integers(0, 256, (30, 4, 5), dtype="uint8")


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        path = tmp_path / "data.npz"
        np.savez(path, **arrays)
        return path

    return write


def test_the_embedded_digits():
    data = load("mnist_mini")
    assert data.name == "mnist_mini"
    assert data.train.x.shape == (4000, 28, 28, 1)
    assert data.test.x.shape == (1000, 28, 28, 1)
    assert data.train.x.dtype == np.float32
    assert data.train.y.dtype == np.int32
    assert data.validation is None
    grey = data.train.x * np.float32(255)
    np.testing.assert_array_equal(grey, np.round(grey))
    assert (grey.min(), grey.max()) == (0, 255)
    assert "CC BY-SA 3.0" in data.description


def test_validation_is_the_end_of_training():
    whole = load("mnist_mini")
    held = load("mnist_mini", validation_size=100)
    np.testing.assert_array_equal(held.train.x, whole.train.x[:-100])
    np.testing.assert_array_equal(held.validation.x, whole.train.x[-100:])
    np.testing.assert_array_equal(held.validation.y, whole.train.y[-100:])
    np.testing.assert_array_equal(held.test.x, whole.test.x)


def test_parts_of_a_file_stay_as_they_are(npz):
    labels = np.arange(30)
    path = npz(x_train=PICTURES[:20], x_test=PICTURES[20:], y_train=labels[:20], y_test=labels[20:])
    data = load(path)
    np.testing.assert_array_equal(data.train.x[..., 0], PICTURES[:20] / np.float32(255))
    np.testing.assert_array_equal(data.test.x[..., 0], PICTURES[20:] / np.float32(255))
    np.testing.assert_array_equal(data.test.y, labels[20:])


def test_one_array_is_divided_the_documented_way(npz):
    data = load(npz(images=PICTURES, y=np.arange(30)))
    order = np.random.default_rng(2026).permutation(30)
    np.testing.assert_array_equal(data.train.y, order[:27])
    np.testing.assert_array_equal(data.test.y, order[27:])
    np.testing.assert_array_equal(data.test.x[..., 0], PICTURES[order[27:]] / np.float32(255))
    assert "default_rng(2026)" in data.description


def test_data_with_a_validation_part_keep_it(npz):
    path = npz(x_train=PICTURES[:20], x_validation=PICTURES[20:25], x_test=PICTURES[25:])
    assert len(load(path).validation) == 5
    with pytest.raises(ValueError, match="validation part of 5"):
        load(path, validation_size=3)


def test_a_relative_file_is_found_in_the_data_folder(npz, monkeypatch):
    path = npz(images=PICTURES)
    assert len(load("data.npz", data_dir=path.parent).train) == 27
    monkeypatch.setenv("KERAS_VAE_DATA_DIR", str(path.parent))
    assert len(load("data.npz").train) == 27


def test_values_come_to_the_unit_range():
    raw = np.array([[[0, 51], [102, 255]]], dtype="uint8")
    np.testing.assert_array_equal(
        to_unit_range({"train": raw})["train"][0, ..., 0],
        np.array([[0, 0.2], [0.4, 1]], dtype="float32"),
    )
    grey = raw / 255
    np.testing.assert_array_equal(to_unit_range({"train": grey})["train"][..., 0], np.float32(grey))
    mask = raw > 100
    np.testing.assert_array_equal(to_unit_range({"train": mask})["train"][..., 0], mask)


def test_black_and_white_bytes_are_not_divided():
    bits = np.array([[[0, 1], [1, 1]]], dtype="uint8")
    parts = to_unit_range({"train": bits, "test": 1 - bits})
    np.testing.assert_array_equal(parts["train"][..., 0], bits)
    np.testing.assert_array_equal(parts["test"][..., 0], 1 - bits)
    # A dark test part beside grey training pictures is dark, not white.
    parts = to_unit_range({"train": 255 * bits, "test": bits})
    np.testing.assert_array_equal(parts["test"][..., 0], bits / np.float32(255))


@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((5, 784)), r"shape \(5, 784\)"),
        (np.zeros((5, 3, 32, 32)), "the last axis"),
        (np.zeros((0, 2, 2)), "shape"),
        (np.zeros((5, 2, 2), dtype="int64"), "int64"),
        (np.full((5, 2, 2), 255.0), "from 255.0 to 255.0"),
        (np.full((5, 2, 2), np.nan), "nan"),
    ],
)
def test_what_is_no_picture_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        to_unit_range({"train": wrong})


def test_fixed_binarisation_belongs_to_part_and_seed():
    grey, fixed = load("mnist_mini"), load("mnist_mini", binarize="fixed", seed=4)
    np.testing.assert_array_equal(fixed.train.x, binarize(grey.train.x, [4, 1]))
    np.testing.assert_array_equal(fixed.test.x, binarize(grey.test.x, [4, 3]))
    held = load("mnist_mini", binarize="fixed", seed=4, validation_size=10)
    np.testing.assert_array_equal(held.validation.x, fixed.train.x[-10:])
    other = load("mnist_mini", binarize="fixed", seed=5)
    assert not np.array_equal(other.train.x, fixed.train.x)


def test_threshold():
    grey, black = load("mnist_mini").test.x, load("mnist_mini", binarize="threshold").test.x
    np.testing.assert_array_equal(black, grey >= 0.5)
    assert black.dtype == np.float32


def test_pictures_at_another_size(npz):
    pytest.importorskip("PIL")
    flat = np.broadcast_to(np.arange(30, dtype="uint8")[:, None, None], (30, 4, 6))
    data = load(npz(x_train=flat, x_test=flat), image_size=(2, 9))
    assert data.train.x.shape == (30, 2, 9, 1)
    np.testing.assert_array_equal(data.train.x[:, 1, 4, 0], flat[:, 0, 0] / np.float32(255))


def test_other_names_go_to_tensorflow_datasets(monkeypatch, tmp_path):
    asked = []

    def read(*request):
        asked.append(request)
        return {"train": (PICTURES, np.arange(30)), "test": (PICTURES, None)}

    monkeypatch.setattr(loading, "read_tfds", read)
    data = load("fashion_mnist", image_size=(4, 5), data_dir=tmp_path)
    assert asked == [("fashion_mnist", (4, 5), tmp_path)]
    np.testing.assert_array_equal(data.train.x[..., 0], PICTURES / np.float32(255))
    np.testing.assert_array_equal(data.train.y, np.arange(30))
    assert data.test.y is None


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"binarize": "dynamic"}, r"Batches\(x, binarize=True\)"),
        ({"validation_size": 4000}, "less than the 4000"),
        ({"validation_size": -1}, "`validation_size` must be .*Received: -1"),
        ({"validation_size": 0.1}, "`validation_size` must be .*Received: 0.1"),
    ],
)
def test_wrong_arguments_say_so(arguments, message):
    with pytest.raises(ValueError, match=message):
        load("mnist_mini", **arguments)


@pytest.mark.parametrize(
    "name, train, test",
    [
        ("omniglot28.npz", (24345, 28, 28, 1), (8070, 28, 28, 1)),
        ("frey_faces.npz", (1768, 28, 20, 1), (197, 28, 20, 1)),
    ],
)
def test_real_files(name, train, test):
    if not (SHARED / name).exists():
        pytest.skip(f"needs {name}")
    data = load(name, data_dir=SHARED)
    assert data.train.x.shape == train
    assert data.test.x.shape == test


def test_a_size_is_asked_for_where_pictures_are_large_or_differ(tmp_path):
    image = pytest.importorskip("PIL.Image")
    np.savez(tmp_path / "small.npz", x=np.zeros((4, 6, 5), "uint8"))
    assert fitting_size(tmp_path / "small.npz", 6) is None
    assert fitting_size(tmp_path / "small.npz", 5) == (5, 5)
    for name, sizes in (("one", [(9, 9)]), ("two", [(4, 4), (4, 5)])):
        (tmp_path / name).mkdir()
        for number, size in enumerate(sizes):
            image.new("L", size).save(tmp_path / name / f"{number}.png")
    assert fitting_size(tmp_path / "one", 9) is None
    assert fitting_size(tmp_path / "one", 8) == (8, 8)
    assert fitting_size(tmp_path / "two", 8) == (8, 8)
