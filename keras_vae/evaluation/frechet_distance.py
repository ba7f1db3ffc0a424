"""The Fréchet distance between two sets of features."""

import numpy as np

from keras_vae.typing import Array


def frechet_distance(features_a: Array, features_b: Array) -> float:
    """Computes the squared Fréchet distance between Gaussians fitted to two sets of features:

        |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2))

    with the means m and the unbiased covariances S of the rows. It is the squared 2-Wasserstein
    distance between the two Gaussians, in units of squared features.

    Distances are comparable only if they use features of the same network and the same numbers of
    rows: the distance decreases as these grow, considerably so unless they are many times F. Only
    the distance in the features of one particular Inception network, with its preprocessing, is
    called "FID"; a distance in any other features should not be.

    Args:
        features_a: Array (N, F), the features of N examples, e.g. from the last hidden layer of a
            classifier.
        features_b: Array (M, F).

    Returns:
        Float, at least 0.

    Raises:
        ValueError: If the arguments are not matrices of equal width with at least two rows each,
            or if they contain values that are not finite.

    Example:

    ```python
    features = keras.Model(classifier.inputs, classifier.layers[-2].output)
    distance = frechet_distance(features.predict(x_test), features.predict(samples))
    ```

    Reference:
        - [Dowson and Landau, 1982](https://doi.org/10.1016/0047-259X(82)90077-X)
        - [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), equation 6, for generated images
    """
    features_a = _checked(features_a, "features_a")
    features_b = _checked(features_b, "features_b")
    if features_a.shape[1] != features_b.shape[1]:
        raise ValueError(
            "`features_a` and `features_b` must hold the same features. Received: shapes "
            f"{features_a.shape} and {features_b.shape}. Compute both with the same network."
        )
    root_a, root_b = _root(features_a), _root(features_b)
    # With S = R^T R, the eigenvalues of S_a S_b are the squared singular values of R_a R_b^T. As no
    # matrix square root is needed, rank-deficient covariances lose no digits.
    overlap = np.sum(np.linalg.svd(root_a @ root_b.T, compute_uv=False))
    shift = np.sum((features_a.mean(axis=0) - features_b.mean(axis=0)) ** 2)
    distance = shift + np.sum(root_a**2) + np.sum(root_b**2) - 2 * overlap
    return max(0.0, float(distance))  # rounding may leave it slightly negative


def _root(features: np.ndarray) -> np.ndarray:
    """Returns R such that R^T R is the covariance of the rows."""
    centred = features - features.mean(axis=0)
    return np.linalg.qr(centred, mode="r") / np.sqrt(len(features) - 1)


def _checked(features: Array, name: str) -> np.ndarray:
    features = np.asarray(features, "float64")
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"`{name}` must be a matrix (N, F) with one row of features for each of at least two "
            f"examples. Received: shape {features.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError(
            f"`{name}` must be finite. Received: {int(np.sum(~np.isfinite(features)))} values that "
            "are not finite. Check the network that computed them."
        )
    return features
