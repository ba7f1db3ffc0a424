import numpy as np
import pytest

from keras_vae.plotting import latent as module

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


@pytest.fixture
def drawn():
    """Draws codes and gives the axes."""
    return lambda z, y=None: module.latent_scatter(z, y=y).axes[0]


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
        (np.zeros((5, 1)), None, r"\(5, 1\)"),
        (np.zeros((5, 2)), np.zeros(4), r"\(4,\)"),
        (np.zeros((21, 2)), np.arange(21), "Received: 21"),
    ],
)
def test_wrong_arguments_say_so(tmp_path, z, y, message):
    with pytest.raises(ValueError, match=message):
        module.latent_scatter(z, tmp_path / "latent.png", y=y)


def test_of_many_dimensions_the_plane_of_most_variance_is_drawn(drawn):
    rng = np.random.default_rng(0)
    turned, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    own = rng.normal(size=(400, 5)) * [10, 5, 1, 1, 1]
    own -= own.mean(axis=0)
    u, s, _ = np.linalg.svd(own, full_matrices=False)
    axes = drawn(own @ turned + 7)
    (cloud,) = axes.collections
    found = np.abs(cloud.get_offsets())  # a direction's sign is arbitrary
    np.testing.assert_allclose(found, np.abs(u * s)[:, :2], atol=1e-6)
    shares = s**2 / np.sum(s**2)
    assert f"{shares[0]:.0%}" in axes.get_xlabel()
    assert f"{shares[1]:.0%}" in axes.get_ylabel()


def test_one_example_has_a_place(drawn):
    assert len(drawn(np.ones((1, 4))).collections[0].get_offsets()) == 1


def test_bars_are_sorted_and_named_after_their_dimension():
    panel = module.kl_per_dimension(np.array([0.5, 2.0, 0.001, 1.0])).axes[0]
    assert [bar.get_height() for bar in panel.patches] == [2.0, 1.0, 0.5, 0.001]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["1", "3", "0", "2"]
    assert panel.get_title().startswith("3 of 4 dimensions")
    assert "3.5 nats" in panel.get_title()
    assert "nats" in panel.get_ylabel()


@pytest.mark.parametrize("wrong", [np.zeros(0), np.array([-1.0, 2.0]), np.array([np.nan])])
def test_what_is_no_kl(wrong):
    with pytest.raises(ValueError, match="`kl`"):
        module.kl_per_dimension(wrong)
