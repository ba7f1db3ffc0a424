import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.evaluation import assign_clusters
from keras_vae.evaluation import cluster_accuracy

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")


def small(prior):
    networks = keras_vae.MLPEncoder((6,), 2, (8,)), keras_vae.MLPDecoder((6,), 2, (8,))
    return keras_vae.VAE(*networks, keras_vae.GaussianLikelihood(), prior=prior, seed=0)


def test_components_by_the_rule_of_bayes():
    model = small(keras_vae.GaussianMixture(3))
    model.prior.logits.assign([0.0, 1.0, -1.0])
    z = keras.ops.convert_to_numpy(model.encode(X).mean)
    means = keras.ops.convert_to_numpy(model.prior.means)
    # All variances are 1, so that only the distances and the weights count.
    joint = np.exp([0.0, 1.0, -1.0] - 0.5 * np.square(z[:, None] - means).sum(axis=-1))
    expected = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(assign_clusters(model, X), expected, rtol=1e-4, atol=1e-6)


def test_a_prior_without_components():
    with pytest.raises(ValueError, match=r"components of a mixture prior.*StandardNormal"):
        assign_clusters(small(None), X)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "clusters, y, expected",
    [
        ([2, 2, 0, 1], [0, 0, 1, 2], 1.0),
        ([1, 1, 0, 0], [0, 0, 1, 0], 0.75),
        ([0, 0, 0, 0], [0, 1, 2, 3], 0.25),  # one cluster matches one class
        ([0, 1, 2, 3], [0, 0, 0, 0], 0.25),  # and the other way round
        # Greedily 0 would take class 0, and leave 1 with nothing: 3 of 8.
        ([0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0, 0], 0.625),
    ],
)
def test_the_best_matching_by_hand(clusters, y, expected):
    pytest.importorskip("scipy")
    assert cluster_accuracy(clusters, y) == expected


@pytest.mark.one_backend
@pytest.mark.parametrize("clusters, y", [([0, 1], [0]), ([0.5, 1.0], [0, 1]), ([-1, 0], [0, 1])])
def test_what_are_no_clusters(clusters, y):
    with pytest.raises(ValueError, match="integers of at least 0"):
        cluster_accuracy(clusters, y)
