"""The zoo: recipes that train, weights that load, and texts that follow from the numbers."""

import dataclasses
import hashlib
import importlib.util
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_vae
from keras_vae import datasets
from keras_vae import presets
from keras_vae import recipes
from keras_vae.presets import index_writing
from keras_vae.recipes import further_measures
from keras_vae.recipes.build import build_optimizers
from keras_vae.recipes.build import start_at_data
from keras_vae.recipes.named_classes import family_of
from keras_vae.table_schema import schema_of

CHECKOUT = Path(__file__).parents[1]
ZOO = CHECKOUT / "zoo"
NAMES = sorted(path.parent.name for path in ZOO.glob("*/recipe.toml"))
TRAINED = [name for name in NAMES if (ZOO / name / "metrics.json").exists()]
DIGIT = (28, 28, 1)
SHAPES = {
    "mnist_mini": DIGIT,
    "mnist": DIGIT,
    "omniglot28.npz": DIGIT,
    "frey_faces.npz": (28, 20, 1),
    "cifar10_jpeg75.npz": (32, 32, 3),
    "shapes": (32, 32, 1),
}
# Of the examples that stand in for a recipe's data: numbers of shapes that differ in every factor.
LABELS = {"shapes": 1211 * np.arange(8, dtype="int32") % 9600}

pytestmark = pytest.mark.skipif(not NAMES, reason="no zoo: not a checkout")


