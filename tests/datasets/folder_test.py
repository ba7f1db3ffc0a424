import numpy as np
import pytest

from keras_vae.datasets.folder import picture_sizes
from keras_vae.datasets.folder import read_folder

pytestmark = pytest.mark.one_backend

Image = pytest.importorskip("PIL.Image")


def picture(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, dtype="uint8")).save(path)


def test_pixels_come_unchanged_in_the_order_of_their_names(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 4, 5))
    for name, image in zip(["b.png", "a.png", "c.PNG"], pixels, strict=True):
        picture(tmp_path / name, image)
    (tmp_path / "notes.txt").write_text("no picture")
    x, y = read_folder(tmp_path)["train"]
    np.testing.assert_array_equal(x, pixels[[1, 0, 2], ..., None])
    assert x.dtype == np.uint8
    assert y is None


def test_sub_folders_are_classes_and_parts(tmp_path):
    for part, count in {"train": 2, "test": 1}.items():
        for label, name in enumerate(["cat", "dog"]):
            for i in range(count):
                picture(tmp_path / part / name / f"{i}.png", np.full((2, 2), 10 * label + i))
    parts = read_folder(tmp_path)
    assert list(parts) == ["train", "test"]
    x, y = parts["train"]
    np.testing.assert_array_equal(x[:, 0, 0, 0], [0, 1, 10, 11])
    np.testing.assert_array_equal(y, [0, 0, 1, 1])
    np.testing.assert_array_equal(parts["test"][1], [0, 1])


def test_a_class_has_one_number_in_all_parts(tmp_path):
    for name in ("train/cat", "train/dog", "train/owl", "test/dog", "test/owl"):
        picture(tmp_path / name / "0.png", np.zeros((2, 2)))
    parts = read_folder(tmp_path)
    np.testing.assert_array_equal(parts["train"][1], [0, 1, 2])
    np.testing.assert_array_equal(parts["test"][1], [1, 2])


def test_hidden_files_and_folders_are_left_out(tmp_path):
    for name in ("cat/0.png", "dog/0.png", "cat/.0.png", ".ipynb_checkpoints/0.png", ".1.png"):
        picture(tmp_path / name, np.zeros((2, 2)))
    x, y = read_folder(tmp_path)["train"]
    assert len(x) == 2
    np.testing.assert_array_equal(y, [0, 1])
    for name in ("cat/0.png", "dog/0.png"):
        (tmp_path / name).unlink()
    with pytest.raises(ValueError, match="holds no images"):
        read_folder(tmp_path)


def test_pictures_beside_the_classes_leave_no_labels(tmp_path):
    picture(tmp_path / "cat" / "0.png", np.zeros((2, 2)))
    picture(tmp_path / "stray.png", np.zeros((2, 2)))
    assert read_folder(tmp_path)["train"][1] is None


def test_one_colour_picture_makes_all_of_them_rgb(tmp_path):
    picture(tmp_path / "a.png", [[7]])
    picture(tmp_path / "b.png", [[[1, 2, 3]]])
    x, _ = read_folder(tmp_path)["train"]
    np.testing.assert_array_equal(x, [[[[7, 7, 7]]], [[[1, 2, 3]]]])


def test_sizes_that_differ_need_a_size(tmp_path):
    picture(tmp_path / "a.png", np.full((2, 2), 100))
    picture(tmp_path / "b.png", np.full((4, 6), 200))
    with pytest.raises(ValueError, match=r"\(2, 2, 1\).*\(4, 6, 1\).*image_size"):
        read_folder(tmp_path)
    x, _ = read_folder(tmp_path, image_size=(3, 5))["train"]
    np.testing.assert_array_equal(x[0], np.full((3, 5, 1), 100))
    np.testing.assert_array_equal(x[1], np.full((3, 5, 1), 200))


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        read_folder(tmp_path)


@pytest.mark.parametrize("size", [0, 40])
def test_a_broken_picture_is_named(tmp_path, size):
    picture(tmp_path / "broken.png", np.random.default_rng(0).integers(0, 256, (9, 9)))
    content = (tmp_path / "broken.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(content[:size])
    with pytest.raises(ValueError, match=r"broken\.png cannot be read"):
        read_folder(tmp_path)


def test_sizes_are_read_without_the_pixels(tmp_path):
    from PIL import Image

    for number, size in enumerate([(4, 3), (4, 3), (5, 6)]):
        Image.new("L", size).save(tmp_path / f"{number}.png")
    assert picture_sizes(tmp_path) == {(3, 4), (6, 5)}
    with pytest.raises(ValueError, match="no images"):
        picture_sizes(tmp_path / "missing")
