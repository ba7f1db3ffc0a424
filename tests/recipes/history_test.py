import keras
import numpy as np
import pytest

from keras_vae.recipes import read_history
from keras_vae.recipes.history import keep_epochs

pytestmark = pytest.mark.one_backend

TEXT = "epoch,elbo,val_elbo\n0,-3.5,NA\n1,-2.5,-2.25\n2,-1.5,NA\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "epochs.csv").write_text(TEXT)
    return tmp_path / "epochs.csv"


def test_read(path):
    assert read_history(path) == {"elbo": [-3.5, -2.5, -1.5], "val_elbo": [-2.25]}


def test_read_nothing(path):
    path.write_text("")
    assert read_history(path) == {}


@pytest.mark.parametrize("num_epochs, lines", [(0, 0), (1, 2), (2, 3), (3, 4), (9, 4)])
def test_keep(path, num_epochs, lines):
    keep_epochs(path, num_epochs)
    assert path.read_text() == "".join(TEXT.splitlines(keepends=True)[:lines])


def test_keep_of_nothing(tmp_path):
    keep_epochs(tmp_path / "epochs.csv", 2)
    assert not (tmp_path / "epochs.csv").exists()


def test_it_reads_what_keras_writes(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    x = np.ones((4, 1))
    options = {"validation_data": (x, x), "validation_freq": 2, "callbacks": [log], "verbose": 0}
    history = model.fit(x, x, epochs=4, **options).history
    read = read_history(tmp_path / "log.csv")
    assert read.keys() == history.keys()
    assert len(read["val_loss"]) == 2
    for name, values in history.items():
        np.testing.assert_allclose(read[name], values)
