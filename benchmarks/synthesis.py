"""Synthetic rows of the Adult table: `TableSynthesizer` and CTGAN's TVAE.

    python benchmarks/synthesis.py ../shared/data/tables/adult.csv
    PEERS/bin/python benchmarks/synthesis.py ../shared/data/tables/adult.csv --only tvae

Four fifths of the rows are learned from; as many are drawn. Gradient boosting is trained on what
was drawn and judged on the last fifth, real rows: F1 of an income above 50,000, and ROC-AUC. The
distance of a column is the total variation between its real held-out values and the drawn ones, in
twentieths of the real ones where it holds numbers; the distance of a pair is that of their joint
table; both are means. Held-out log-likelihood is in nats per row, for our own model only: TVAE has
no density. All settings are the defaults, and nothing was chosen on these rows. The second command
runs in an environment with ctgan, pandas and scikit-learn, without keras_vae.

Writes synthesis.json and synthesis.md beside itself.
"""

import argparse
import itertools
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OrdinalEncoder

RESULTS = Path(__file__).with_name("synthesis.json")
TABLE = Path(__file__).with_name("synthesis.md")
TARGET, POSITIVE = "income", ">50K"
NUM_BINS = 20
LABELS = {"real": "real rows", "keras_vae": "`TableSynthesizer`", "tvae": "TVAE of ctgan"}
NUMBERS = {
    "f1": "F1",
    "auc": "ROC-AUC",
    "marginal": "distance of a column",
    "pairwise": "distance of a pair",
    "log_likelihood": "held-out nats a row",
}


def read(path):
    """Returns the rows to learn from, and those to judge by."""
    frame = pd.read_csv(path, skipinitialspace=True, na_values="?")
    order = np.random.default_rng(0).permutation(len(frame))
    cut = len(frame) * 4 // 5
    return frame.iloc[order[:cut]].reset_index(drop=True), frame.iloc[order[cut:]]


def real(train, test):
    return train, {}


def ours(train, test):
    from keras_vae.estimators import TableSynthesizer

    synthesizer = TableSynthesizer(random_state=0).fit(train)
    known = test[test["native-country"].isin(train["native-country"])]  # one country is rare
    nats = synthesizer.model_.log_likelihood(
        synthesizer.schema_.encode(known), num_samples=100, seed=0
    )
    return synthesizer.sample(len(train), seed=0), {"log_likelihood": float(nats.mean())}


def tvae(train, test):
    import torch
    from ctgan import TVAE

    torch.manual_seed(0)
    np.random.seed(0)
    classes = [name for name in train.columns if train[name].dtype.kind not in "iuf"]
    rows = train.copy()
    rows[classes] = rows[classes].fillna("?").astype(object)  # it accepts no gaps
    model = TVAE(enable_gpu=False)
    model.fit(rows, classes)
    return model.sample(len(train)).replace("?", np.nan), {}


CONTENDERS = {"real": real, "keras_vae": ours, "tvae": tvae}


def judged(drawn, train, test):
    """Returns the numbers of drawn rows."""
    numeric = [name for name in train.columns if train[name].dtype.kind in "iuf"]
    classes = [name for name in train.columns if name not in [*numeric, TARGET]]
    coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    coder.fit(train[classes])

    def features(frame):
        x = np.concatenate([frame[numeric].to_numpy("float64"), coder.transform(frame[classes])], 1)
        return x, (frame[TARGET] == POSITIVE).to_numpy()

    is_class = np.arange(len(numeric) + len(classes)) >= len(numeric)
    booster = HistGradientBoostingClassifier(random_state=0, categorical_features=is_class)
    booster.fit(*features(drawn))
    x, y = features(test)
    bins = {name: _bins(test[name], name in numeric) for name in train.columns}
    codes = {
        name: (bin_of(test[name]), bin_of(drawn[name]), size)
        for name, (bin_of, size) in bins.items()
    }
    pairs = itertools.combinations(codes.values(), 2)
    return {
        "f1": float(f1_score(y, booster.predict(x))),
        "auc": float(roc_auc_score(y, booster.predict_proba(x)[:, 1])),
        "marginal": float(np.mean([_distance(*column) for column in codes.values()])),
        "pairwise": float(
            np.mean([_distance(a * m + b, c * m + d, n * m) for (a, c, n), (b, d, m) in pairs])
        ),
    }


def _bins(values, is_numeric):
    """Returns a function from a column to numbers of bins, and how many bins there are."""
    if is_numeric:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, NUM_BINS + 1)[1:-1]))
        return lambda v: np.searchsorted(edges, v.to_numpy(), "right"), len(edges) + 1
    places = {value: i for i, value in enumerate(values.dropna().unique())}
    size = len(places) + 2  # what is missing, and what test rows do not have

    def bin_of(v):
        return np.array([size - 1 if x != x else places.get(x, size - 2) for x in v])

    return bin_of, size


def _distance(first, second, size):
    """Returns the total variation between two samples of numbers below `size`."""
    p, q = (np.bincount(sample, minlength=size) / len(sample) for sample in (first, second))
    return 0.5 * np.abs(p - q).sum()


def table(results):
    """Returns the text of synthesis.md."""
    lines = [
        "# Synthetic rows of the Adult table",
        "",
        "Written by `benchmarks/synthesis.py`, which says how. F1, ROC-AUC and nats: higher is",
        "better; distances: lower.",
        "",
        f"| | {' | '.join(NUMBERS.values())} |",
        "|---|" + "---:|" * len(NUMBERS),
    ]
    for name in [n for n in LABELS if n in results]:
        cells = [f"{results[name][k]:.4g}" if k in results[name] else "" for k in NUMBERS]
        lines.append(f"| {LABELS[name]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--only", action="append", choices=CONTENDERS)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    train, test = read(options.table)
    for name in options.only or ("real", "keras_vae"):
        start = time.process_time()
        drawn, further = CONTENDERS[name](train, test)
        numbers = {**judged(drawn, train, test), **further}
        print(name, numbers, f"{time.process_time() - start:.0f} s", flush=True)
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[name] = {key: round(value, 4) for key, value in numbers.items()}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        TABLE.write_text(table(results))
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
