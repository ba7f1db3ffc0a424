"""Trains presets of the zoo from their recipes: `python zoo/train.py vae_mnist`.

Writes weights, `metrics.json`, pictures and the card into the preset's folder, the tables into
`zoo/README.md`, the main `README.md` and pages of `docs`, and `zoo/index.json`, which says what
every file must be.
Only `recipe.toml` and the text around the tables are written by hand.
`python zoo/train.py --cards` writes cards, curves, tables and index again from the existing files.
`python zoo/train.py vae_mnist --seeds 3` trains an existing preset with two further seeds, into
`runs/`, and adds their numbers to `metrics.json`: the card then shows how far chance moves them.
"""

import argparse
import json
import os
import re
from pathlib import Path

from keras_vae.atomic_files import write_atomically
from keras_vae.presets import write_index
from keras_vae.recipes import METRICS
from keras_vae.recipes import draw_curves
from keras_vae.recipes import headline
from keras_vae.recipes import overview
from keras_vae.recipes import read_recipe
from keras_vae.recipes import short_overview
from keras_vae.recipes import train_recipe
from keras_vae.recipes import train_seeds
from keras_vae.recipes import write_card

ZOO = Path(__file__).parent
TABLE = ("<!-- table: begin, written by zoo/train.py -->", "<!-- table: end -->")

# In a page of `docs`, where it names families or presets: the table of those that are trained.
CHOSEN = re.compile(
    r"(<!-- presets: (?P<names>[\w, ]+); written by zoo/train.py -->\n).*?(<!-- presets: end -->)",
    re.DOTALL,
)


def read_zoo(zoo=ZOO):
    """Returns `[(recipe, metrics or None)]`, all presets by name."""
    recipes = [read_recipe(path) for path in sorted(zoo.glob("*/recipe.toml"))]
    return [(recipe, _read_metrics(zoo / recipe.name)) for recipe in recipes]


def readme_with_table(text, entries):
    """Returns the text of `zoo/README.md` with its table regenerated."""
    return _with_table(text, overview(entries))


def main_readme_with_table(text, entries):
    """Returns the text of the main `README.md` with its table regenerated."""
    return _with_table(text, short_overview(entries))


def page_with_tables(path, entries):
    """Returns the text of a page of `docs`, with the tables of the presets that it names."""
    zoo = Path(os.path.relpath(ZOO, path.parent)).as_posix()

    def table(match):
        names = match["names"].split(", ")
        chosen = [
            (recipe, metrics)
            for recipe, metrics in entries
            if metrics and (names == ["all"] or {recipe.family, recipe.name} & set(names))
        ]
        rows = short_overview(chosen, zoo) if chosen else "No preset of the zoo is one yet."
        return f"{match[1]}{rows}\n{match[3]}"

    return CHOSEN.sub(table, path.read_text())


def pages_with_tables():
    """Returns the paths of the pages of `docs` that have such tables."""
    pages = sorted((ZOO.parent / "docs").rglob("*.md"))
    return [path for path in pages if CHOSEN.search(path.read_text())]


def _with_table(text, table):
    begin, end = TABLE
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def write_texts(zoo=ZOO):
    """Writes every card, the tables and the index, from what is in the folders."""
    entries = read_zoo(zoo)
    for recipe, metrics in entries:
        if metrics:
            draw_curves(zoo / recipe.name)
            write_card(recipe, metrics, zoo / recipe.name)
    for readme, renewed in (
        (zoo / "README.md", readme_with_table),
        (zoo.parent / "README.md", main_readme_with_table),
    ):
        write_atomically(readme, renewed(readme.read_text(), entries).encode())
    if zoo == ZOO:  # which the pages are about
        for path in pages_with_tables():
            write_atomically(path, page_with_tables(path, entries).encode())
    write_index(zoo)


def _add_seeds(recipe, num_seeds, options):
    metrics = _read_metrics(ZOO / recipe.name)
    if metrics is None:
        raise ValueError(f"{recipe.name} is not trained yet: leave --seeds out first.")
    metrics = train_seeds(recipe, metrics, ZOO.parent / "runs", num_seeds, **options)
    content = json.dumps(metrics, indent=2) + "\n"
    write_atomically(ZOO / recipe.name / METRICS, content.encode())


def _read_metrics(folder):
    path = folder / METRICS
    return json.loads(path.read_text()) if path.exists() else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", metavar="PRESET", help="folder names in zoo/")
    parser.add_argument(
        "--cards", action="store_true", help="write only cards, curves, tables, index"
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="train N - 1 further seeds of presets that are there"
    )
    parser.add_argument("--data-dir", help="folder with local data sets such as frey_faces.npz")
    arguments = parser.parse_args()
    if bool(arguments.presets) == arguments.cards:
        parser.error("give the presets to train, or --cards")
    if arguments.cards and (arguments.seeds is not None or arguments.data_dir is not None):
        parser.error("--cards trains nothing: leave --seeds and --data-dir out")
    for name in arguments.presets:
        recipe = read_recipe(ZOO / name / "recipe.toml")
        options = {"data_dir": arguments.data_dir, "verbose": 2}
        if arguments.seeds is None:
            metrics = train_recipe(recipe, ZOO / name, **options)
            print(f"{name}: {headline(metrics['test'], recipe)}")
        else:
            _add_seeds(recipe, arguments.seeds, options)
    write_texts()


if __name__ == "__main__":
    main()
