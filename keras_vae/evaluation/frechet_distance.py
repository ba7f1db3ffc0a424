"""The distance between two sets of features, as Gaussians."""

import numpy as np


def frechet_distance(features_a, features_b):
    """Returns the squared Frechet distance between Gaussians fitted to two sets of features:

        |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2))

    with the means m and the unbiased covariances S of the rows. It is the squared 2-Wasserstein
    distance between the two Gaussians, in units of squared features.

    The distance says what the features say: it compares only with distances in the features of
    the same network, of the same numbers of rows (it falls as they grow, by a good part while they
    are not many times F). "FID" is its name for one particular Inception network and
    preprocessing; with any other features it is something else and should not be called so.

    Args:
        features_a: array (N, F), features of N examples, from a classifier's last hidden layer,
            say.
        features_b: array (M, F).

    Returns:
        float, at least 0.

    Raises:
        ValueError: not two matrices of equal width with two rows or more, or values that are not
            finite.

    Example:

    ```python
    features = keras.Model(classifier.inputs, classifier.layers[-2].output)
    distance = frechet_distance(features.predict(x_test), features.predict(samples))
    ```

    Reference: Dowson, Landau 1982, "The Fréchet distance between multivariate normal
    distributions"; for generated pictures, Heusel et al. 2017, "GANs Trained by a Two Time-Scale
    Update Rule Converge to a Local Nash Equilibrium", equation 6.
    """
    features_a = _checked(features_a, "features_a")
    features_b = _checked(features_b, "features_b")
    if features_a.shape[1] != features_b.shape[1]:
        raise ValueError(
            "`features_a` and `features_b` must hold the same features. Received: shapes "
            f"{features_a.shape} and {features_b.shape}. Take both from one network."
        )
    root_a, root_b = _root(features_a), _root(features_b)
    # With S = R^T R, the eigenvalues of S_a S_b are the squared singular values of R_a R_b^T. No
    # square root of a matrix is taken, so rank deficient covariances lose no digits.
    overlap = np.sum(np.linalg.svd(root_a @ root_b.T, compute_uv=False))
    shift = np.sum((features_a.mean(axis=0) - features_b.mean(axis=0)) ** 2)
    distance = shift + np.sum(root_a**2) + np.sum(root_b**2) - 2 * overlap
    return max(0.0, float(distance))  # rounding may leave it a little below


def _root(features):
    """R with R^T R = the covariance of the rows."""
    centred = features - features.mean(axis=0)
    return np.linalg.qr(centred, mode="r") / np.sqrt(len(features) - 1)


def _checked(features, name):
    features = np.asarray(features, "float64")
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"`{name}` must be a matrix (N, F) with one row of features for each of at least two "
            f"examples. Received: shape {features.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError(
            f"`{name}` must be finite. Received: {int(np.sum(~np.isfinite(features)))} values that "
            "are not. Look at the network they come from."
        )
    return features
