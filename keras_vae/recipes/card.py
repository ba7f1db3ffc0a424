"""The card of a preset: its README, made of `metrics.json`, the recipe and the pictures only."""

from pathlib import Path

from keras_vae import presets
from keras_vae.recipes.front_matter import front_matter
from keras_vae.recipes.usage import usage

CARD = "README.md"
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
        _picture(folder, "samples.png", "Means of p(x|z) for 64 draws of z from the prior."),
        f"## Use\n\n```python\n{usage(recipe)}\n```",
        f"## Numbers\n\n{_numbers(recipe, metrics)}",
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
    row = [name, recipe.model["class"], recipe.data["name"]]
    published = "; ".join(f"{_published_value(e)} ({e['source']})" for e in recipe.published)
    if not metrics:
        return [*row, "", "not trained yet", "", published or "none"]
    test = metrics["test"]
    return [
        *row,
        f"{metrics['training']['num_parameters']:,}",
        f"{test['nll']:.2f} ± {test['nll_standard_error']:.2f}",
        f"{test['nll_bits_per_dim']:.3f}",
        published or "none",
    ]


def _published_value(entry):
    if "nll" in entry:
        return f"{entry['nll']} nats"
    return f"{entry['bits_per_dim']} bits/dim" if "bits_per_dim" in entry else "n/a"


def _numbers(recipe, metrics):
    test, published = metrics["test"], recipe.published
    bits, bits_per_nat = test["nll_bits_per_dim"], test["nll_bits_per_dim"] / test["nll"]
    error = test["nll_standard_error"]
    rows = [
        ("NLL, nats per example", f"{test['nll']:.2f} ± {error:.2f}", "nll"),
        ("NLL, bits per dimension", f"{bits:.4f} ± {bits_per_nat * error:.4f}", "bits_per_dim"),
        ("ELBO, nats (higher is better)", f"{test['elbo']:.2f}", None),
        ("reconstruction, -E[log p(x\\|z)], nats", f"{test['reconstruction']:.2f}", None),
        ("KL(q(z\\|x), p(z)), nats", f"{test['kl']:.2f}", None),
        ("active units", f"{test['active_units']} of {test['latent_dim']}", None),
    ]
    header = ["test set", "this preset", *(e["source"] for e in published)]
    body = [[name, ours, *(str(e.get(key, "")) for e in published)] for name, ours, key in rows]
    seed = recipe.evaluation.get("seed", 0)
    protocol = (
        f"{test['num_examples']:,} test examples; NLL by importance sampling with "
        f"{test['nll_num_samples']:,} draws from q(z|x) each (an upper bound in expectation), seed "
        f"{seed}; ± is the standard error of the mean over examples. ELBO with one draw each. A "
        "unit is active where the variance of its posterior mean over the test set exceeds 0.01."
    )
    theirs = [f"- {e['source']}: {e['protocol']}." for e in published if "protocol" in e]
    theirs = theirs or ["There is no published number to compare with."] * (not published)
    return "\n\n".join([table(header, body), protocol, *(["\n".join(theirs)] if theirs else [])])


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
        ("NLL, wall clock", duration(test["nll_seconds"])),
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
