"""Expectation-maximisation for a mixture of diagonal Gaussians, in float64 NumPy."""

import math
from typing import NamedTuple

import numpy as np

SMALLEST_GAIN = 1e-4  # in nats per row; the fit stops once an update gains less
VARIANCE_FLOOR = 1e-3  # of the variance of all rows; keeps components from collapsing onto a row
# For dimensions in which all rows are equal: the smallest that `DiagonalGaussian` does not bound.
SMALLEST_VARIANCE = math.exp(-20.0)
CHUNK_SIZE = 2**22  # the number of elements of one array (rows of a chunk, K components)


class Statistics(NamedTuple):
    """The sufficient statistics that the E step collects over all rows.

    Attributes:
        counts: Array (K,), the expected number of rows of each component.
        sums: Array (K, D), the expected sum of the rows of each component.
        squares: Array (K, D), the expected sum of the squares of the rows of each component.
        log_likelihood: Float, the mean log-likelihood in nats per row.
    """

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    log_likelihood: float


def fit_mixture(
    z: np.ndarray, num_components: int, num_iterations: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[float]]:
    """Fits a mixture of K Gaussians with diagonal covariances to the rows of z.

    Args:
        z: Float64 array (N, D).
        num_components: Integer K, at most N.
        num_iterations: Integer, the maximum number of updates.
        rng: `numpy.random.Generator`.

    Returns:
        Tuple of the log-weights (K,), the means (K, D), the variances (K, D), and the list of the
        mean log-likelihoods, in nats per row, at the start and after each update.
    """
    center = z.mean(axis=0)
    z = z - center  # otherwise E[z^2] - E[z]^2 in `maximization` would lose digits
    floor = np.maximum(VARIANCE_FLOOR * z.var(axis=0), SMALLEST_VARIANCE)
    log_weights, means, variances = initial_mixture(z, num_components, floor, rng)
    log_likelihoods = []
    while True:
        statistics = expectation(z, log_weights, means, variances)
        log_likelihoods.append(statistics.log_likelihood)
        gain = math.inf if len(log_likelihoods) < 2 else log_likelihoods[-1] - log_likelihoods[-2]
        if len(log_likelihoods) > num_iterations or gain < SMALLEST_GAIN:
            return log_weights, means + center, variances, log_likelihoods
        log_weights, means, variances = maximization(statistics, means, variances, floor)


def initial_mixture(
    z: np.ndarray, num_components: int, floor: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the log-weights, means and variances to start from.

    The means are rows drawn one after another, with probabilities proportional to the squared
    distance of each row to the nearest mean so far (k-means++). All components have the same
    variance, that of the rows around their nearest mean.
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
    # A dimension that does not vary would have an infinite density.
    variances = np.tile(np.maximum(variance, floor), (num_components, 1))
    return np.full(num_components, -math.log(num_components)), means, variances


def expectation(
    z: np.ndarray, log_weights: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> Statistics:
    """Performs the E step in chunks of rows, and returns the `Statistics` of z."""
    precisions = 1.0 / variances  # (K, D)
    log_peaks = log_weights - 0.5 * np.log(2.0 * math.pi * variances).sum(axis=1)
    constants = log_peaks - 0.5 * (np.square(means) * precisions).sum(axis=1)
    counts, sums, squares = np.zeros(len(means)), np.zeros_like(means), np.zeros_like(means)
    log_likelihood = 0.0
    size = max(1, CHUNK_SIZE // len(means))
    for start in range(0, len(z), size):
        chunk = z[start : start + size]
        squared = np.square(chunk)
        # log pi_k - 1/2 sum_d [log 2 pi v + (z - m)^2 / v], with the square expanded so that two
        # matrix products compute it without (chunk, K, D) differences.
        log_joint = chunk @ (means * precisions).T - 0.5 * squared @ precisions.T + constants
        # Shifted so that the largest exponential of each row is 1, and none overflows.
        largest = log_joint.max(axis=1, keepdims=True)
        responsibilities = np.exp(log_joint - largest)
        totals = responsibilities.sum(axis=1, keepdims=True)
        responsibilities /= totals  # (chunk, K)
        log_likelihood += (largest + np.log(totals)).sum()
        counts += responsibilities.sum(axis=0)
        sums += responsibilities.T @ chunk
        squares += responsibilities.T @ squared
    return Statistics(counts, sums, squares, float(log_likelihood / len(z)))


def maximization(
    statistics: Statistics, means: np.ndarray, variances: np.ndarray, floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Performs the M step: returns new log-weights, means and variances.

    No variance is below `floor`. A component without rows keeps its mean and variance.
    """
    counts = np.maximum(statistics.counts, 1e-300)  # no division by 0, no log of 0
    has_rows = (counts > 1e-8)[:, None]
    new_means = np.where(has_rows, statistics.sums / counts[:, None], means)
    spread = statistics.squares / counts[:, None] - np.square(new_means)
    new_variances = np.where(has_rows, np.maximum(spread, floor), variances)
    return np.log(counts / counts.sum()), new_means, new_variances
