"""Commands, and presets that are told something of each example."""

from types import SimpleNamespace

import numpy as np
import pytest
from families import BY_NAME

from keras_vae.cli import conditions
from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with the preset `told`, of 3 classes, and pictures without labels."""
    pytest.importorskip("PIL")
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    family = BY_NAME["conditional_iwae"]
    family.model().save_to_preset("told")
    x = family.data(10)
    np.save("x.npy", x)
    np.savez("x.npz", x_train=x, x_test=x)
    (tmp_path / "pictures").mkdir()
    Image.fromarray((255 * x[0, ..., 0]).astype("uint8")).save("pictures/a.png")
    return tmp_path


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["compress", "told", "x.npy"], "has no option for it. In Python:"),
        (["encode", "told", "pictures"], "has no option for it. In Python:"),
        (["reconstruct", "./told", "--data", "x.npz"], "Give --data with labels"),
        (["sample", "told", "--label", "3"], "--label must be a class of told, from 0 to 2"),
    ],
)
def test_conditions_are_spoken_of_in_the_words_of_the_command_line(
    folder, capsys, arguments, words
):
    assert main(arguments) == 2
    told = capsys.readouterr().err.strip()
    assert words in told
    assert "condition=" not in told


def test_labels_that_a_preset_does_not_know():
    condition = BY_NAME["conditional_iwae"].model().condition
    model = SimpleNamespace(sample_condition=condition)
    conditions.check("told", model, (None, np.array([0, 2])), is_told=True)
    with pytest.raises(ValueError, match=r"told knows the classes 0 to 2, .* from 1 to 3"):
        conditions.check("told", model, (None, np.array([1, 3])), is_told=True)
