"""A recipe and data so small that a test can train it."""

import numpy as np

from keras_vae.recipes import build_model
from keras_vae.recipes import read_recipe

SHAPE = (6, 5, 1)
NUM_TRAIN, NUM_TEST = 24, 10

TEXT = """
summary = "A tiny VAE."
limits = "None that a test would notice."

[data]
name = "tiny.npz"
binarize = "dynamic"

[encoder]
class = "MLPEncoder"
hidden_units = [4]
latent_dim = 2

[decoder]
class = "MLPDecoder"
hidden_units = [4]

[model]
class = "VAE"

[training]
epochs = 4
batch_size = 8
learning_rate = 1e-2

[evaluation]
num_samples = 3
seed = 1

[[published]]
nll = 12.5
source = "Nobody 1999"
protocol = "made up"
"""

OF_CODES = (
    TEXT[: TEXT.index("[encoder]")]
    + """
[encoder]
class = "ConvMapEncoder"
filters = [4]
latent_dim = 2

[decoder]
class = "ConvMapDecoder"
filters = [4]

[quantizer]
class = "VectorQuantizer"
num_embeddings = 4
update = { class = "EMAUpdate", decay = 0.9 }

[prior]
class = "PixelCNN"
filters = 4
num_blocks = 1

[prior_training]
epochs = 2
batch_size = 8

[model]
class = "VQVAE"

"""
    + TEXT[TEXT.index("[training]") :]
)


def write_tiny_recipe(folder, text=TEXT):
    """Writes `tiny/recipe.toml` and `tiny.npz` into `folder`; returns the path of the recipe."""
    rng = np.random.default_rng(0)
    draws = {
        f"x_{part}": rng.integers(0, 256, (size, *SHAPE), dtype="uint8")
        for part, size in (("train", NUM_TRAIN), ("test", NUM_TEST))
    }
    np.savez(folder / "tiny.npz", **draws)
    path = folder / "tiny" / "recipe.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def read_tiny_recipe(folder, text=TEXT):
    """Writes the tiny recipe and data into `folder`, and returns the `Recipe`."""
    return read_recipe(write_tiny_recipe(folder, text))


def write_tiny_preset(folder):
    """Writes the tiny recipe's model, untrained, beside the recipe; returns its folder."""
    path = write_tiny_recipe(folder)
    build_model(read_recipe(path), SHAPE, seed=0).save_to_preset(path.parent)
    return path.parent
