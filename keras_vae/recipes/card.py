"""The card of a preset: its README, made of `metrics.json`, the recipe and the pictures only."""

import json
from pathlib import Path

from keras_vae import presets
from keras_vae.recipes.front_matter import front_matter
from keras_vae.recipes.numbers import headline
from keras_vae.recipes.numbers import rows
from keras_vae.recipes.usage import usage

CARD = "README.md"
METRICS = "metrics.json"
_SAMPLES = {
    None: "Means of p(x|z), z drawn from the prior.",
    "labels": "Means of p(x|z, label), z drawn from the prior: a row of eight for each label.",
    "prior_labels": "Codes drawn from the prior given a label, decoded: a row for each label.",
    "completion": "A row for each test picture: eight completions of the quadrants seen.",
    "classes": "",
    "prediction": "",
}
_CURVES = "Solid: training. Dashed: the test set, for the picture only; nothing was chosen by it."


def write_card(recipe, metrics, folder):
    """Writes the card of a preset, `README.md`, into its folder, and returns the text.

    Args:
        recipe: `Recipe`.
        metrics: dict, what its `metrics.json` holds.
        folder: path of the preset, where the pictures lie that the card shows.
    """
    folder = Path(folder)
    sections = (
        front_matter(recipe, metrics),
        f"# {recipe.name}\n\n{recipe.summary}",
        _picture(folder, "samples.png", _SAMPLES[recipe.data.get("pairs")]),
        f"## Use\n\n```python\n{usage(recipe)}\n```",
        f"## Numbers\n\n{_numbers(recipe, metrics, folder)}",
        f"## How it was made\n\n{_making(recipe, metrics)}",
        _picture(folder, "curves.png", _CURVES),
        _picture(folder, "reconstructions.png", "Test data, and below them what the model makes."),
        f"## Data\n\n{_data(recipe, metrics)}",
        f"## Limits\n\n{recipe.limits}" if recipe.limits else "",
        "*Written by `zoo/train.py` from `recipe.toml` and `metrics.json`; not by hand.*",
    )
    text = "\n\n".join(section for section in sections if section) + "\n"
    presets.write_atomically(folder / CARD, text.encode())
    return text


def table(header, rows, num_words=1):
    """Returns a Markdown table: `num_words` columns of words to the left, numbers to the right."""
    lines = [header, ["---"] * num_words + ["---:"] * (len(header) - num_words), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def overview(entries):
    """Returns the table of the zoo, a row a preset.

    Args:
        entries: list of pairs of a `Recipe` and its metrics, or `None` where it is untrained.
    """
    header = ["preset", "family", "data", "parameters", "test NLL, nats", "bits/dim", "published"]
    return table(header, [_overview_row(*entry) for entry in entries], num_words=3)


def _overview_row(recipe, metrics):
    name = f"[{recipe.name}]({recipe.name}/{CARD if metrics else 'recipe.toml'})"
    row = [name, recipe.family, recipe.data["name"]]
    published = "; ".join(f"{_published_value(e)} ({e['source']})" for e in recipe.published)
    published = published.replace("|", "\\|")
    if not metrics:
        state = "not trained yet" + " (needs a GPU)" * (recipe.device == "gpu")
        return [*row, "", state, "", published or "none"]
    test, count = metrics["test"], f"{metrics['training']['num_parameters']:,}"
    is_of_pictures = "nll_bits_per_dim" in test and "accuracy" not in test
    bits = f"{test['nll_bits_per_dim']:.3f}" if is_of_pictures else ""
    return [*row, count, headline(test), bits, published or "none"]


def _published_value(entry):
    if "nll" in entry:
        return f"{entry['nll']} nats"
    return f"{entry['bits_per_dim']} bits/dim" if "bits_per_dim" in entry else "n/a"


def _numbers(recipe, metrics, folder):
    test, published, twin = metrics["test"], recipe.published, _twin(recipe, folder)
    theirs = {name: value for name, _, value in rows(twin["test"])} if twin else {}
    columns = [f"{recipe.twin}, trained alike"] if twin else []
    sources = [e["source"].replace("|", "\\|") for e in published]
    header = ["test set", "this preset", *columns, *sources]
    keys = {"nll": "nll", "nll_bits_per_dim": "bits_per_dim"}
    body = [
        [words, ours, *([theirs.get(name, "")] * bool(twin)), *_published(recipe, keys.get(name))]
        for name, words, ours in rows(test)
    ]
    protocols = [f"- {e['source']}: {e['protocol']}." for e in published if "protocol" in e]
    if not published:
        protocols = ["There is no published number to compare with."]
    texts = [table(header, body), _protocol(recipe, test), "\n".join(protocols)]
    if twin and "nll" in test:
        texts.insert(1, _comparison(recipe, test, twin["test"]))
    return "\n\n".join(text for text in texts if text)


def _published(recipe, key):
    return [str(e.get(key, "")) for e in recipe.published]


def _twin(recipe, folder):
    """The metrics of the preset beside this one that was trained alike, where there is one."""
    path = folder.parent / recipe.twin / METRICS
    return json.loads(path.read_text()) if recipe.twin and path.exists() else None


def _comparison(recipe, ours, theirs):
    gain = theirs["nll"] - ours["nll"]
    return (
        f"The NLL is {abs(gain):.2f} nats {'below' if gain > 0 else 'above'} that of "
        f"[{recipe.twin}](../{recipe.twin}/{CARD}): the same data, epochs, batches and rates."
    )


def _protocol(recipe, test):
    seed, sentences = recipe.evaluation.get("seed", 0), [f"{test['num_examples']:,} test examples."]
    if test.get("nll_num_samples", 1) > 1:
        sentences.append(
            f"NLL by importance sampling with {test['nll_num_samples']:,} draws from q(z|x) each "
            f"(an upper bound in expectation), seed {seed}."
        )
    if "nll" in test:
        sentences.append("± is the standard error of the mean over examples.")
    if "elbo" in test:
        sentences.append("ELBO with one draw each.")
    if "active_units" in test:
        sentences.append(
            "A unit is active where the variance of its posterior mean over the test set exceeds "
            "0.01."
        )
    if "classifier_frechet_distance" in test:
        sentences.append(
            "Samples are 10,000 means of p(x|z). Their distance from the test pictures, of "
            "Gaussians fitted to the features of classifier_mnist, compares with that of other "
            "presets here and with nothing else."
        )
    return " ".join(sentences)


def _making(recipe, metrics):
    training, test, machine = metrics["training"], metrics["test"], metrics["environment"]
    backend = f"{machine['backend']} {machine.get('backend_version', '')}".strip()
    rows = [
        ("parameters", f"{training['num_parameters']:,}"),
        ("training examples", f"{training['num_examples']:,}"),
        ("epochs", f"{training['epochs']:,}"),
        ("updates", f"{training['updates']:,}"),
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
    command = f"KERAS_BACKEND={machine['backend']} python zoo/train.py {recipe.name}"
    if recipe.data["name"].endswith(".npz"):
        command += " --data-dir FOLDER_OF_THE_DATA"
    return (
        f"{table(['', ''], map(list, rows), num_words=2)}\n\nEverything follows from "
        f"[recipe.toml](recipe.toml):\n\n```\n{command}\n```"
    )


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
