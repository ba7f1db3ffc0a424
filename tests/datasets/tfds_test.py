import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest

from keras_vae.datasets import tfds

pytestmark = pytest.mark.one_backend

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"

# Readers that need no tensorflow: what the parent does with a reader's answer is tested fast.
WRITES = """
import json, os, sys
import numpy as np
request = json.loads(sys.argv[1])
folder = request["folder"]
np.save(folder + "/x_train.npy", np.arange(12, dtype="uint8").reshape(3, 2, 2, 1))
np.save(folder + "/y_train.npy", np.array([2, 1, 0]))
np.save(folder + "/x_test.npy", np.zeros((1, 2, 2, 1), dtype="uint8"))
seen = {"request": request, "gpus": os.environ["CUDA_VISIBLE_DEVICES"], "path": sys.path}
open(os.environ["SEEN"], "w").write(json.dumps(seen))
"""
FAILS = """
import json, sys
from pathlib import Path
folder = json.loads(sys.argv[1])["folder"]
Path(folder, "error.json").write_text(json.dumps({answer}))
sys.exit(1)
"""


@pytest.fixture
def reader(tmp_path, monkeypatch):
    def install(script):
        path = tmp_path / "reader.py"
        path.write_text(script)
        monkeypatch.setattr(tfds, "_READER", path)

    monkeypatch.setattr(tfds, "_check_installed", lambda name: None)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen.json"))
    return install


def test_arrays_arrive_and_nothing_stays_behind(reader, tmp_path):
    reader(WRITES)
    parts = tfds.read_tfds("digits", image_size=(2, 2), data_dir=Path("data"))
    assert list(parts) == ["train", "test"]
    np.testing.assert_array_equal(parts["train"][0].ravel(), np.arange(12))
    np.testing.assert_array_equal(parts["train"][1], [2, 1, 0])
    assert parts["test"][1] is None

    seen = json.loads((tmp_path / "seen.json").read_text())
    folder = seen["request"].pop("folder")
    assert not os.path.exists(folder)
    assert seen["request"] == {"name": "digits", "image_size": [2, 2], "data_dir": "data"}
    assert seen["gpus"] == "-1"
    # The files beside the reader cannot be imported in the place of installed packages.
    assert str(tmp_path) not in seen["path"]


def test_an_unknown_name_has_neighbours(reader, tmp_path, monkeypatch):
    reader(FAILS.replace("{answer}", "{'unknown': True, 'names': ['mnist', 'cifar10']}"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="mnist_mini") as error:
        tfds.read_tfds("mnits")
    assert "Did you mean 'mnist'" in str(error.value)
    (tmp_path / "photos").mkdir()
    with pytest.raises(ValueError, match=r"write '\./photos'"):
        tfds.read_tfds("photos")


def test_a_failure_is_told_in_its_own_words(reader):
    reader(FAILS.replace("{answer}", "{'unknown': False, 'text': 'OSError: no network'}"))
    with pytest.raises(RuntimeError, match="OSError: no network"):
        tfds.read_tfds("mnist")


def test_a_reader_that_dies_without_a_word(reader):
    reader("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(RuntimeError, match="exit status -9"):
        tfds.read_tfds("mnist")


@pytest.mark.parametrize("missing", ["tensorflow_datasets", "tensorflow"])
def test_a_missing_package_is_named_with_the_command(monkeypatch, missing):
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else there("numpy")
    )
    with pytest.raises(ImportError, match=r'pip install "keras-vae\[datasets\]"') as error:
        tfds.read_tfds("mnist_mimi")
    assert f"{missing} is not installed" in str(error.value)
    assert "Did you mean 'mnist_mini'?" in str(error.value)


@pytest.mark.slow
@pytest.mark.skipif(
    not (SHARED / "mnist.npz").exists() or not (SHARED / "tensorflow_datasets").exists(),
    reason="needs the whole of MNIST, and as tensorflow-datasets writes it",
)
def test_mnist_is_mnist():
    pytest.importorskip("tensorflow_datasets")
    pytest.importorskip("tensorflow")
    parts = tfds.read_tfds("mnist", data_dir=SHARED / "tensorflow_datasets")
    assert list(parts) == ["train", "test"]
    with np.load(SHARED / "mnist.npz") as mnist:
        for part, (x, y) in parts.items():
            expected = _sorted_rows(mnist[f"x_{part}"], mnist[f"y_{part}"])
            np.testing.assert_array_equal(_sorted_rows(x, y), expected)


def _sorted_rows(x, y):
    """Each picture with its label as one byte string: tensorflow-datasets has its own order."""
    rows = np.concatenate([x.reshape(len(x), -1), y[:, None].astype("uint8")], axis=1)
    return np.sort(np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel())
