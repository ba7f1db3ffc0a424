"""Draws new rows like those of a table, and shows how similar they are.

    python examples/synthetic_table.py adult.csv     # a few minutes; needs keras-vae[sklearn,plots]

Any .csv with a header line will do, such as the Adult census table (UCI, CC BY 4.0); only the first
10,000 rows are used. Writes synthetic.csv and a picture: the values of single columns, and how
strongly each column predicts another, in the table and in the synthetic rows.
"""

import argparse
from pathlib import Path

from keras_vae.datasets.csv_tables import read_table
from keras_vae.datasets.csv_tables import write_table
from keras_vae.estimators import TableSynthesizer

import matplotlib.pyplot as plt
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", type=Path, help="a .csv (default: one that is made up)")
    parser.add_argument("--output", type=Path, default=Path("runs/synthetic_table"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()

    real = made_up() if arguments.table is None else read_table(arguments.table).values()
    real = {name: values[:10_000] for name, values in real.items()}
    num_updates = 10 if arguments.smoke else 6000
    synthesizer = TableSynthesizer(num_updates=num_updates, random_state=0).fit(real)
    drawn = synthesizer.sample(len(next(iter(real.values()))), seed=0)
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_table(arguments.output / "synthetic.csv", drawn)

    numbered = [{k: codes(v, real[k]) for k, v in rows.items()} for rows in (real, drawn)]
    told = [association(codes_of) for codes_of in numbered]
    between_two = ~np.eye(len(real), dtype=bool)  # not a column with itself, which is always 1
    print(f"associations differ by {np.abs(told[0] - told[1])[between_two].mean():.3f} on average")

    names = list(real)
    shown = sorted(names, key=lambda name: -len(set(numbered[0][name])))[:6]
    figure = plt.figure(figsize=(12, 8), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.4))
    for axes, name in zip(top.subplots(1, len(shown)), shown, strict=True):
        bins = np.arange(max(numbered[0][name]) + 2) - 0.5
        axes.hist([rows[name] for rows in numbered], bins, label=["table", "drawn"])
        axes.set(title=name, xticks=[], yticks=[])
    axes.legend()
    for axes, matrix, title in zip(bottom.subplots(1, 2), told, ("table", "drawn"), strict=True):
        picture = axes.imshow(matrix, vmin=0, vmax=1, cmap="magma")
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        axes.set_title(f"what one column says of another: {title}")
    bottom.colorbar(picture, ax=bottom.axes, label="Cramér's V")
    figure.savefig(arguments.output / "samples.png", dpi=110)


def made_up():
    rng = np.random.default_rng(0)
    city = rng.choice(["Bonn", "Kiel", "Ulm"], 500)
    rent = np.where(city == "Bonn", 900, 600) + 50 * rng.normal(size=500)
    return {"city": city.tolist(), "rent": rent.tolist(), "rooms": (rent // 200).tolist()}


def codes(values, like):
    """Numbers of classes, or of eighths of the values of a column of numbers."""
    known = [v for v in like if v is not None]
    if isinstance(known[0], str | bool):
        places = {v: i for i, v in enumerate(sorted(set(known)))}
        return np.array([places.get(v, len(places)) for v in values])
    edges = np.unique(np.quantile(known, np.linspace(0, 1, 9)[1:-1]))
    return np.array([len(edges) + 1 if v is None else np.searchsorted(edges, v) for v in values])


def association(columns):
    """Cramér's V of every pair of columns: 0 if they say nothing about each other, 1 if
    everything."""
    return np.array([[cramers_v(a, b) for b in columns.values()] for a in columns.values()])


def cramers_v(a, b):
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    joint = joint[joint.sum(axis=1) > 0][:, joint.sum(axis=0) > 0]
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    return np.sqrt(np.sum((joint - expected) ** 2 / expected) / max(1, min(joint.shape) - 1))


if __name__ == "__main__":
    main()
