"""Outliers in the tables of ADBench: ours, isolation forest, kNN, LOF, and pyod's VAE.

    python benchmarks/anomaly.py ../shared/data/adbench --choose
    python benchmarks/anomaly.py ../shared/data/adbench
    PEERS/bin/python benchmarks/anomaly.py ../shared/data/adbench --only pyod_vae

The first command tries the settings of `GRID` on the ten sets of `CHOSEN_ON`, the only ones that
may decide the defaults of `OutlierDetector`. The second judges these defaults on the other sets. In
each set, 70 % of the normal rows, at most 10,000, are for training; the rest and all anomalies are
ranked. Everything is standardised by the training rows. Sets with fewer than five anomalies to rank
are left out. The third command runs pyod in an environment of its own, which needs no keras_vae.

Each number is added to anomaly.json as soon as it is known. A command that is run again continues
from there, and anomaly.md is written from anomaly.json. On JAX, JAX_COMPILATION_CACHE_DIR avoids
recompiling for each split.
"""

import argparse
import itertools
import json
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.neighbors import NearestNeighbors

RESULTS = Path(__file__).with_name("anomaly.json")
TABLE = Path(__file__).with_name("anomaly.md")
CHOSEN_ON = (
    "2_annthyroid",
    "6_cardio",
    "12_fault",
    "18_Ionosphere",
    "20_letter",
    "28_pendigits",
    "29_Pima",
    "38_thyroid",
    "40_vowels",
    "44_Wilt",
)
GRID = {
    "sigma >= 0.05": {"min_sigma": 0.05},
    "sigma >= 0.1": {"min_sigma": 0.1},
    "sigma >= 0.3": {"min_sigma": 0.3},
    "sigma >= 0.05, 1,500 updates": {"min_sigma": 0.05, "num_updates": 1500},
    "sigma >= 0.05, 3,000 updates": {"min_sigma": 0.05, "num_updates": 3000},
    "Student-t, sigma >= 0.1": {"min_sigma": 0.1, "degrees_of_freedom": 4.0},
}
NUM_MODELS = 3  # of an ensemble in the grid
SCORES = ("bound", "likelihood")


def split(path, seed):
    """Returns training rows, rows to rank, and which of these are anomalies."""
    data = np.load(path)
    x, y = data["X"].astype("float64"), data["y"].ravel()
    rng = np.random.default_rng(seed)
    normal = rng.permutation(np.flatnonzero(y == 0))
    cut = int(0.7 * len(normal))
    train, test = normal[:cut][:10_000], np.concatenate([normal[cut:], np.flatnonzero(y == 1)])
    mean, std = x[train].mean(axis=0), x[train].std(axis=0)
    x = (x - mean) / np.where(std > 0, std, 1.0)
    return x[train], x[test], y[test]


def ours(train, test, seed):
    from keras_vae.estimators import OutlierDetector

    return -OutlierDetector(random_state=seed).fit(train).score_samples(test)


def isolation_forest(train, test, seed):
    return -IsolationForest(random_state=seed).fit(train).score_samples(test)


def nearest_neighbours(train, test, seed):
    neighbours = NearestNeighbors(n_neighbors=5).fit(train)
    return neighbours.kneighbors(test)[0][:, -1]


def local_outlier_factor(train, test, seed):
    return -LocalOutlierFactor(novelty=True).fit(train).score_samples(test)


def pyod_vae(train, test, seed):
    from pyod.models.vae import VAE

    return VAE(random_state=seed, verbose=0).fit(train).decision_function(test)


CONTENDERS = {
    "keras_vae": ours,
    "pyod_vae": pyod_vae,
    "isolation_forest": isolation_forest,
    "knn": nearest_neighbours,
    "lof": local_outlier_factor,
}
WORDS = {
    "keras_vae": "`OutlierDetector`",
    "pyod_vae": "VAE of pyod",
    "isolation_forest": "isolation forest",
    "knn": "kNN (k = 5)",
    "lof": "LOF",
}
PEERS = ("pyod_vae",)


def of_grid(names, train, test, y):
    """Returns the ROC-AUC of settings of the grid, for one model and an ensemble."""
    from keras_vae.estimators import OutlierDetector

    found = {}
    for name in names:
        options = {"num_updates": 600, **GRID[name]}
        detector = OutlierDetector(num_models=NUM_MODELS, random_state=0, **options).fit(train)
        models = detector.models_
        for method in SCORES:
            detector.method = method
            single = []
            for model in models:
                detector.models_ = [model]
                single.append(roc_auc_score(y, -detector.score_samples(test)))
            detector.models_ = models
            found[f"{name}; {method}"] = float(np.mean(single))
            together = roc_auc_score(y, -detector.score_samples(test))
            found[f"{name}; {method} of {NUM_MODELS} models"] = float(together)
    return found


