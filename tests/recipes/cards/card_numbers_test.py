import json

import pytest
from example_metrics import METRICS
from tiny_recipe import OF_CODES
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes.cards.card_numbers import numbers_section

pytestmark = pytest.mark.one_backend

CODES = {"num_examples": 10, "elbo": 820.0, "nll_bound": -820.0, "mse_over_variance": 0.0351}
NO_NUMBER = """
[[published]]
source = "Somebody 2001"
protocol = "looked well"
"""


@pytest.fixture
def section(tmp_path):
    """A function that returns the numbers section of a recipe's card."""

    def write(text=TEXT, metrics=METRICS):
        return numbers_section(read_tiny_recipe(tmp_path, text), metrics, tmp_path / "tiny")

    return write


@pytest.mark.parametrize(
    "line",
    [
        "| test set | this preset | Nobody 1999 |",
        "| NLL, nats per example | 21.13 ± 0.51 | 12.5 |",
        "| NLL, bits per dimension | 1.0159 ± 0.0247 |  |",
        "| ELBO, nats (higher is better) | -22.50 |  |",
        "| active units | 1 of 2 |  |",
        "- Nobody 1999: made up.",
        "`keras-vae evaluate tiny --full` measures every number again, and fails if one differs "
        "by more than the tolerance that it prints.",
    ],
)
def test_what_it_says(section, line):
    assert line in section().splitlines()


def test_how_the_numbers_were_measured(section):
    text = section()
    assert "10,000 test examples, one training run. NLL by importance sampling with 5,000 " in text
    assert "seed 1. ± is the standard error" in text
    assert "ELBO with one draw each." in text
    assert "density" not in text


def test_a_published_entry_without_a_number_has_words_and_no_column(section):
    text = section(TEXT + NO_NUMBER)
    assert "| test set | this preset | Nobody 1999 |" in text
    assert "- Nobody 1999: made up.\n- Somebody 2001: looked well." in text
    none = section(TEXT.split("[[published]]")[0])
    assert "There is no published number to compare with." in none


@pytest.mark.parametrize("has_prior", [True, False])
def test_the_bound_of_codes_is_no_estimate(section, has_prior):
    prior = OF_CODES[OF_CODES.index("[prior]") : OF_CODES.index("[model]")]
    text = section(
        OF_CODES if has_prior else OF_CODES.replace(prior, ""), METRICS | {"test": CODES}
    )
    assert "not estimates" in text
    assert ("No prior was trained" in text) != has_prior
    assert "one draw each" not in text
    assert "±" not in text


def test_a_density_is_called_one(section):
    likelihood = '[likelihood]\nclass = "GaussianLikelihood"\n\n[model]'
    assert "The likelihood is a density" in section(TEXT.replace("[model]", likelihood))


@pytest.mark.parametrize("family, is_exact", [("PixelCNN", True), ("VAE", False)])
def test_an_exact_nll_is_called_so(section, family, is_exact):
    test = METRICS["test"] | {"nll_num_samples": 1}
    text = section(TEXT.replace('"VAE"', f'"{family}"'), METRICS | {"test": test})
    assert ("The NLL is exact." in text) == is_exact
    assert ("importance sampling" not in text) == is_exact


def test_a_twin_stands_beside(section, tmp_path):
    (tmp_path / "other").mkdir()
    twin = {"test": {"nll": 23.126, "elbo": -25.0, "kl": 3.0}}
    (tmp_path / "other" / "metrics.json").write_text(json.dumps(twin))
    text = section('twin = "other"\n' + TEXT)
    assert "| test set | this preset | other, trained alike | Nobody 1999 |" in text
    assert "| NLL, nats per example | 21.13 ± 0.51 | 23.13 | 12.5 |" in text
    assert "The NLL is 2.00 nats below that of [other](../other/README.md)" in text


def test_what_it_started_from_stands_beside(section, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "metrics.json").write_text(json.dumps({"test": {"nll": 23.126}}))
    text = section(TEXT.replace("[training]", '[training]\nstart = "other"'))
    assert "| test set | this preset | other, where it started | Nobody 1999 |" in text
    assert "| NLL, nats per example | 21.13 ± 0.51 | 23.13 | 12.5 |" in text
    assert "../other" not in text  # which was trained otherwise


def test_whose_features_compare_reconstructions(section):
    name = "reconstructions_frechet_distance_in_classifier_of_cats"
    text = section(metrics=METRICS | {"test": METRICS["test"] | {name: 1.25}})
    assert "| Frechet distance of reconstructions, features of classifier_of_cats | 1.250 |" in text
    assert "fitted to the features of classifier_of_cats, of the test pictures" in text
    assert "classifier_of" not in section()


def test_a_column_a_backend(section):
    again = {
        "test": {"nll": 21.131, "nll_standard_error": 0.514, "kl": 2.25},
        "environment": {"backend_version": "2.13.0", "date": "2026-02-01"},
    }
    text = section(metrics=METRICS | {"backends": {"torch": again}})
    assert "| test set | this preset, on jax | on torch | Nobody 1999 |" in text
    assert "| NLL, nats per example | 21.13 ± 0.51 | 21.13 ± 0.51 | 12.5 |" in text
    assert "| active units | 1 of 2 |  |  |" in text
    assert "The same weights were measured on torch 2.13.0 (2026-02-01)." in text


def test_a_column_of_the_range_over_seeds(section):
    first = METRICS["test"]
    others = {"1": first | {"nll": 20.5, "kl": 2.25}, "2": first | {"nll": 22.5, "active_units": 2}}
    text = section(metrics=METRICS | {"seeds": others})
    assert "| test set | this preset | 3 seeds: range | Nobody 1999 |" in text
    assert "| NLL, nats per example | 21.13 ± 0.51 | 20.50 to 22.50 | 12.5 |" in text
    assert "| KL(q(z\\|x), p(z)), nats | 2.25 | 2.25 |  |" in text
    assert "| active units | 1 of 2 | 1 to 2 |  |" in text
    assert "2 more used other seeds" in text
    assert "one training run." not in text
