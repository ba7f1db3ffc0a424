"""Gaps of HI-VAE's three tables: `Imputer`, mean and mode, kNN and iterative imputation.

    python benchmarks/imputation.py ../shared/data/tables/hi_vae

The gaps are the first of the authors' fixed masks with 10, 30 and 50 %; of Adult the first
`NUM_ROWS` rows are taken. Errors are those of Nazabal et al. (2020, section 5.2): of a number the
root mean square error over the range of its column, of classes the share that is wrong, of ordered
classes the mean distance over the number of classes; each is the mean over the columns of a kind.
The peers are given numbers and ordered classes standardised, and classes one-hot; what they fill
in is rounded to what a column can hold. Nothing was chosen on these tables: all are defaults.

Writes imputation.json and imputation.md beside itself.
"""

import argparse
import csv
import json
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.impute import KNNImputer
from sklearn.impute import SimpleImputer

RESULTS = Path(__file__).with_name("imputation.json")
TABLE = Path(__file__).with_name("imputation.md")
TABLES = ("Wine", "Breast", "Adult")
RATES = (10, 30, 50)
NUM_ROWS = 6500
KINDS = {"count": "count", "cat": "categorical", "pos": "positive", "ordinal": "ordinal"}
WORDS = {
    "keras_vae": "`Imputer`",
    "mean": "mean and mode",
    "knn": "kNN",
    "iterative": "iterative",
}


def read(folder, rate):
    """Returns rows (N, C), which of their values are hidden, which are unknown, and the kinds."""
    x = np.genfromtxt(folder / "data.csv", delimiter=",")[:NUM_ROWS]
    text = (folder / "data_types.csv").read_text().replace("\r", "\n")
    kinds = [KINDS[row[0]] for row in csv.reader(text.splitlines()[1:]) if row]
    unknown, hidden = np.isnan(x), np.zeros(x.shape, "bool")
    for name, mask in (("MissingTrue", unknown), (f"Missing{rate}_1", hidden)):
        path = folder / f"{name}.csv"
        if path.exists():
            places = np.genfromtxt(path, delimiter=",", dtype=int, ndmin=2) - 1
            places = places[places[:, 0] < len(x)]
            mask[tuple(places.T)] = True
    return x, hidden & ~unknown, unknown, kinds


def ours(x, kinds, seed):
    import pandas as pd

    from keras_vae import TableSchema
    from keras_vae.estimators import Imputer

    names = [str(i) for i in range(x.shape[1])]
    # Positive columns that hold a 0 are moved by 1, as the authors do.
    least = np.nanmin(x, axis=0)
    shift = np.array([float(k == "positive" and v <= 0) for k, v in zip(kinds, least, strict=True)])
    frame = pd.DataFrame(x + shift, columns=names)
    schema = TableSchema.infer(frame, dict(zip(names, kinds, strict=True)))
    filled = Imputer(schema=schema, random_state=seed).fit(frame).transform(frame)
    return filled.to_numpy("float64") - shift


def peer(imputer):
    def run(x, kinds, seed):
        blocks, places = [], []
        for column, kind in zip(x.T, kinds, strict=True):
            start = sum(block.shape[1] for block in blocks)
            if kind == "categorical":
                classes = np.unique(column[~np.isnan(column)])
                block = (column[:, None] == classes).astype("float64")
                block[np.isnan(column)] = np.nan
                places.append((start, start + len(classes), classes))
            else:
                mean, std = np.nanmean(column), np.nanstd(column) or 1.0
                block = ((column - mean) / std)[:, None]
                places.append((start, start + 1, (mean, std)))
            blocks.append(block)
        found = imputer(seed).fit_transform(np.concatenate(blocks, axis=1))
        columns = []
        for (start, stop, scale), kind in zip(places, kinds, strict=True):
            if kind == "categorical":
                columns.append(scale[found[:, start:stop].argmax(axis=1)])
            else:
                columns.append(found[:, start] * scale[1] + scale[0])
        return np.stack(columns, axis=1)

    return run


CONTENDERS = {
    "keras_vae": ours,
    "mean": peer(lambda seed: SimpleImputer()),
    "knn": peer(lambda seed: KNNImputer()),
    "iterative": peer(lambda seed: IterativeImputer(random_state=seed)),
}


def errors(found, x, hidden, kinds):
    """Returns the mean error of each kind of column, and of all columns."""
    of_kind = {}
    for i, kind in enumerate(kinds):
        gaps = hidden[:, i]
        truth, guess = x[gaps, i], found[gaps, i]
        known = x[:, i][~np.isnan(x[:, i])]
        if not gaps.any():
            continue
        if kind != "positive":
            guess = np.clip(np.round(guess), known.min(), known.max())
        if kind == "categorical":
            error = np.mean(guess != truth)
        elif kind == "ordinal":
            error = np.mean(np.abs(guess - truth)) / len(np.unique(known))
        else:
            error = np.sqrt(np.mean((guess - truth) ** 2)) / np.ptp(known)
        of_kind.setdefault(kind, []).append(float(error))
    mean = {kind: round(float(np.mean(v)), 5) for kind, v in of_kind.items()}
    return {
        **mean,
        "all": round(float(np.mean([e for found in of_kind.values() for e in found])), 5),
    }


def table(results):
    """Returns the text of imputation.md."""
    lines = [
        "# Gaps of HI-VAE's tables",
        "",
        "Written by `benchmarks/imputation.py`, which says how. Mean errors of the columns of each",
        "kind, and of all columns; lower is better, and the best of all columns is bold.",
    ]
    for name in TABLES:
        rows = [results[f"{name} {rate}"] for rate in RATES if f"{name} {rate}" in results]
        if not rows:
            continue
        kinds = list(next(iter(rows[0].values())))
        kinds = [k for k in kinds if k not in ("all", "seconds")]
        lines += ["", f"## {name}", "", f"| gaps | | {' | '.join(kinds)} | all columns |"]
        lines.append("|---|---|" + "---:|" * (len(kinds) + 1))
        for rate in RATES:
            found = results.get(f"{name} {rate}", {})
            best = min((v["all"] for v in found.values()), default=0)
            for contender, values in found.items():
                cells = [f"{values[kind]:.4f}" for kind in kinds]
                mark = "**" if values["all"] == best else ""
                cells.append(f"{mark}{values['all']:.4f}{mark}")
                lines.append(f"| {rate} % | {WORDS[contender]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resume", action="store_true", help="measure only what is missing")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    results = json.loads(RESULTS.read_text()) if options.resume and RESULTS.exists() else {}
    for name in TABLES:
        for rate in RATES:
            x, hidden, unknown, kinds = read(options.folder / name, rate)
            given = np.where(hidden | unknown, np.nan, x)
            of_case = results.setdefault(f"{name} {rate}", {})
            for contender in [c for c in CONTENDERS if c not in of_case]:
                start = time.process_time()
                filled = CONTENDERS[contender](given, kinds, seed=0)
                of_case[contender] = errors(filled, x, hidden, kinds)
                seconds = time.process_time() - start
                print(name, rate, contender, of_case[contender], f"{seconds:.0f} s", flush=True)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
                TABLE.write_text(table(results))
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