def read():
    """Returns what has been found so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"chosen": {}, "judged": {}}


def add(part, name, key, value):
    """Adds a number to the results, which another process may have extended since they were
    read."""
    results = read()
    results[part].setdefault(name, {})[key] = value
    partial = RESULTS.with_suffix(".part")
    partial.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    partial.replace(RESULTS)
    TABLE.write_text(table(results))


def choose(paths):
    for path in paths:
        chosen = read()["chosen"]
        missing = [n for n in GRID if path.stem not in chosen.get(f"{n}; {SCORES[0]}", {})]
        if missing:
            for name, auc in of_grid(missing, *split(path, 0)).items():
                add("chosen", name, path.stem, round(auc, 4))
                print(f"{path.stem:20} {name:50} {auc:.4f}", flush=True)


def judge(paths, contenders, seeds):
    for seed, path in itertools.product(range(seeds), paths):
        judged = read()["judged"]
        so_far = {name: judged.get(name, {}).get(path.stem, []) for name in contenders}
        missing = [name for name, aucs in so_far.items() if len(aucs) == seed]
        if not missing:
            continue
        train, test, y = split(path, seed)
        if y.sum() < 5:
            continue
        for name in missing:
            start = time.process_time()
            auc = roc_auc_score(y, CONTENDERS[name](train, test, seed))
            add("judged", name, path.stem, [*so_far[name], round(auc, 4)])
            seconds = time.process_time() - start
            print(f"{path.stem:20} {seed} {name:18} {auc:.4f} {seconds:7.1f} s", flush=True)


def table(results):
    """Returns the text of anomaly.md."""
    judged, chosen = results["judged"], results["chosen"]
    most = max(map(len, judged.values()), default=0)  # those not done yet are left out
    names = [name for name in CONTENDERS if len(judged.get(name, ())) == most > 0]
    sets = sorted(judged[names[0]] if names else [], key=_number)
    lines = [
        "# Outliers in the tables of ADBench",
        "",
        "Written by `benchmarks/anomaly.py`, which says how. ROC-AUC, means over splits; higher is",
        "better. Nothing was chosen on the sets of the first two tables.",
        "",
        f"| | mean of {len(sets)} sets | best on | splits of a set |",
        "|---|---:|---:|---:|",
    ]
    means = {n: [float(np.mean(judged[n][s])) for s in sets] for n in names}
    best = [max(means[n][i] for n in names) for i in range(len(sets))]
    for n in names:
        wins = sum(mean == top for mean, top in zip(means[n], best, strict=True))
        counts = sorted({len(judged[n][s]) for s in sets})
        splits = " to ".join(map(str, counts))
        lines.append(f"| {WORDS[n]} | {np.mean(means[n] or [0]):.4f} | {wins} | {splits} |")
    lines += ["", "| set | " + " | ".join(WORDS[n] for n in names) + " |"]
    lines += ["|---|" + "---:|" * len(names)]
    for i, s in enumerate(sets):
        lines.append(f"| {s} | " + " | ".join(f"{means[n][i]:.3f}" for n in names) + " |")
    if chosen:
        order = sorted(chosen, key=lambda name: -np.mean(list(chosen[name].values())))
        lines += [
            "",
            "## The choice of settings",
            "",
            f"Means of the ten sets {', '.join(CHOSEN_ON)}, one split each; of single models",
            f"the mean of {NUM_MODELS}.",
            "",
            "| setting | mean |",
            "|---|---:|",
            *[f"| {name} | {np.mean(list(chosen[name].values())):.4f} |" for name in order],
        ]
    return "\n".join(lines) + "\n"


def _number(name):
    return int(name.split("_")[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--choose", action="store_true", help="try the grid on its ten sets")
    parser.add_argument("--only", action="append", choices=CONTENDERS, help="one contender")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    paths = sorted(options.folder.glob("*.npz"), key=lambda path: path.stat().st_size)
    paths = [path for path in paths if (path.stem in CHOSEN_ON) == options.choose]
    if options.choose:
        choose(paths)
    else:
        judge(paths, options.only or [n for n in CONTENDERS if n not in PEERS], options.seeds)
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
