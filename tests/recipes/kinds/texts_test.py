import json

import numpy as np
import pytest
from tiny_texts import LANGUAGE_MODEL
from tiny_texts import SENTENCES
from tiny_texts import TEXT
from tiny_texts import write_tiny_texts

import keras_vae
from keras_vae.datasets import LengthBatches
from keras_vae.recipes import all_measures
from keras_vae.recipes import build_model
from keras_vae.recipes import compare
from keras_vae.recipes import load_data
from keras_vae.recipes import train_recipe
from keras_vae.recipes import training_batches
from keras_vae.recipes import usage
from keras_vae.recipes import write_card

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """`(recipe, data_dir, run folder, metrics)` of a run of the tiny texts."""
    home = tmp_path_factory.mktemp("home")
    recipe = write_tiny_texts(home)
    folder = home / "run"
    return recipe, home, folder, train_recipe(recipe, folder, data_dir=home, verbose=0)


def test_texts_become_tokens_in_the_parts_that_the_recipe_says(tmp_path):
    recipe = write_tiny_texts(tmp_path)
    data = load_data(recipe, tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (12, 4, 2)
    texts = [data.vocabulary.decode(p.x) for p in (data.train, data.validation)]
    assert set(texts[0] + texts[1]) < set(SENTENCES)
    batches = training_batches(recipe, data, seed=5)
    assert isinstance(batches, LengthBatches)
    assert (batches.batch_size, batches.seed, len(batches)) == (4, 5, 3)


def test_what_follows_from_the_texts_is_filled_in(tmp_path):
    recipe = write_tiny_texts(tmp_path)
    data = load_data(recipe, tmp_path)
    model = build_model(recipe, data.train.x.shape[1:], seed=3, **recipe.kind.given(data))
    assert type(model) is keras_vae.SequenceVAE
    assert (model.max_length, model.noise.seed) == (6, 3)
    assert model.decoder.num_tokens == data.vocabulary.num_tokens
    assert model.decoder.get_config()["latent_dim"] == 2
    assert model.as_texts(model.as_arrays([SENTENCES[3]])) == [SENTENCES[3]]


def test_the_numbers_are_those_of_the_model(run):
    recipe, home, folder, metrics = run
    model = keras_vae.SequenceVAE.from_preset(folder)
    x = load_data(recipe, home).test.x
    nats = -model.log_likelihood(x, num_samples=3, seed=0)
    test = metrics["test"]
    assert test["num_examples"] == len(x) == 2
    assert test["nll"] == pytest.approx(nats.mean(), rel=1e-5)
    per_token = nats.sum() / (x != 0).sum()
    assert test["token_perplexity"] == pytest.approx(np.exp(per_token), rel=1e-5)
    information = keras_vae.evaluation.mutual_information(model, x, seed=0)
    assert test["mutual_information"] == pytest.approx(information, rel=1e-4, abs=1e-5)
    assert not [name for name in test if "bits" in name]


def test_they_are_measured_again(run):
    recipe, home, folder, metrics = run
    model = keras_vae.SequenceVAE.from_preset(folder)
    again = all_measures(model, recipe, load_data(recipe, home).test, verbose=0)
    assert all(is_within for *_, is_within in compare(metrics["test"], again, recipe))


def test_the_card_shows_texts(run):
    recipe, _, folder, metrics = run
    text = write_card(recipe, metrics, folder)
    shown = json.loads((folder / "samples.json").read_text())
    assert len(shown["samples"]) == 10
    first, *_, last = shown["interpolations"][0]
    assert {first, last} < set(SENTENCES)
    for line in (*shown["samples"], *shown["interpolations"][0], shown["reconstructions"][0][0]):
        assert f"\n{line}\n" in text
    assert "pipeline_tag: text-generation" in text
    assert "samples.png" not in text
    assert "--data-dir" in text


@pytest.mark.parametrize("num_texts", [1, 3, 4])
def test_as_many_texts_are_shown_as_there_are(run, tmp_path, num_texts):
    recipe, home, folder, _ = run
    model, texts = keras_vae.from_preset(folder), load_data(recipe, home).validation
    recipe.kind.show(model, recipe, texts[:num_texts], tmp_path)
    shown = json.loads((tmp_path / "samples.json").read_text())
    assert len(shown["reconstructions"]) == num_texts
    assert len(shown["interpolations"]) == num_texts // 2


def test_the_lines_of_the_card_run_as_they_stand(run, monkeypatch, capsys):
    recipe, home, folder, _ = run
    monkeypatch.chdir(home)
    names = {}
    exec(usage(recipe, str(folder)), names)
    assert float(capsys.readouterr().out) < 0
    assert set(names["texts"]) < set(SENTENCES)
    assert len(names["path"]) == len(names["new"]) == 5


def test_a_language_model_has_an_exact_likelihood_and_no_latent(tmp_path):
    recipe = write_tiny_texts(tmp_path, LANGUAGE_MODEL)
    metrics = train_recipe(recipe, tmp_path / "run", epochs=1, data_dir=tmp_path, verbose=0)
    assert metrics["test"].keys() >= {"nll", "token_perplexity"}
    assert not metrics["test"].keys() & {"kl", "active_units", "elbo"}
    text = write_card(recipe, metrics, tmp_path / "run")
    assert "The NLL is exact." in text
    assert "Between two" not in text
    assert "encode" not in usage(recipe)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('kind = "texts"', 'kind = "text"', r'"pictures".*"texts".*Received: .text.'),
        ("validation_size = 4", 'binarize = "dynamic"', r"\[data\] unknown keys.*binarize"),
        ("validation_size = 4", "min_count = 0", r"min_count must be an integer of at least 1"),
        ('kind = "texts"', "min_count = 2", r"\[data\] unknown keys.*min_count"),
    ],
)
def test_what_does_not_belong(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message):
        write_tiny_texts(tmp_path, TEXT.replace(old, new))
