"""The data of the benches: small pictures of digits, never zeros."""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "keras_vae" / "datasets" / "mnist_mini.npz"


def digits(num_images: int, side: int = 28) -> np.ndarray:
    """Returns pictures (N, side, side, 1), float32 in [0, 1]; other sides than 28 repeat pixels."""
    with np.load(FILE) as arrays:
        pictures = arrays["x_train"]
    pictures = pictures.reshape(-1, 28, 28)[:num_images].astype("float32") / pictures.max()
    at = np.arange(side) * 28 // side
    pictures = pictures[:, at][:, :, at]
    return np.resize(pictures, (num_images, side, side))[..., None]
