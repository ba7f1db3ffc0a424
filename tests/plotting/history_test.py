import numpy as np
import pytest

from keras_vae.plotting import history as module

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


@pytest.fixture
def drawn(monkeypatch):
    """Draws a history and gives the axes of each metric by its title."""
    figures = []
    monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))

    def draw(history):
        module.curves(history, "curves.png", title="a run")
        return {axes.get_title(): axes for axes in figures[-1].axes if axes.get_title()}

    return draw


def test_validation_is_drawn_beside_training(drawn):
    panels = drawn({"loss": [3.0, 2.0, 1.5], "val_loss": [4.0, 3.5, 3.25], "kl": [0.0, 1.0, 2.0]})
    assert list(panels) == ["loss", "kl"]
    training, validation = panels["loss"].get_lines()
    np.testing.assert_array_equal(training.get_xydata(), [[1, 3], [2, 2], [3, 1.5]])
    np.testing.assert_array_equal(validation.get_xydata(), [[1, 4], [2, 3.5], [3, 3.25]])
    labels = [text.get_text() for text in panels["loss"].get_legend().get_texts()]
    assert labels == ["training: 1.5", "validation: 3.25"]
    assert len(panels["kl"].get_lines()) == 1


def test_axes_have_units(drawn):
    names = ("loss", "x_bits_per_dim", "kl_weight", "perplexity", "commitment")
    history = {key: [1.0] for key in names}
    panels = drawn(history)
    assert all(panel.get_xlabel() == "epoch" for panel in panels.values())
    units = {name: panel.get_ylabel() for name, panel in panels.items()}
    assert units == {
        "loss": "nats",
        "x bits per dim": "bits/dim",
        "kl weight": "",
        "perplexity": "codes",
        "commitment": "squared distance",
    }


def test_a_constant_looks_like_one(drawn):
    panels = drawn({"kl": [12.4766, 12.47660001], "loss": [12.4, 12.5]})
    low, high = panels["kl"].get_ylim()
    assert high - low > 1
    low, high = panels["loss"].get_ylim()
    assert high - low < 0.2


def test_validation_every_second_epoch(drawn):
    panels = drawn({"loss": [5.0, 4.0, 3.0, 2.0, 1.0], "val_loss": [4.5, 2.5]})
    assert panels["loss"].get_lines()[1].get_xdata().tolist() == [2, 4]


def test_metrics_of_validation_alone(drawn):
    panels = drawn({"val_loss": [2.0, 1.0]})
    (line,) = panels["loss"].get_lines()
    assert line.get_label() == "validation: 1"


def test_the_file(tmp_path):
    from matplotlib.image import imread

    module.curves({"loss": [2.0, 1.0]}, tmp_path / "curves.png")
    pixels = imread(tmp_path / "curves.png")
    assert pixels.shape[:2] == (module._PANEL_HEIGHT, module._PANEL_WIDTH)
    assert pixels.min() < 0.5


@pytest.mark.parametrize("empty", [{}, {"loss": []}])
def test_nothing_to_draw(tmp_path, empty):
    with pytest.raises(ValueError, match="no values"):
        module.curves(empty, tmp_path / "curves.png")
