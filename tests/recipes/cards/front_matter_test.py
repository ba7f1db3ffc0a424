import json

import pytest
from tiny_recipe import read_tiny_recipe

from keras_vae.recipes.cards.front_matter import front_matter

pytestmark = pytest.mark.one_backend

METRICS = {"test": {"nll": 96.33981553, "elbo": -102.78995, "nll_bits_per_dim": 0.17728185}}


def test_by_hand(tmp_path):
    lines = front_matter(read_tiny_recipe(tmp_path), METRICS).splitlines()
    assert lines[0] == lines[-1] == "---"
    assert "license: apache-2.0" in lines
    assert "library_name: keras_vae" in lines
    assert 'datasets: ["tiny"]' in lines
    assert '- name: "tiny"' in lines
    assert json.loads(lines[4].removeprefix("tags: ")) == [
        "keras_vae",
        "vae",
        "generative-model",
    ]
    values = [line.strip() for line in lines if "value:" in line]
    assert values == ["value: 96.3398", "value: 0.1773", "value: -102.7900"]


def test_it_is_nested_as_hubs_expect(tmp_path):
    """Indentation is what YAML goes by; the levels are those of the hub's `model-index`."""
    lines = front_matter(read_tiny_recipe(tmp_path), METRICS).splitlines()
    depth = {line.strip(" -").split(":")[0]: len(line) - len(line.lstrip(" -")) for line in lines}
    assert depth["results"] == 2
    assert depth["task"] == depth["dataset"] == depth["metrics"] == 4
    assert depth["value"] == depth["split"] == 6
