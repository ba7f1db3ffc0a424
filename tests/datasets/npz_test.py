import io

import numpy as np
import pytest

from keras_vae.datasets.npz import read_npz

pytestmark = pytest.mark.one_backend

PICTURES = np.arange(2 * 3 * 4, dtype="uint8").reshape(2, 3, 4)


def test_parts_with_labels(tmp_path):
    path = tmp_path / "parts.npz"
    np.savez(path, x_train=PICTURES, y_train=[1, 0], x_test=PICTURES + 1, x_validation=PICTURES + 2)
    parts = read_npz(path)
    assert list(parts) == ["train", "validation", "test"]
    np.testing.assert_array_equal(parts["train"][0], PICTURES)
    np.testing.assert_array_equal(parts["train"][1], [1, 0])
    np.testing.assert_array_equal(parts["validation"][0], PICTURES + 2)
    np.testing.assert_array_equal(parts["test"][0], PICTURES + 1)
    assert parts["test"][1] is None


@pytest.mark.parametrize("key", ["images", "x"])
def test_one_array(tmp_path, key):
    path = tmp_path / "one.npz"
    np.savez_compressed(path, **{key: PICTURES, "y": [5, 6]})
    parts = read_npz(path)
    assert list(parts) == ["train"]
    np.testing.assert_array_equal(parts["train"][0], PICTURES)
    np.testing.assert_array_equal(parts["train"][1], [5, 6])


def test_unknown_keys_are_named(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, pixels=PICTURES, x_train=PICTURES)
    with pytest.raises(ValueError, match="Received: pixels, x_train"):
        read_npz(path)


def test_pickles_are_never_opened(tmp_path):
    path = tmp_path / "pickle.npz"
    np.savez(path, images=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="holds Python objects, which could run code") as error:
        read_npz(path)
    assert "allow_pickle" not in str(error.value)  # which NumPy offers


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 cut short"])
def test_files_that_are_no_npz(tmp_path, content):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.npz cannot be read.*not an archive.*\. Write"):
        read_npz(path)


def test_one_npy_in_the_place_of_an_npz(tmp_path):
    with open(tmp_path / "array.npz", "wb") as file:
        np.save(file, PICTURES)
    with pytest.raises(ValueError, match=r"as an \.npz"):
        read_npz(tmp_path / "array.npz")


def test_pictures_as_the_bytes_of_their_files(tmp_path):
    image = pytest.importorskip("PIL.Image")
    colours = np.array([[200, 30, 60], [10, 220, 90], [0, 0, 0]], "uint8")
    arrays = {}
    for part, order in {"train": [0, 1, 2], "test": [2, 0]}.items():
        files = []
        for colour in colours[order]:
            file = io.BytesIO()
            image.fromarray(np.tile(colour, (8, 8, 1))).save(file, "jpeg", quality=95)
            files.append(file.getvalue())
        arrays[f"jpeg_{part}"] = np.frombuffer(b"".join(files), "uint8")
        arrays[f"offsets_{part}"] = np.cumsum([0, *map(len, files)])
    np.savez(tmp_path / "files.npz", **arrays, y_train=[5, 6, 7])
    parts = read_npz(tmp_path / "files.npz")
    for part, order in {"train": [0, 1, 2], "test": [2, 0]}.items():
        x = parts[part][0]
        assert (x.shape, x.dtype) == ((len(order), 8, 8, 3), np.uint8)
        np.testing.assert_allclose(x[:, 4, 4].astype(int), colours[order].astype(int), atol=3)
    np.testing.assert_array_equal(parts["train"][1], [5, 6, 7])
    assert read_npz(tmp_path / "files.npz", image_size=(4, 4))["test"][0].shape == (2, 4, 4, 3)
