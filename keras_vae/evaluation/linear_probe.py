"""The accuracy of a linear classifier on codes."""

from typing import NamedTuple

import numpy as np

from keras_vae.typing import Array

_PENALTY = 1e-3  # on the mean squared weight, which diverges if classes are separable
_NUM_STEPS = 300


class LinearClassifier(NamedTuple):
    """A classifier of codes, as `fitted_classifier` returns it.

    Attributes:
        weights: NumPy array (D, K), for codes of zero mean and unit variance.
        bias: NumPy array (K,).
        mean: NumPy array (D,), the mean of the codes it was fitted to.
        scale: NumPy array (D,), their standard deviation.
        classes: NumPy array (K,), the labels.
    """

    weights: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    classes: np.ndarray

    def __call__(self, z: Array) -> np.ndarray:
        """Returns the most probable label of each row of z (N, D)."""
        logits = (np.asarray(z) - self.mean) / self.scale @ self.weights + self.bias
        return self.classes[logits.argmax(axis=1)]


def linear_probe(z: Array, y: Array, z_test: Array, y_test: Array) -> float:
    """Returns the accuracy of a linear classifier that predicts labels from codes.

    It is a logistic regression with a small fixed penalty, fitted to all of z at once. It is
    deterministic, and has no hyperparameters.

    Args:
        z: Array (N, D) of codes to fit to.
        y: Integer array (N,), their labels.
        z_test: Array (M, D) of codes to test on.
        y_test: Integer array (M,), their labels.

    Returns:
        Float, the fraction of test labels predicted correctly.

    Raises:
        ValueError: If the arrays do not fit each other, or `y` has only one label.

    Example:

    ```python
    train, test = (keras.ops.convert_to_numpy(model.encode(part.x).mean) for part in parts)
    linear_probe(train, data.train.y, test, data.test.y)
    ```

    Reference:
        - [Alain and Bengio, 2016](https://arxiv.org/abs/1610.01644)
    """
    z, y, z_test, y_test = map(np.asarray, (z, y, z_test, y_test))
    is_right = z.ndim == z_test.ndim == 2 and z.shape[1] == z_test.shape[1]
    if not is_right or y.shape != z.shape[:1] or y_test.shape != z_test.shape[:1]:
        raise ValueError(
            "`z` and `z_test` must be codes (N, D), and `y` and `y_test` a label for each. "
            f"Received: shapes {z.shape}, {y.shape}, {z_test.shape} and {y_test.shape}."
        )
    if len(np.unique(y)) < 2:
        raise ValueError(f"`y` must hold several labels. Received: {np.unique(y)} only.")
    return float(np.mean(fitted_classifier(z, y)(z_test) == y_test))


def fitted_classifier(z: np.ndarray, y: np.ndarray) -> LinearClassifier:
    """Fits a logistic regression by accelerated gradient descent.

    The step size is the inverse of a bound on the curvature, so it converges without a line search
    (Nesterov's method, with constant momentum for strongly convex costs).

    Args:
        z: Array (N, D).
        y: Integer array (N,).
    """
    z = np.asarray(z, "float64")
    mean, scale = z.mean(axis=0), z.std(axis=0)
    # A constant feature becomes 0 instead of amplified noise.
    scale = np.where(scale > 1e-12, scale, 1.0)
    inputs = np.column_stack([(z - mean) / scale, np.ones(len(z))])
    classes, index = np.unique(y, return_inverse=True)
    targets = np.eye(len(classes))[index]
    curvature = 0.5 * np.linalg.norm(inputs, 2) ** 2 / len(inputs) + _PENALTY
    momentum = (np.sqrt(curvature) - np.sqrt(_PENALTY)) / (np.sqrt(curvature) + np.sqrt(_PENALTY))
    weights = ahead = np.zeros((inputs.shape[1], len(classes)))
    for _ in range(_NUM_STEPS):
        logits = inputs @ ahead
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        gradient = inputs.T @ (shares - targets) / len(inputs) + _PENALTY * ahead
        before, weights = weights, ahead - gradient / curvature
        ahead = weights + momentum * (weights - before)
    return LinearClassifier(weights[:-1], weights[-1], mean, scale, classes)
