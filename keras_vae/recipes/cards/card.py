"""The card of a preset: its README, made of `metrics.json`, the recipe and the pictures only."""

from pathlib import Path

from keras_vae import presets
from keras_vae.recipes.cards.card_numbers import CARD
from keras_vae.recipes.cards.card_numbers import numbers_section
from keras_vae.recipes.cards.front_matter import front_matter
from keras_vae.recipes.cards.markdown import table
from keras_vae.recipes.cards.usage import AUTOREGRESSIVE
from keras_vae.recipes.cards.usage import usage

_SAMPLES = {
    None: "Means of p(x|z), z drawn from the prior.",
    "labels": "Means of p(x|z, label), z drawn from the prior: a row of eight for each label.",
    "prior_labels": "Codes drawn from the prior given a label, decoded: a row for each label.",
    "completion": "A row for each test picture: eight completions of the quadrants seen.",
    "classes": "",
    "prediction": "",
}
_PIXELS = "Pixels drawn one after the other, each given those before it."
_CURVES = "Solid: training. Dashed: the test set, for the picture only; no epoch was chosen by it."
_TRAIN = "keras-vae train recipe.toml"
_PRIORS_CURVES = "The prior of the codes of level {}, trained in the second stage."


def write_card(recipe, metrics, folder, source=None):
    """Writes the card of a preset, `README.md`, into its folder, and returns the text.

    Args:
        recipe: `Recipe`.
        metrics: dict, what its `metrics.json` holds.
        folder: path of the preset, where the pictures lie that the card shows.
        source: str, what its users give to `from_preset` where it is not the recipe's name:
            `hf://owner/name`.
    """
    folder = Path(folder)
    sections = (
        front_matter(recipe, metrics),
        f"# {recipe.name}\n\n{recipe.summary}",
        _picture(folder, "samples.png", _samples_caption(recipe)),
        f"## Use\n\n```python\n{usage(recipe, source)}\n```",
        f"## Numbers\n\n{numbers_section(recipe, metrics, folder)}",
        f"## How it was made\n\n{_making(recipe, metrics, source)}",
        _picture(folder, "curves.png", _CURVES),
        *_curves_of_priors(folder),
        _picture(folder, "reconstructions.png", "Test data, and below them what the model makes."),
        f"## Data\n\n{_data(recipe, metrics)}",
        f"## Licence\n\n{_licence(recipe)}",
        f"## Limits\n\n{recipe.limits}" if recipe.limits else "",
        "*Written by keras_vae from `recipe.toml` and `metrics.json`; not by hand.*",
    )
    text = "\n\n".join(section for section in sections if section) + "\n"
    presets.write_atomically(folder / CARD, text.encode())
    return text


def _samples_caption(recipe):
    return _PIXELS if recipe.family in AUTOREGRESSIVE else _SAMPLES[recipe.data.get("pairs")]


def _curves_of_priors(folder):
    pictures = sorted(folder.glob("curves_prior_*.png"))
    return [_picture(folder, p.name, _PRIORS_CURVES.format(p.stem[-1])) for p in pictures]


def _making(recipe, metrics, source):
    training, test, machine = metrics["training"], metrics["test"], metrics["environment"]
    backend = f"{machine['backend']} {machine.get('backend_version', '')}".strip()
    rows = [
        ("parameters", f"{training['num_parameters']:,}"),
        ("training examples", f"{training['num_examples']:,}"),
        ("epochs", f"{training['epochs']:,}"),
        ("updates", f"{training['updates']:,}"),
        *_of_second_stage(recipe),
        ("seed", str(training["seed"])),
        ("training, wall clock", duration(training["wall_seconds"])),
        ("training, processor time", duration(training["cpu_seconds"])),
        *([("NLL, wall clock", duration(test["nll_seconds"]))] if "nll_seconds" in test else []),
        ("hardware", hardware(machine)),
        (
            "software",
            f"keras_vae {machine['keras_vae']}, Keras {machine['keras']} on {backend}, "
            f"Python {machine['python']}",
        ),
        ("date", machine["date"]),
    ]
    command = f"python zoo/train.py {recipe.name}" if source is None else _TRAIN
    command = f"KERAS_BACKEND={machine['backend']} {command}"
    if recipe.data["name"].endswith(".npz"):
        command += " --data-dir FOLDER_OF_THE_DATA"
    return (
        f"{table(['', ''], map(list, rows), num_words=2)}\n\nEverything follows from "
        f"[recipe.toml](recipe.toml):\n\n```\n{command}\n```"
    )


def _of_second_stage(recipe):
    """Rows on the training of priors; the counts above are of the first stage."""
    if not recipe.prior_training:
        return []
    return [("second stage, epochs of the prior", f"{recipe.prior_training['epochs']:,}")]


def _data(recipe, metrics):
    description = metrics.get("data", {}).get("description", "")
    sentences = [recipe.attribution, description]
    if recipe.is_dynamic:
        seed = recipe.evaluation.get("seed", 0)
        sentences.append(
            "Pixels are black or white with the probability that the grey value says: training "
            f"pictures are drawn anew at every use, test pictures once, with seed {seed}."
        )
    return "\n\n".join(sentence for sentence in sentences if sentence) or recipe.data["name"]


def _licence(recipe):
    data = " The data are others', as told above." if recipe.attribution else ""
    return f"The weights are under the Apache License 2.0, as keras_vae is.{data}"


def _picture(folder, name, caption):
    return f"![{caption}]({name})\n\n*{caption}*" if (folder / name).exists() else ""


def duration(seconds):
    """Returns seconds as people say them: 43 s, 12 min, 1.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def hardware(machine):
    """Returns the processor of a metrics file's `environment` in words."""
    cores = machine["cores"]
    return f"{cores} core{'s' * (cores != 1)} of {machine['processor']}"
