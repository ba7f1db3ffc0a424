import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops
from tiny_recipe import OF_CODES
from tiny_recipe import SHAPE
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

import keras_vae
from keras_vae.recipes import all_measures
from keras_vae.recipes import compare
from keras_vae.recipes import load_data
from keras_vae.recipes import read_history
from keras_vae.recipes import read_recipe
from keras_vae.recipes import rows
from keras_vae.recipes import train_recipe
from keras_vae.recipes import write_card
from keras_vae.recipes.cards.usage import usage
from keras_vae.recipes.checkpoint import Checkpoint

pytestmark = pytest.mark.one_backend

PICTURES = ("curves.png", "reconstructions.png", "samples.png")
PRESET = ("config.json", "model.safetensors")
TIMES = ("nll_seconds", "wall_seconds", "cpu_seconds")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """`(recipe, data_dir, run folder, metrics)` of a run that nothing interrupted."""
    home = tmp_path_factory.mktemp("home")
    recipe = read_tiny_recipe(home)
    folder = home / "run"
    return recipe, home, folder, train_recipe(recipe, folder, data_dir=home, verbose=0)


def without_times(numbers):
    return {k: v for k, v in numbers.items() if k not in TIMES}


def test_what_is_in_the_folder(run):
    pytest.importorskip("matplotlib")
    _, _, folder, metrics = run
    names = {*PRESET, *PICTURES, "metrics.json", "epochs.csv", "recipe.toml"}
    assert {path.name for path in folder.iterdir()} == names
    assert json.loads((folder / "metrics.json").read_text()) == metrics


def test_the_metrics_by_hand(run):
    recipe, _, folder, metrics = run
    training, test = metrics["training"], metrics["test"]
    assert metrics["preset"] == "tiny"
    assert (training["epochs"], training["updates"], training["seed"]) == (4, 4 * 3, 0)
    assert training["num_examples"] == 24
    assert training["num_parameters"] == (31 * 4 + 2 * 5 * 2) + (3 * 4 + 5 * 30)
    assert (test["num_examples"], test["nll_num_samples"], test["latent_dim"]) == (10, 3, 2)
    assert test["elbo"] == pytest.approx(-test["reconstruction"] - test["kl"], rel=1e-5)
    assert metrics["environment"]["backend"] == keras.config.backend()
    assert metrics["data"]["shape"] == list(SHAPE)
    assert read_recipe(folder / "recipe.toml").text == recipe.text


def test_the_preset_has_the_numbers_of_the_metrics(run):
    recipe, home, folder, metrics = run
    model = keras_vae.VAE.from_preset(folder)
    x = load_data(recipe, home).test.x
    model.compile()
    logs = model.evaluate(x, batch_size=100, return_dict=True, verbose=0)
    nll = -model.log_likelihood(x, num_samples=3, seed=1).mean()
    assert logs["elbo"] == pytest.approx(metrics["test"]["elbo"], rel=1e-5)
    assert nll == pytest.approx(metrics["test"]["nll"], rel=1e-5)


def test_the_numbers_are_of_what_is_on_disk(run, tmp_path):
    recipe, home, _, whole = run
    half = dataclasses.replace(recipe, weights_dtype="float16")
    metrics = train_recipe(half, tmp_path, data_dir=home, verbose=0)
    model = keras_vae.VAE.from_preset(tmp_path)
    for weights in model.get_weights():
        np.testing.assert_array_equal(weights, weights.astype("float16"))
    nll = -model.log_likelihood(load_data(recipe, home).test.x, num_samples=3, seed=1).mean()
    assert nll == pytest.approx(metrics["test"]["nll"], rel=1e-6)
    # One alone may by chance be the same.
    names = ("nll", "reconstruction", "kl")
    assert [metrics["test"][k] for k in names] != pytest.approx(
        [whole["test"][k] for k in names], rel=1e-6
    )


def test_trained_in_mixed_precision_the_preset_computes_in_float32(run, tmp_path):
    recipe, home, _, whole = run
    mixed = dataclasses.replace(recipe, precision="mixed_bfloat16")
    metrics = train_recipe(mixed, tmp_path, data_dir=home, verbose=0)
    model = keras_vae.VAE.from_preset(tmp_path)
    assert {layer.compute_dtype for layer in model._flatten_layers()} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    assert metrics["test"]["elbo"] == pytest.approx(whole["test"]["elbo"], rel=0.02)
    assert metrics["test"]["elbo"] != pytest.approx(whole["test"]["elbo"], rel=1e-6)


def test_a_line_an_epoch(run):
    _, _, folder, metrics = run
    history = read_history(folder / "epochs.csv")
    assert [len(v) for v in history.values()] == [4] * len(history)
    assert history["val_elbo"][-1] == pytest.approx(metrics["test"]["elbo"], rel=1e-5)


