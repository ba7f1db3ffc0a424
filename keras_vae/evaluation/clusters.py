"""Latent classes: which component of a mixture prior an example belongs to."""

import keras
import numpy as np
from keras import ops

from keras_vae.batching import map_batches
from keras_vae.distributions import Mixture
from keras_vae.typing import Array


def assign_clusters(model: keras.Model, x: Array) -> np.ndarray:
    """Returns p(k|z) of each component k of a model's mixture prior, at the posterior mean of x:

        p(k|z) = w_k N(z; mean_k, var_k) / p(z)

    Args:
        model: `VAE` with a prior that is a mixture, such as `GaussianMixture`.
        x: Array (N, *S).

    Returns:
        NumPy array (N, K); `argmax(axis=1)` is the latent class of each example.

    Raises:
        ValueError: If the prior is not a mixture.

    Example:

    ```python
    classes = assign_clusters(model, x).argmax(axis=1)
    accuracy = cluster_accuracy(classes, y)
    ```

    Reference:
        - [Jiang et al., 2017](https://arxiv.org/abs/1611.05148), equation 16
    """
    prior = model.prior_given()
    if not isinstance(prior, Mixture):
        raise ValueError(
            "Latent classes are the components of a mixture prior, such as "
            f"keras_vae.GaussianMixture(10). Received: a model with {model.prior!r}."
        )
    (x,) = model.check_inputs(x)
    z = map_batches(model, lambda x: model.encode(x).mean, x, key="assign_clusters")
    each = prior.log_weights + prior.components.log_prob_of_each(ops.convert_to_tensor(z))
    return ops.convert_to_numpy(ops.softmax(each, axis=-1))


def cluster_accuracy(clusters: Array, y: Array) -> float:
    """Returns the fraction of examples whose cluster matches their class, under the one-to-one
    matching of clusters and classes that maximises it.

    If the numbers of clusters and classes differ, the surplus ones are not matched.

    Args:
        clusters: Integer array (N,), at least 0.
        y: Integer array (N,), the classes, at least 0.

    Returns:
        Float in [0, 1].

    Raises:
        ValueError: If the arrays are not integers of at least 0, one for each example.
        ImportError: If SciPy is not installed.

    Example:

    >>> cluster_accuracy([1, 1, 0, 0], [0, 0, 1, 0])
    0.75

    Reference:
        - [Kuhn, 1955](https://doi.org/10.1002/nav.3800020109), "The Hungarian method for the
          assignment problem"
    """
    clusters, y = np.asarray(clusters), np.asarray(y)
    is_right = clusters.ndim == 1 and clusters.shape == y.shape and clusters.size > 0
    if not is_right or any(a.dtype.kind not in "iu" or a.min() < 0 for a in (clusters, y)):
        raise ValueError(
            "`clusters` and `y` must be integers of at least 0, one of each for every example. "
            f"Received: shapes {clusters.shape} and {y.shape}, of {clusters.dtype} and {y.dtype}."
        )
    counts = np.zeros((clusters.max() + 1, y.max() + 1), "int64")
    np.add.at(counts, (clusters, y), 1)
    return float(counts[_matching(counts)].sum() / len(y))


def _matching(counts):
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise ImportError(
            'Matching clusters with classes needs SciPy: pip install "keras-vae[sklearn]"'
        ) from error
    return linear_sum_assignment(counts, maximize=True)
