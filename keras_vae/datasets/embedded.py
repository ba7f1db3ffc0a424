"""Data sets that ship with the library: digits in a file, and generated shapes."""

from pathlib import Path

from keras_vae.datasets.npz import read_npz
from keras_vae.datasets.shapes import shapes
from keras_vae.datasets.tfds_reader import RawParts

EMBEDDED = {
    "mnist_mini": (
        "5,000 digits of MNIST, every pixel unchanged: 400 of each class from its training part, "
        "100 of each from its test part (zoo/make_mnist_mini.py). MNIST is the work of Yann LeCun, "
        "Corinna Cortes and Christopher J. C. Burges; CC BY-SA 3.0."
    ),
    "shapes": (
        "9,600 pictures drawn by keras_vae.datasets.shapes: a square, an ellipse and a heart, "
        "white on black, in 4 sizes, at 8 angles and 10 x 10 places, every combination once."
    ),
}


def read_embedded(name: str, image_size: tuple[int, int] | None = None) -> tuple[RawParts, str]:
    """Returns the raw parts of an embedded data set, and its description."""
    if name == "shapes":
        return {"train": shapes(*(image_size or ()))}, EMBEDDED[name]
    return read_npz(Path(__file__).with_name(f"{name}.npz"), image_size), EMBEDDED[name]
