"""A recipe of texts so small that a test can train it, and its data."""

from keras_vae.recipes import read_recipe

WORDS = ("food", "staff", "coffee"), ("was", "is"), ("great", "rude", "slow")
SENTENCES = [f"the {a} {b} {c} ." for a in WORDS[0] for b in WORDS[1] for c in WORDS[2]]

TEXT = """
summary = "A tiny VAE of sentences."

[data]
kind = "texts"
name = "tiny.txt"
validation_size = 4

[encoder]
class = "RecurrentTokenEncoder"
units = 4
embedding_dim = 3
latent_dim = 2

[decoder]
class = "RecurrentTokenDecoder"
units = 4
embedding_dim = 3

[model]
class = "SequenceVAE"

[training]
epochs = 2
batch_size = 4
learning_rate = 1e-2

[evaluation]
num_examples = 2
num_samples = 3
measures = ["mutual_information"]
"""
LANGUAGE_MODEL = (
    TEXT[: TEXT.index("[encoder]")] + TEXT[TEXT.index("[decoder]") : TEXT.index("num_samples")]
).replace("SequenceVAE", "LanguageModel")


def write_tiny_texts(folder, text=TEXT):
    """Writes `tiny/recipe.toml` and `tiny.txt` into `folder`; returns the `Recipe`."""
    (folder / "tiny.txt").write_text("\n".join(SENTENCES))
    path = folder / "tiny" / "recipe.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return read_recipe(path)
