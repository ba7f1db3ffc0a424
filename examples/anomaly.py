"""Which tumours do not look benign? An outlier detector that has only seen benign ones.

    python examples/anomaly.py      # about a minute; needs keras-vae[sklearn,plots]

Prints the ROC-AUC, and draws the scores and the features that give the oddest tumour away.
"""

import argparse
from pathlib import Path

from keras_vae.estimators import OutlierDetector

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/anomaly"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()

    data = load_breast_cancer()
    benign = np.random.default_rng(0).permutation(np.flatnonzero(data.target == 1))
    malignant = np.flatnonzero(data.target == 0)
    train, held_out = data.data[benign[:250]], data.data[benign[250:]]
    test = np.concatenate([held_out, data.data[malignant]])
    is_malignant = np.arange(len(test)) >= len(held_out)

    num_updates = 10 if arguments.smoke else 1000
    detector = OutlierDetector(contamination=0.05, num_updates=num_updates, random_state=0)
    scores = detector.fit(train).score_samples(test)
    print(f"ROC-AUC {roc_auc_score(is_malignant, -scores):.3f}")

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    bins = np.linspace(*np.quantile(scores, [0.01, 1]), 40)
    clipped = np.maximum(scores, bins[0])
    left.hist([clipped[~is_malignant], clipped[is_malignant]], bins, label=["benign", "malignant"])
    left.axvline(detector.threshold_, color="black", label="threshold")
    left.set(xlabel="score (nats)", ylabel="tumours")
    left.legend()

    oddest = test[[scores.argmin()]]
    of_feature = detector.score_per_feature(oddest)[0]
    worst = of_feature.argsort()[:10][::-1]
    right.barh(data.feature_names[worst], of_feature[worst])
    right.set(xlabel="score of the feature (nats)", title="the oddest tumour")
    arguments.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.output / "samples.png", dpi=120)


if __name__ == "__main__":
    main()
