"""Expectation-maximisation for a mixture of diagonal Gaussians, in float64 NumPy."""

import math
from typing import NamedTuple

import numpy as np

SMALLEST_GAIN = 1e-4  # nats per row, below which an update was the last
VARIANCE_FLOOR = 1e-3  # of the variance of all rows; keeps a component off a single row
CHUNK_SIZE = 2**22  # numbers held at once for chunk rows x K components


class Statistics(NamedTuple):
    """What the E step knows of all rows.

    Attributes:
        counts: (K,), expected number of rows of each component.
        sums, squares: (K, D), sums of its rows and of their squares.
        log_likelihood: float, mean over rows, nats.
    """

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    log_likelihood: float


def fit_mixture(z, num_components, num_iterations, rng):
    """Fits a mixture of K Gaussians with diagonal covariances to the rows of z.

    Args:
        z: float64 array (N, D).
        num_components: int, K, at most N.
        num_iterations: int, the most updates made.
        rng: `numpy.random.Generator`.

    Returns:
        Tuple: log-weights (K,), means (K, D), variances (K, D), and the list of the mean
        log-likelihoods, nats per row, at the start and after each update.
    """
    center = z.mean(axis=0)
    z = z - center  # keeps the digits of squares
    floor = VARIANCE_FLOOR * z.var(axis=0) + 1e-12
    log_weights, means, variances = initial_mixture(z, num_components, floor, rng)
    log_likelihoods = []
    while True:
        statistics = expectation(z, log_weights, means, variances)
        log_likelihoods.append(statistics.log_likelihood)
        gain = math.inf if len(log_likelihoods) < 2 else log_likelihoods[-1] - log_likelihoods[-2]
        if len(log_likelihoods) > num_iterations or gain < SMALLEST_GAIN:
            return log_weights, means + center, variances, log_likelihoods
        log_weights, means, variances = maximization(statistics, means, variances, floor)


def initial_mixture(z, num_components, floor, rng):
    """Returns log-weights, means and variances to start from.

    The means are rows drawn one after the other, each with a probability proportional to its
    squared distance to the nearest one before (k-means++). All components share the variance
    around the nearest mean.
    """
    means = np.empty((num_components, z.shape[1]))
    distance = np.ones(len(z))  # squared, to the nearest mean
    nearest = np.zeros(len(z), "int64")
    for k in range(num_components):
        total = distance.sum()
        chosen = rng.choice(len(z), p=distance / total if total else None)
        means[k] = z[chosen]
        to_this = np.square(z - means[k]).sum(axis=1)
        closer = to_this < distance if k else np.ones(len(z), bool)
        distance[closer], nearest[closer] = to_this[closer], k
    variance = np.square(z - means[nearest]).mean(axis=0)
    variances = np.tile(np.maximum(variance, floor), (num_components, 1))
    return np.full(num_components, -math.log(num_components)), means, variances


def expectation(z, log_weights, means, variances):
    """The E step, chunk by chunk: returns `Statistics` of z under the mixture."""
    precisions = 1.0 / variances  # (K, D)
    log_peaks = log_weights - 0.5 * np.log(2.0 * math.pi * variances).sum(axis=1)
    constants = log_peaks - 0.5 * (np.square(means) * precisions).sum(axis=1)
    counts, sums, squares = np.zeros(len(means)), np.zeros_like(means), np.zeros_like(means)
    log_likelihood = 0.0
    size = max(1, CHUNK_SIZE // len(means))
    for start in range(0, len(z), size):
        chunk = z[start : start + size]
        squared = np.square(chunk)
        log_joint = chunk @ (means * precisions).T - 0.5 * squared @ precisions.T + constants
        largest = log_joint.max(axis=1, keepdims=True)
        responsibilities = np.exp(log_joint - largest)
        totals = responsibilities.sum(axis=1, keepdims=True)
        responsibilities /= totals  # (chunk, K)
        log_likelihood += (largest + np.log(totals)).sum()
        counts += responsibilities.sum(axis=0)
        sums += responsibilities.T @ chunk
        squares += responsibilities.T @ squared
    return Statistics(counts, sums, squares, float(log_likelihood / len(z)))


def maximization(statistics, means, variances, floor):
    """The M step: returns new log-weights, means and variances, none of them below `floor`.

    A component without rows keeps its mean and variance.
    """
    counts = np.maximum(statistics.counts, 1e-300)
    has_rows = (counts > 1e-8)[:, None]
    new_means = np.where(has_rows, statistics.sums / counts[:, None], means)
    spread = statistics.squares / counts[:, None] - np.square(new_means)
    new_variances = np.where(has_rows, np.maximum(spread, floor), variances)
    return np.log(counts / counts.sum()), new_means, new_variances
