import numpy as np
import pytest
from keras import ops

from keras_vae.plotting import images
from keras_vae.plotting.images import as_pictures
from keras_vae.plotting.images import image_grid
from keras_vae.plotting.images import reconstructions
from keras_vae.plotting.images import tile

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


def read(path):
    """uint8 (H, W, 3) as written."""
    from matplotlib.image import imread

    return np.round(imread(path)[..., :3] * 255).astype("uint8")


def test_a_grid_by_hand():
    pictures = np.array([0.1, 0.2, 0.3], dtype="float32").reshape(3, 1, 1, 1)
    expected = [[0.1, 1, 0.2], [1, 1, 1], [0.3, 1, 1]]
    np.testing.assert_array_equal(tile(pictures, columns=2)[..., 0], np.float32(expected))


def test_rows_can_lie_further_apart():
    canvas = tile(np.zeros((2, 1, 1, 1)), columns=1, row_gap=3)
    np.testing.assert_array_equal(canvas.ravel(), [0, 1, 1, 1, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_of_the_file_is_right(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 7, channels), dtype="uint8")
    image_grid(pixels / 255, tmp_path / "grid.png", columns=2)
    zoom = 13  # the least that makes 5 pixels 64
    canvas = np.full((11, 15, 3), 255, dtype="uint8")
    canvas[:5, :7], canvas[:5, 8:], canvas[6:, :7], canvas[6:, 8:] = pixels
    expected = np.kron(canvas, np.ones((zoom, zoom, 1), dtype="uint8"))
    np.testing.assert_array_equal(read(tmp_path / "grid.png"), expected)


def test_a_title_stands_above_and_changes_no_pixel(tmp_path):
    x = np.random.default_rng(0).random((9, 16, 16, 1))
    image_grid(x, tmp_path / "plain.png")
    image_grid(x, tmp_path / "title.png", title="nine pictures")
    plain, title = read(tmp_path / "plain.png"), read(tmp_path / "title.png")
    np.testing.assert_array_equal(title[-len(plain) :], plain)
    assert title[: -len(plain)].min() < 100


def test_large_pictures_keep_their_size(tmp_path):
    image_grid(np.zeros((1, 1500, 70, 1)), tmp_path / "large.png")
    assert read(tmp_path / "large.png").shape == (1500, 70, 3)


def test_no_tile_is_too_small_to_see(tmp_path):
    image_grid(np.zeros((900, 28, 28, 1)), tmp_path / "many.png")
    assert read(tmp_path / "many.png").shape == (3 * (30 * 29 - 1), 3 * (30 * 29 - 1), 3)


def test_a_reconstruction_lies_below_its_original(tmp_path):
    grey = np.array([0, 26, 51, 77, 102])
    data = np.broadcast_to(grey.reshape(5, 1, 1, 1) / 255, (5, 4, 4, 1))
    reconstructions(data, 1 - data, tmp_path / "pairs.png", columns=3)
    zoom = 16
    left = 5 * images._LETTER_WIDTH + 2 * images._MARGIN  # for "model"
    canvas = read(tmp_path / "pairs.png")[::zoom, left::zoom, 0]
    below_one_another = canvas[[1, 6, 13, 18]]
    np.testing.assert_array_equal(below_one_another[0, [1, 6, 11]], grey[:3])
    np.testing.assert_array_equal(below_one_another[1, [1, 6, 11]], 255 - grey[:3])
    np.testing.assert_array_equal(below_one_another[2, [1, 6, 11]], [*grey[3:], 255])
    np.testing.assert_array_equal(below_one_another[3, [1, 6, 11]], [*(255 - grey[3:]), 255])


def test_what_counts_as_pictures():
    x = np.random.default_rng(0).random((3, 4, 4, 1), dtype="float32")
    for same in (x, x[..., 0], x.reshape(3, 16), x.astype("float64"), ops.convert_to_tensor(x)):
        np.testing.assert_array_equal(as_pictures(same, "images"), x)
    grey = np.array([[[0, 51], [102, 255]]], dtype="uint8")
    np.testing.assert_allclose(as_pictures(grey, "images")[..., 0], [[[0, 0.2], [0.4, 1]]])


def test_values_a_little_outside_are_clipped_in_a_copy():
    x = np.array([[[-0.2, 1.3]]])
    np.testing.assert_array_equal(as_pictures(x, "images")[..., 0], [[[0, 1]]])
    np.testing.assert_array_equal(x, [[[-0.2, 1.3]]])


@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((2, 15)), r"`images` must be images .*\(2, 15\)"),
        (np.zeros((2, 3, 32, 32)), r"\(2, 3, 32, 32\)"),
        (np.zeros(4), "shape"),
        (np.zeros((0, 4, 4, 1)), "shape"),
        (np.full((1, 2, 2), 255.0), "from 255.0 to 255.0"),
        (np.full((1, 2, 2), -1.0), "from -1.0"),
        (np.full((1, 2, 2), np.nan), "nan"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        image_grid(wrong, tmp_path / "grid.png")
    assert not list(tmp_path.iterdir())


def test_pairs_have_one_shape(tmp_path):
    with pytest.raises(ValueError, match=r"\(2, 4, 4, 1\) and \(3, 4, 4, 1\)"):
        reconstructions(np.zeros((2, 4, 4)), np.zeros((3, 4, 4)), tmp_path / "pairs.png")


def test_rows_and_columns_of_a_table_have_names():
    pictures = np.random.default_rng(0).random((2, 3, 4, 4, 1))
    figure = images.draw_table(pictures, ["first", "second"], ["a", "b", "c"], "all")
    assert [t.get_text() for t in figure.texts] == ["all", "first", "second", "a", "b", "c"]
    lefts = [t.get_position()[0] for t in figure.texts[3:]]
    heights = [t.get_position()[1] for t in figure.texts[1:3]]
    assert lefts == sorted(lefts)
    assert heights == sorted(heights, reverse=True)


def test_a_figure_comes_back_with_or_without_a_file():
    from matplotlib.figure import Figure

    assert isinstance(image_grid(np.zeros((2, 4, 4))), Figure)
