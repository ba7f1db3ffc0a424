import numpy as np
import pytest

from keras_vae.plotting import latent as module

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


@pytest.fixture
def drawn(monkeypatch):
    """Draws codes and gives the axes."""
    figures = []
    monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))

    def draw(z, y=None):
        module.latent_scatter(z, "latent.png", y=y)
        return figures[-1].axes[0]

    return draw


def test_each_label_has_its_points_and_a_colour(drawn):
    z, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 12
    clouds = drawn(z, y).collections
    assert len(clouds) == 12
    for label, cloud in enumerate(clouds):
        np.testing.assert_array_equal(cloud.get_offsets(), z[y == label])
        assert cloud.get_label() == str(label)
    assert len({tuple(cloud.get_facecolor()[0]) for cloud in clouds}) == 12


def test_without_labels_all_points_are_one_cloud(drawn):
    z = np.zeros((5, 2))
    axes = drawn(z)
    (cloud,) = axes.collections
    assert len(cloud.get_offsets()) == 5
    assert axes.get_legend() is None


def test_the_file(tmp_path):
    module.latent_scatter(np.eye(2), tmp_path / "latent.png", y=np.array([0, 1]), title="two")
    assert (tmp_path / "latent.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "z, y, message",
    [
        (np.zeros((5, 3)), None, r"\(5, 3\)"),
        (np.zeros((5, 2)), np.zeros(4), r"\(4,\)"),
        (np.zeros((21, 2)), np.arange(21), "Received: 21"),
    ],
)
def test_wrong_arguments_say_so(tmp_path, z, y, message):
    with pytest.raises(ValueError, match=message):
        module.latent_scatter(z, tmp_path / "latent.png", y=y)
