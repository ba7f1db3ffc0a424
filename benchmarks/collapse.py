"""What each cure of posterior collapse costs: models of the same texts, and their language model.

    python benchmarks/collapse.py zoo/text_language_model_yelp zoo/text_vae_yelp runs/plain ...

Each is a folder with a preset and its recipe; the first is the language model. All are measured on
the same test examples, so that the difference in nats, which is paired, has a small error. Runs
that are not presets of the zoo have their recipes in `examples/recipes/texts`.

Prints the tables, and writes them into docs/sequences.md with `--write`.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from keras_vae import GenerativeModel
from keras_vae import evaluation
from keras_vae.atomic_files import write_atomically
from keras_vae.recipes import load_data
from keras_vae.recipes import read_recipe
from keras_vae.recipes.cards.markdown import table

PAGE = Path(__file__).parents[1] / "docs" / "sequences.md"
BEGIN, END = "<!-- collapse: begin, written by benchmarks/collapse.py -->", "<!-- collapse: end -->"
HEADER = ["model", "NLL, nats", "beyond the language model", "KL", "information", "active units"]


def row(name, model, x, baseline, num_draws):
    """Returns the cells of a model, and its nats (N,)."""
    if model.log_likelihood_is == "exact":
        nats = -model.log_likelihood(x)
        return [name, with_error(nats), "", "", "", ""], nats
    nats = -model.log_likelihood(x, num_samples=num_draws, seed=0)
    split = evaluation.kl_split(model, x, seed=0)
    active = evaluation.active_units(model, x)
    parts = [
        f"{split.kl:.2f}",
        f"{split.mutual_information:.2f}",
        f"{active.sum()} of {active.size}",
    ]
    return [name, with_error(nats), with_error(nats - baseline, sign="+"), *parts], nats


def kl_of_epochs(folders):
    """Returns a table of the KL that each run logged, of those that have one."""
    columns = {}
    for folder in folders:
        with (folder / "epochs.csv").open() as file:
            logged = [row["kl"] for row in csv.DictReader(file) if "kl" in row]
        if logged:
            columns[folder.name] = [f"{float(kl):.2f}" for kl in logged]
    rows = [[str(i + 1), *row] for i, row in enumerate(zip(*columns.values(), strict=False))]
    return table(["epoch", *columns], rows)


def with_error(nats, sign=""):
    """Returns the mean of nats (N,) and its standard error, as text."""
    error = nats.std(ddof=1) / np.sqrt(len(nats))
    return f"{nats.mean():{sign}.2f} ± {error:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--data-dir")
    parser.add_argument("--examples", type=int, default=1000, help="of the test part, the first")
    parser.add_argument("--draws", type=int, default=500, help="of z for each, for log p(x)")
    parser.add_argument("--write", action="store_true", help="into docs/sequences.md")
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.folders[0] / "recipe.toml")
    x = load_data(recipe, arguments.data_dir).test.x[: arguments.examples]
    rows, baseline = [], None
    for folder in arguments.folders:
        model = GenerativeModel.from_preset(folder)
        cells, nats = row(folder.name, model, x, baseline, arguments.draws)
        baseline = nats if baseline is None else baseline
        rows.append(cells)
    text = "\n\n".join(
        [
            table(HEADER, rows),
            f"{len(x):,} test examples, {arguments.draws} draws of z for each; ± standard errors.",
            "The KL in training, as the logs show it, mean of each epoch:",
            kl_of_epochs(arguments.folders),
        ]
    )
    print(text)
    if arguments.write:
        before, rest = PAGE.read_text().split(BEGIN)
        after = rest.split(END)[1]
        write_atomically(PAGE, f"{before}{BEGIN}\n{text}\n{END}{after}".encode())


if __name__ == "__main__":
    main()
