import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.metrics.term_means import TermMeans


def result(metric):
    return {k: float(ops.convert_to_numpy(v)) for k, v in metric.result().items()}


def test_means_over_examples_and_not_over_batches():
    means = TermMeans(["loss", "kl", "never"])
    assert result(means) == {"loss": 0.0, "kl": 0.0, "never": 0.0}
    means.update_state([8.0, 4.0, 0.0], [4.0, 4.0, 0.0])
    means.update_state([10.0, 1.0, 0.0], [2.0, 1.0, 0.0])  # examples of kl are weighed otherwise
    assert result(means) == pytest.approx({"loss": 3.0, "kl": 1.0, "never": 0.0})
    means.reset_state()
    assert result(means)["loss"] == 0.0


def test_agrees_with_the_means_of_keras():
    rng = np.random.default_rng(0)
    ours, theirs = TermMeans(["a"]), keras.metrics.Mean()
    for size in (5, 3, 1):
        values, weights = rng.normal(size=size), rng.uniform(size=size)
        ours.update_state([np.sum(values * weights)], [np.sum(weights)])
        theirs.update_state(values, sample_weight=weights)
    expected = float(ops.convert_to_numpy(theirs.result()))
    assert result(ours)["a"] == pytest.approx(expected, rel=1e-5)


def test_its_names_are_its_configuration():
    again = TermMeans.from_config(TermMeans(["loss", "kl"]).get_config())
    assert list(again.result()) == ["loss", "kl"]