def test_only_as_many_originals_are_shown_as_the_recipe_says(run, tmp_path, monkeypatch):
    recipe, home, _, _ = run
    shown = []
    monkeypatch.setattr(
        keras_vae.plotting, "reconstructions", lambda x, y, path: shown.append((len(x), len(y)))
    )
    recipe = dataclasses.replace(recipe, pictures={"originals": 2})
    train_recipe(recipe, tmp_path, epochs=1, data_dir=home, verbose=0)
    assert shown == [(2, 2)]


def test_without_matplotlib_there_are_no_pictures(run, tmp_path, monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise ImportError("Plotting needs matplotlib")

    for name in ("curves", "reconstructions", "image_grid"):
        monkeypatch.setattr(keras_vae.plotting, name, fail)
    recipe, home, _, _ = run
    train_recipe(recipe, tmp_path, epochs=1, data_dir=home, verbose=0)
    assert not list(tmp_path.glob("*.png"))
    assert (tmp_path / "metrics.json").exists()
    assert "needs matplotlib" in capsys.readouterr().out


def test_pictures_that_cannot_be_drawn_do_not_end_a_run(run, tmp_path, monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise ValueError("`images` must be images with 1 or 3 channels.")

    for name in ("reconstructions", "image_grid"):
        monkeypatch.setattr(keras_vae.plotting, name, fail)
    recipe, home, _, _ = run
    train_recipe(recipe, tmp_path, epochs=1, data_dir=home, verbose=0)
    assert [path.name for path in tmp_path.glob("*.png")] == ["curves.png"]
    assert (tmp_path / "metrics.json").exists()
    assert "No pictures were drawn: `images` must be" in capsys.readouterr().out


def die_in_the_third_epoch(patch):
    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 1:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    patch.setattr(Checkpoint, "on_train_batch_end", on_train_batch_end)
    patch.setattr(Checkpoint, "on_epoch_begin", on_epoch_begin)


def die_before_the_second_checkpoint(patch):
    saved = Checkpoint.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:  # its line of epochs.csv is written
            raise KeyboardInterrupt
        saved(self, epoch, logs)

    patch.setattr(Checkpoint, "on_epoch_end", on_epoch_end)


def die_in_the_first_epoch(patch):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt

    patch.setattr(Checkpoint, "on_train_batch_end", on_train_batch_end)


def die_while_measuring(patch):
    def measure(*args):
        raise KeyboardInterrupt

    patch.setattr("keras_vae.recipes.train.all_measures", measure)


def interrupt(die, recipe, folder, data_dir):
    """Trains until the run dies."""
    with pytest.MonkeyPatch.context() as patch:
        die(patch)
        with pytest.raises(KeyboardInterrupt):
            train_recipe(recipe, folder, data_dir=data_dir, verbose=0)


DEATHS = (
    die_in_the_first_epoch,
    die_before_the_second_checkpoint,
    die_in_the_third_epoch,
    die_while_measuring,
)


@pytest.mark.parametrize("die", DEATHS)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(run, tmp_path, die):
    recipe, home, whole, metrics = run
    interrupt(die, recipe, tmp_path, home)
    assert not (tmp_path / "metrics.json").exists()
    keras.utils.set_random_seed(77)  # another process, another state of the world
    again = train_recipe(recipe, tmp_path, data_dir=home, verbose=0)
    for part in ("test", "training"):
        assert without_times(again[part]) == without_times(metrics[part])
    for name in ("model.safetensors", "epochs.csv"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
    assert not (tmp_path / "checkpoint").exists()


def test_another_run_is_not_gone_on_with(run, tmp_path):
    recipe, home, _, _ = run
    interrupt(die_in_the_third_epoch, recipe, tmp_path, home)
    with pytest.raises(ValueError, match="other settings: epochs"):
        train_recipe(recipe, tmp_path, epochs=7, data_dir=home, verbose=0)
    other = dataclasses.replace(recipe, text=TEXT.replace("1e-2", "1e-3"))
    with pytest.raises(ValueError, match="other settings: recipe, seed"):
        train_recipe(other, tmp_path, seed=1, data_dir=home, verbose=0)


def test_epochs_and_seed_take_the_place_of_the_recipes(run, tmp_path):
    recipe, home, _, metrics = run
    other = train_recipe(recipe, tmp_path, epochs=1, seed=9, data_dir=home, verbose=0)
    assert (other["training"]["updates"], other["training"]["seed"]) == (3, 9)
    assert other["test"]["elbo"] != metrics["test"]["elbo"]
    assert len(read_history(tmp_path / "epochs.csv")["elbo"]) == 1


PAIRS = '[data]\npairs = "{}"'
CONDITION = '[condition]\nclass = "{}"\n{}\n\n[training]'
LEVELS = """
[[encoders]]
class = "MLPEncoder"
hidden_units = [4]
latent_dim = 3

[[encoders]]
class = "MLPEncoder"
input_shape = [3]
hidden_units = [4]
latent_dim = 2

[[decoders]]
class = "MLPDecoder"
latent_dim = 3
hidden_units = [4]

[[decoders]]
class = "MLPEncoder"
input_shape = [2]
hidden_units = [4]
latent_dim = 3

[model]
class = "HierarchicalVAE"
kl_weight = { class = "LinearAnnealing", num_steps = 5 }
"""
NETWORK = '[network]\nclass = "{}"\nhidden_units = [4]\n{}\n\n[model]\nclass = "Predictor"'
DISCRIMINATOR = """
[discriminator]
class = "MLPEncoder"
hidden_units = [4]
latent_dim = 1
num_outputs = 1
name = "discriminator"

[model]
class = "AAE"
"""
PIXELS = """
[model]
class = "PixelCNN"
num_embeddings = 2
filters = 4
num_blocks = 1
"""
NETWORKS = TEXT[TEXT.index("[encoder]") : TEXT.index("[training]")]
OTHER_KINDS = {
    "labels": TEXT.replace("[data]", PAIRS.format("labels"))
    .replace('"VAE"', '"CVAE"')
    .replace("[training]", CONDITION.format("LabelCondition", "num_classes = 3")),
    "completion": TEXT.replace("[data]", PAIRS.format("completion"))
    .replace('"VAE"', '"CVAE"')
    .replace('"MLPDecoder"', '"CompletionDecoder"')
    .replace("[training]", CONDITION.format("ArrayCondition", "shape = [6, 5, 2]"))
    .replace("[evaluation]", '[evaluation]\nmeasures = ["quadrants"]'),
    "prediction": TEXT.replace("[data]", PAIRS.format("prediction"))
    .replace(NETWORKS, NETWORK.format("CompletionNetwork", "") + "\n\n")
    .replace("[evaluation]", '[evaluation]\nmeasures = ["quadrants"]'),
    "classes": TEXT.replace("[data]", PAIRS.format("classes")).replace(
        NETWORKS,
        NETWORK.format("MLPEncoder", "latent_dim = 3\nnum_outputs = 1")
        + '\n\n[likelihood]\nclass = "CategoricalLikelihood"\nnum_classes = 3\n\n',
    ),
    "levels": TEXT.replace(NETWORKS, LEVELS),
    "codes": OF_CODES.replace("[data]", PAIRS.format("prior_labels"))
    .replace("[prior]\n", '[prior]\ncondition = { class = "LabelCondition", num_classes = 3 }\n')
    .replace("[evaluation]", '[evaluation]\nmeasures = ["codes"]'),
    "pixels": TEXT.replace(NETWORKS, PIXELS),
    "adversarial": TEXT.replace("latent_dim = 2", "latent_dim = 2\nnum_outputs = 1")
    .replace('[model]\nclass = "VAE"\n', DISCRIMINATOR)
    .replace("[evaluation]", '[evaluation]\nmeasures = ["aggregate_posterior"]'),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_every_kind_of_recipe_goes_from_data_to_a_card(kind, tmp_path):
    pytest.importorskip("matplotlib")
    recipe = read_tiny_recipe(tmp_path, OTHER_KINDS[kind])
    with np.load(tmp_path / "tiny.npz") as arrays:
        labels = {f"y_{p}": np.arange(len(arrays[f"x_{p}"])) % 3 for p in ("train", "test")}
        np.savez(tmp_path / "tiny.npz", **arrays, **labels)
    metrics = train_recipe(recipe, tmp_path / "run", epochs=1, data_dir=tmp_path, verbose=0)
    test = metrics["test"]
    assert all(np.isfinite(v).all() for v in test.values())
    expected = {
        "labels": {"nll", "elbo"},
        "completion": {"nll", "nll_1_seen", "nll_by_prior_3_seen"},
        "prediction": {"nll", "nll_2_seen"},
        "classes": {"nll", "accuracy"},
        "levels": {"nll", "kl_1", "kl_2"},
        "codes": {"nll_bound", "usage", "mse_over_variance", "nats_per_code_1"},
        "pixels": {"nll", "nll_per_code"},
        "adversarial": {"reconstruction", "aggregate_largest_mean"},
    }[kind]
    assert expected <= test.keys()
    assert (kind in ("adversarial", "codes")) == ("nll" not in test)
    if kind == "levels":
        assert (len(test["active_units"]), test["latent_dim"]) == (2, [3, 2])
    drawn = {path.name for path in (tmp_path / "run").glob("*.png")}
    pictures = {
        "classes": {"curves.png"},
        "prediction": {"curves.png", "reconstructions.png"},
        "pixels": {"curves.png", "samples.png"},
        "codes": {*PICTURES, "curves_prior_1.png"},
    }
    assert drawn == pictures.get(kind, set(PICTURES))
    text = write_card(recipe, metrics, tmp_path / "run")
    for name, words, value in rows(test):
        assert f"| {words} | {value} |" in text, name
    assert isinstance(used(recipe, tmp_path)["model"], keras_vae.GenerativeModel)


def used(recipe, folder):
    """Runs what the card tells users to do, and returns the names that it defines."""
    names = {}
    text = usage(recipe, str(folder / "run"))
    exec(text.replace("tiny.npz", str(folder / "tiny.npz")), names)
    return names


@keras.saving.register_keras_serializable(package="train_test")
class SparseVAE(keras_vae.VAE):
    """A family with a term of its own, and a part that no other family has."""

    def __init__(self, encoder, decoder, critic, sparsity=0.1, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.critic = critic
        self.sparsity = sparsity

    def objective(self):
        return {**super().objective(), "sparsity": keras_vae.Term(train=self.sparsity)}

    def terms(self, x, c=None, training=False):
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training))
        size = ops.sum(ops.abs(self.critic(z)), axis=-1)
        return {**self.bound(x, posterior, z, c, training), "sparsity": size}


@keras.saving.register_keras_serializable(package="train_test")
class IndependentPixels(keras_vae.GenerativeModel):
    """A family from the ground up: p(x) = prod_i Bernoulli(x_i), with nothing to encode."""

    log_likelihood_is = "exact"
    sample_draws = "elements"
    fixed_likelihood = keras_vae.BernoulliLikelihood

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def known_shape(self):
        return (None, *self.shape)

    def build_parts(self):
        self.logits = self.add_weight(name="logits", shape=self.shape, initializer="zeros")

    def pixels(self):
        return keras_vae.distributions.Bernoulli(self.logits, batch_ndims=0)

    def objective(self):
        return {"nll": keras_vae.Term(evaluate=1.0)}

    def terms(self, x, c=None, training=False):
        return {"nll": -self.pixels().log_prob(x)}

    def log_likelihood(self, x, condition=None, num_samples=None, seed=None):
        return ops.convert_to_numpy(self.pixels().log_prob(x))

    def sample(self, num_samples, condition=None, seed=None):
        return ops.convert_to_numpy(self.pixels().sample(seed, num_samples))


OWN_FAMILIES = {
    "SparseVAE": (
        TEXT.replace(
            '"VAE"',
            '"train_test>SparseVAE"\nsparsity = 0.5\n[model.critic]\n'
            'class = "MLPEncoder"\ninput_shape = [2]\nhidden_units = [4]\nlatent_dim = 1\n'
            "num_outputs = 1",
        ),
        {"nll", "elbo", "nll_bits_per_dim", "active_units", "sparsity"},
        {"curves.png", "reconstructions.png", "samples.png"},
        (
            "| sparsity, nats | ",
            "NLL by importance sampling with 3 draws",
            "z sampled from the prior",
        ),
    ),
    "IndependentPixels": (
        TEXT.replace(NETWORKS, '[model]\nclass = "train_test>IndependentPixels"\n\n'),
        {"nll", "nll_bits_per_dim", "nll_seconds"},
        {"curves.png", "samples.png"},
        ("The NLL is exact.", "Pixels sampled one at a time"),
    ),
}


@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_a_family_of_ones_own_goes_from_a_recipe_to_a_card(family, tmp_path):
    pytest.importorskip("matplotlib")
    text, numbers, pictures, said = OWN_FAMILIES[family]
    recipe = read_tiny_recipe(tmp_path, text)
    metrics = train_recipe(recipe, tmp_path / "run", epochs=1, data_dir=tmp_path, verbose=0)
    assert numbers <= metrics["test"].keys()
    assert {path.name for path in (tmp_path / "run").glob("*.png")} == pictures
    card = write_card(recipe, metrics, tmp_path / "run")
    for words in (*said, f'"{family.lower()}"', f'from_preset("tiny")  # {family}'):
        assert words in card
    model = used(recipe, tmp_path)["model"]
    assert type(model).__name__ == family
    test = load_data(recipe, tmp_path).test
    again = all_measures(model, recipe, test, verbose=0)
    assert all(is_within for *_, is_within in compare(metrics["test"], again, recipe))
