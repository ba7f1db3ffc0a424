import numpy as np
import pytest

from keras_vae.plotting import history as module

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


@pytest.fixture
def drawn():
    """Draws a history and gives the axes of each metric by its title."""

    def draw(history, **options):
        figure = module.curves(history, title="a run", **options)
        return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}

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


def legend(panel):
    return [text.get_text() for text in panel.get_legend().get_texts()]


def test_an_axis_shows_how_training_ended(drawn):
    loss = [1000.0, *np.linspace(20, 10, 19)]
    panel = drawn({"loss": loss})["loss"]
    low, high = panel.get_ylim()
    assert low < 10
    assert loss[2] < high < 25  # what came after the second epoch of twenty
    assert legend(panel) == ["training: 10, from 1000"]


def test_an_even_fall_is_shown_whole(drawn):
    panel = drawn({"loss": list(np.linspace(20, 10, 20))})["loss"]
    assert panel.get_ylim()[1] >= 20
    assert legend(panel) == ["training: 10"]


def test_test_data_are_called_so(drawn):
    panel = drawn({"loss": [2.0], "val_loss": [3.0]}, held_out="test")["loss"]
    assert legend(panel) == ["training: 2", "test: 3"]


def test_the_parts_of_the_bound_lie_on_one_another(drawn):
    parts = {"reconstruction": [60.0, 50.0], "kl": [10.0, 15.0]}
    history = {"elbo": [-70.0, -65.0], **parts, "val_elbo": [-71.0, -66.0]}
    history |= {f"val_{k}": [v + 0.5 for v in values] for k, values in parts.items()}
    panel = drawn(history, held_out="test")["negative ELBO by term (test)"]
    assert legend(panel) == ["KL: 15.5", "reconstruction: 50.5", "-elbo: 66"]
    low, high = panel.get_ylim()
    assert low == 0
    assert high >= 71
    (line,) = panel.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), [71, 66])


def test_parts_that_are_not_all_of_the_bound_are_not_stacked(drawn):
    assert len(drawn({"elbo": [-70.0], "reconstruction": [60.0], "kl": [9.0]})) == 3
