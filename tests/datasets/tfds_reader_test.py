import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_vae.datasets import tfds_reader

pytestmark = pytest.mark.one_backend


def test_resizing_by_hand():
    pytest.importorskip("PIL")
    picture = np.array([[[0, 7], [100, 7]], [[200, 7], [100, 7]]], dtype="uint8")
    np.testing.assert_array_equal(tfds_reader.resize(picture, (1, 1)), [[[100, 7]]])
    np.testing.assert_array_equal(tfds_reader.resize(picture, (2, 2)), picture)
    with pytest.raises(ValueError, match="uint8 images only"):
        tfds_reader.resize(picture / 255, (1, 1))


def test_stacking():
    a, b = np.zeros((2, 3, 1), dtype="uint8"), np.ones((2, 4, 1), dtype="uint8")
    np.testing.assert_array_equal(tfds_reader.stack(iter([a, a + 5])), [a, a + 5])
    with pytest.raises(ValueError, match=r"number 1 is \(2, 4, 1\)"):
        tfds_reader.stack([a, b])


def test_the_file_imports_nothing_of_the_package():
    tree = ast.parse(Path(tfds_reader.__file__).read_text())
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in ast.walk(tree):
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    others = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert others == {"numpy", "PIL", "tensorflow_datasets"}


@pytest.fixture
def tfds():
    pytest.importorskip("tensorflow")
    return pytest.importorskip("tensorflow_datasets")


@pytest.mark.parametrize(
    "name, shape, classes",
    [
        ("fashion_mnist", (28, 28, 1), 10),
        ("cifar10", (32, 32, 3), 10),
        ("omniglot", (105, 105, 3), 1623),
        ("binarized_mnist", (28, 28, 1), None),
    ],
)
def test_data_sets_of_tensorflow_datasets(tfds, name, shape, classes):
    with tfds.testing.mock_data(num_examples=7):
        x, y = tfds_reader.read(name, "train")
        expected = list(tfds.as_numpy(tfds.load(name, split="train")))
    np.testing.assert_array_equal(x, [example["image"] for example in expected])
    assert x.shape == (7, *shape)
    assert x.dtype == np.uint8
    if classes is None:
        assert y is None
    else:
        np.testing.assert_array_equal(y, [example["label"] for example in expected])
        assert y.min() >= 0
        assert y.max() < classes


def test_a_data_set_without_pictures(tfds):
    with (
        tfds.testing.mock_data(num_examples=1),
        pytest.raises(ValueError, match=r"no feature `image`\. It has: .*text"),
    ):
        tfds_reader.read("imdb_reviews", "train")


@pytest.fixture
def tiny(tfds, tmp_path):
    """A data set on disk, of pictures of two sizes, that has a test part of one size."""
    import tensorflow as tf

    def pictures(shapes):
        for label, shape in enumerate(shapes):
            yield {"image": np.full((*shape, 1), 10 * label, dtype="uint8"), "label": label}

    features = {"image": tfds.features.Image(shape=(None, None, 1)), "label": np.int64}
    signature = {
        "image": tf.TensorSpec((None, None, 1), tf.uint8),
        "label": tf.TensorSpec((), tf.int64),
    }
    tfds.dataset_builders.TfDataBuilder(
        name="tiny",
        version="1.0.0",
        data_dir=tmp_path / "data",
        features=tfds.features.FeaturesDict(features),
        split_datasets={
            part: tf.data.Dataset.from_generator(
                lambda shapes=shapes: pictures(shapes), output_signature=signature
            )
            for part, shapes in {"train": [(2, 2), (4, 6)], "test": [(2, 2), (2, 2)]}.items()
        },
    ).download_and_prepare()
    return tmp_path


def test_sizes_that_differ_within_a_data_set(tiny):
    pytest.importorskip("PIL")
    data = str(tiny / "data")
    with pytest.raises(ValueError, match=r"differ in size.*image_size"):
        tfds_reader.read("tiny", "train", data_dir=data)
    x, y = tfds_reader.read("tiny", "train", image_size=(3, 3), data_dir=data)
    assert x.shape == (2, 3, 3, 1)
    np.testing.assert_array_equal(x[:, 1, 1, 0], 10 * y)


def test_every_part_is_written(tiny):
    pytest.importorskip("PIL")
    tfds_reader.write("tiny", tiny, image_size=(2, 2), data_dir=str(tiny / "data"))
    written = sorted(path.name for path in tiny.glob("*.npy"))
    assert written == ["x_test.npy", "x_train.npy", "y_test.npy", "y_train.npy"]
    x, y = np.load(tiny / "x_test.npy"), np.load(tiny / "y_test.npy")
    np.testing.assert_array_equal(x[:, 0, 0, 0], 10 * y)


@pytest.mark.parametrize("name", ["mnits", "no-name"])
def test_unknown_names_are_recognised(tfds, name):
    with pytest.raises(Exception) as error:  # noqa: PT011 - whatever tensorflow-datasets raises
        tfds.builder(name)
    answer = tfds_reader.explain(name, error.value)
    assert answer["unknown"]
    assert "mnist" in answer["names"]


@pytest.mark.slow
def test_run_as_a_script_it_leaves_its_reason(tfds, tmp_path):
    request = {"name": "mnits", "folder": str(tmp_path), "image_size": None, "data_dir": None}
    command = [sys.executable, "-P", tfds_reader.__file__, json.dumps(request)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    assert json.loads((tmp_path / "error.json").read_text())["unknown"]