@pytest.fixture(scope="module")
def train_script():
    """`zoo/train.py` as a module."""
    spec = importlib.util.spec_from_file_location("zoo_train", ZOO / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def entries(train_script):
    """`{name: (recipe, metrics or None)}`."""
    return {recipe.name: (recipe, metrics) for recipe, metrics in train_script.read_zoo()}


def made_up(recipe, num_examples, model=None):
    """A few examples of noise in the place of a recipe's data, as `Splits`."""
    rng, y = np.random.default_rng(0), np.arange(num_examples, dtype="int32")
    name = recipe.data["name"]
    if recipe.data.get("kind") == "texts":
        vocabulary = datasets.Vocabulary([f"word{i}" for i in range(9)])
        texts = [" ".join(rng.choice(vocabulary.tokens, 5)) for _ in y]
        arrays = datasets.Arrays(vocabulary.encode(texts))
        return datasets.TextSplits(name, train=arrays, test=arrays, vocabulary=vocabulary)
    if recipe.data.get("kind") == "tables":
        return made_up_table(recipe, num_examples, model)
    x = rng.integers(0, 2, (num_examples, *SHAPES[name])).astype("float32")
    y = LABELS.get(name, y)[:num_examples]
    return datasets.Splits(name, train=datasets.Arrays(x, y), test=datasets.Arrays(x, y))


def made_up_table(recipe, num_examples, model):
    """The same of a table: rows that a model draws, or else of columns of the recipe's kinds."""
    rng, y = np.random.default_rng(0), np.arange(num_examples) % 2
    if model is None:
        kinds = recipe.data.get("kinds", {})
        columns = {"a": rng.normal(size=num_examples), "b": rng.normal(size=num_examples)}
        if not kinds:
            columns["c"] = np.array(["x", "y"])[y]
        kinds = dict.fromkeys(columns, kinds["*"]) if kinds else None
        schema = keras_vae.TableSchema.infer(columns, kinds)
        x = schema.encode(columns)
    else:
        schema = schema_of(model)
        x = model.sample(num_examples, seed=0, from_likelihood=True)
    of_test = (x, y) if "outliers" in recipe.data else (x,)
    parts = {"train": datasets.Arrays(x), "test": datasets.Arrays(*of_test)}
    return datasets.TableSplits(recipe.data["name"], **parts, schema=schema)


@pytest.mark.one_backend  # conformance tests say that a family trains on every backend
@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_builds_and_takes_a_step(name, entries):
    recipe, _ = entries[name]
    if "discriminator_start" in recipe.parts["model"]:  # which else would not learn yet
        model = {**recipe.parts["model"], "discriminator_start": 0}
        recipe = dataclasses.replace(recipe, parts={**recipe.parts, "model": model})
    data = made_up(recipe, 4)
    pairs = recipes.pairs(recipe, data.train)
    pairs = pairs[:1] if recipe.prior_training else pairs
    x, given = data.train.x, recipe.kind.given(data)
    model = recipes.build_model(recipe, x.shape[1:], seed=0, **given)
    start_at_data(model, np.repeat(x, 200, axis=0), seed=0)
    model.compile(build_optimizers(model, recipe.training, num_updates=10))
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    # Blocks, and the map after them, may begin at zero and stop gradients; a decoder may lag.
    for _ in range(5):
        logs = model.train_on_batch(*pairs, return_dict=True)
    assert np.isfinite(logs["loss"])
    for variable, value in zip(model.trainable_variables, before, strict=True):
        if variable.path.endswith("logits/bias"):
            continue  # real and decoded pictures pull at it alike until one is told for sure
        assert np.any(keras.ops.convert_to_numpy(variable) != value), variable.path


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", TRAINED)
def test_every_card_is_what_the_numbers_make(name, entries, tmp_path):
    recipe, metrics = entries[name]
    ignore = shutil.ignore_patterns("*.safetensors", "checkpoint", "README.md")
    for folder in (name, recipe.twin, recipe.training.get("start")):  # with numbers beside its own
        if folder:
            shutil.copytree(ZOO / folder, tmp_path / folder, ignore=ignore)
    text = recipes.write_card(recipe, metrics, tmp_path / name)
    assert (ZOO / name / "README.md").read_text() == text
    for picture in pictures_of(recipe):
        assert f"]({picture})" in text


def pictures_of(recipe):
    """The pictures that the card of a recipe must show."""
    if "kind" in recipe.data or recipe.data.get("pairs") == "classes":
        return ["curves.png"]
    if recipe.data.get("pairs") == "prediction":
        return ["curves.png", "reconstructions.png"]
    if not family_of(recipe).can_reconstruct:
        return ["curves.png", "samples.png"]
    of_prior = ["curves_prior_1.png"] if recipe.prior_training else []
    return ["curves.png", "reconstructions.png", *of_prior]


def test_the_tables_are_what_the_numbers_make(train_script, entries):
    text = (ZOO / "README.md").read_text()
    assert train_script.readme_with_table(text, entries.values()) == text
    text = (CHECKOUT / "README.md").read_text()
    assert train_script.main_readme_with_table(text, entries.values()) == text
    pages = train_script.pages_with_tables()
    assert len(pages) > 10
    for path in pages:
        assert train_script.page_with_tables(path, entries.values()) == path.read_text(), path.name


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", TRAINED)
def test_the_numbers_are_of_the_recipe(name, entries):
    recipe, metrics = entries[name]
    training, test = metrics["training"], metrics["test"]
    assert metrics["preset"] == name
    assert training["epochs"] == recipe.training["epochs"]
    assert training["seed"] == recipe.training.get("seed", 0)
    if "elbo" in test:
        assert test["elbo"] == pytest.approx(-test["reconstruction"] - test["kl"], rel=1e-5)
    if family_of(recipe).log_likelihood_is == "bound":
        assert test["nll_bound"] == pytest.approx(-test["elbo"], rel=1e-4)
    elif "elbo" in test:
        assert test["nll_num_samples"] == recipe.evaluation["num_samples"]
        assert test["nll"] < -test["elbo"]  # the bound is one


@pytest.mark.one_backend
@pytest.mark.parametrize("name", TRAINED)
def test_every_number_can_be_compared(name, entries):
    recipe, metrics = entries[name]
    assert all(
        is_within for *_, is_within in recipes.compare(metrics["test"], metrics["test"], recipe)
    )


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", NAMES)
def test_a_twin_differs_in_the_model_only(name, entries):
    recipe, _ = entries[name]
    if recipe.twin:
        twin, _ = entries[recipe.twin]
        assert twin.training == recipe.training
        assert {**twin.data, "pairs": None} == {**recipe.data, "pairs": None}


@pytest.mark.one_backend
@pytest.mark.parametrize("name", TRAINED)
def test_a_card_states_all_that_is_measured(name, entries, monkeypatch):
    """By its names, on a few arrays of noise."""
    recipe, metrics = entries[name]
    if "molecules" in recipe.evaluation.get("measures", ()):
        pytest.importorskip("rdkit")
    monkeypatch.setattr(further_measures, "NUM_SAMPLES", 10)
    few = {"num_samples": 2, "quadrants_num_samples": 2}
    recipe = dataclasses.replace(recipe, evaluation=recipe.evaluation | few)
    model = keras_vae.GenerativeModel.from_preset(name)
    data = made_up(recipe, 8, model)
    measured = recipes.all_measures(model, recipe, data.test, verbose=0, train=data.train)
    assert measured.keys() == metrics["test"].keys()


# At least so many nats below the preset trained alike.
GAINS = {
    "iwae_omniglot": {"nll": 1.5},
    "cvae_quadrants_mnist": {"nll_1_seen": 20, "nll_2_seen": 8, "nll_3_seen": 1},
}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", [n for n in GAINS if n in TRAINED])
def test_what_a_model_gains_over_its_twin(name, entries):
    recipe, metrics = entries[name]
    _, twin = entries[recipe.twin]
    for number, gain in GAINS[name].items():
        assert twin["test"][number] - metrics["test"][number] >= gain


@pytest.mark.skipif("aae_mnist" not in TRAINED, reason="not trained")
def test_the_codes_of_aae_mnist_are_distributed_as_the_prior(entries):
    test = entries["aae_mnist"][1]["test"]
    assert test["aggregate_largest_mean"] < 0.1
    assert test["aggregate_smallest_std"] > 0.9
    assert test["aggregate_largest_std"] < 1.1


# At most so many nats, as the papers have, or as an hour on a processor should reach.
NLL = {
    "cvae_mnist": 82.32,
    "gumbel_vae_mnist": 101.5,
    "hierarchical_vae_mnist": 85.33,
    "iwae_mnist": 85.6,
    "pixelcnn_mnist": 83.5,
    "vae_mnist": 86.3,
}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", [n for n in NLL if n in TRAINED])
def test_a_model_reaches_its_paper(name, entries):
    assert entries[name][1]["test"]["nll"] <= NLL[name]


# Squared error over variance, and nats a code of the prior, where it is of the preset.
CODES = {"vqvae_mnist": (0.0444, 1.03), "vqvae_cifar10": (0.060, None)}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", [n for n in CODES if n in TRAINED])
def test_codes_stand_for_pictures_and_are_told_in_few_nats(name, entries):
    test, (error, nats) = entries[name][1]["test"], CODES[name]
    assert test["mse_over_variance"] <= error
    assert test["usage"] >= 0.9
    assert nats is None or test["nats_per_code_1"] <= nats


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", [n for n in ("fsq_vae_mnist", "rqvae_mnist") if n in TRAINED])
def test_other_quantizers_of_as_many_bits_are_no_worse(name, entries):
    best = entries["vqvae_mnist"][1]["test"]["mse_over_variance"]
    assert entries[name][1]["test"]["mse_over_variance"] <= best


# The least share of samples that the classifier takes for what they should be.
OF_THEIR_LABEL = {"cvae_mnist": 0.95, "vqvae_mnist_labels": 0.9}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", [n for n in OF_THEIR_LABEL if n in TRAINED])
def test_samples_are_of_their_label(name, entries):
    assert entries["classifier_mnist"][1]["test"]["accuracy"] >= 0.99  # it may judge
    test = entries[name][1]["test"]
    assert test["samples_classified_as_their_label"] >= OF_THEIR_LABEL[name]


@pytest.mark.skipif("vae_mnist_mini" not in TRAINED, reason="not trained")
def test_the_digits_of_the_first_command_are_recognised(entries):
    _, metrics = entries["vae_mnist_mini"]
    for test in (metrics["test"], *(again["test"] for again in metrics["backends"].values())):
        assert test["samples_recognised"] >= 0.9
        assert test["classes_recognised"] == test["num_classes"] == 10


@pytest.mark.parametrize("name", [n for n in ("vqvae2_mnist",) if n in TRAINED])
def test_the_prior_of_the_lower_level_has_learned_from_the_upper(name):
    model = keras_vae.VQVAE2.from_preset(name)
    lower, upper = model.encode_indices(datasets.load("mnist_mini").test.x[:100])
    prior = model.priors[0]
    gain = prior.log_likelihood(lower, upper) - prior.log_likelihood(lower, np.roll(upper, 1, 0))
    assert gain.mean() > 1.0  # nats an example


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", TRAINED)
def test_the_weights_load_and_have_the_size_of_the_card(name, entries):
    model = keras_vae.GenerativeModel.from_preset(name)
    assert model.count_params() == entries[name][1]["training"]["num_parameters"]
    recipe = entries[name][0]
    if recipe.data.get("kind") == "texts":
        assert all(isinstance(text, str) for text in model.sample(2, seed=0))
        return
    is_table = recipe.data.get("kind") == "tables"
    shape = model.data_shape if is_table else SHAPES[recipe.data["name"]]
    if isinstance(model, keras_vae.Predictor):
        assert np.isfinite(model.predict(np.zeros((2, *model.data_shape)), verbose=0)).all()
        return
    condition = model.sample_condition
    if condition is not None:
        condition = np.zeros(condition.raw_shape, condition.raw_dtype)
    if isinstance(model, keras_vae.VQVAE) and model.prior is None:
        assert np.isfinite(model.reconstruct(np.zeros((2, *shape)))).all()
        return
    images = model.sample(2, seed=0, condition=condition)
    assert images.shape == (2, *shape)
    assert np.isfinite(images).all()


@pytest.mark.skipif("vae_mnist_mini" not in TRAINED, reason="not trained")
def test_the_mini_preset_reaches_the_numbers_of_its_card(entries):
    recipe, metrics = entries["vae_mnist_mini"]
    x = recipes.load_data(recipe).test.x
    model = keras_vae.VAE.from_preset("vae_mnist_mini")
    model.compile()
    logs = model.evaluate(x, batch_size=100, return_dict=True, verbose=0)
    # One draw of z for each of 1,000 examples, other draws on each backend.
    assert logs["kl"] == pytest.approx(metrics["test"]["kl"], abs=0.7)
    assert logs["elbo"] == pytest.approx(metrics["test"]["elbo"], abs=0.7)
    nll = -model.log_likelihood(x[:100], num_samples=50, seed=0)
    assert nll.mean() < -logs["elbo"]


def test_the_index_is_what_the_files_make():
    assert (ZOO / "index.json").read_text() == index_writing.index_text(ZOO), (
        "Write it again: python zoo/train.py --cards"
    )


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", TRAINED)
def test_every_sha256_and_size_and_tensor_of_the_index(name, entries):
    entry = presets.entries()[name]
    for file, expected in entry.files.items():
        data = (ZOO / name / file).read_bytes()
        assert (expected.size, expected.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    tensors = load_file(ZOO / name / "model.safetensors")
    assert {k: shape for k, (_, shape) in entry.tensors.items()} == {
        k: v.shape for k, v in tensors.items()
    }
    assert entry.num_parameters == sum(v.size for v in tensors.values())
    assert entry.metrics == entries[name][1]["test"]
    assert entry.licence["data"]
    assert entry.licence["weights"] == "Apache-2.0"


def test_every_recipe_is_found_by_its_name():
    assert set(NAMES) <= set(presets.recipe_names())
