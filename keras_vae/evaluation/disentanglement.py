"""How well single latent dimensions represent single factors of variation."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_vae.checks import check_count
from keras_vae.evaluation.linear_probe import fitted_classifier
from keras_vae.typing import Array

_LOWEST_SPREAD = 1e-12  # a dimension with a smaller spread counts as constant


class DCI(NamedTuple):
    """The scores that `dci` returns, each in [0, 1].

    Attributes:
        disentanglement: Float, 1 if each dimension matters to one factor only.
        completeness: Float, 1 if each factor is captured by one dimension only.
        informativeness: Float, the accuracy with which held-out factors are predicted, averaged
            over factors.
        importance: NumPy array (D, F), how much dimension j matters to factor k.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: np.ndarray


def mutual_information_gap(z: Array, factors: Array, num_bins: int = 20) -> float:
    """Computes the MIG: how much more the best dimension tells about a factor than the second best:

        1/F sum_k [I(z_best; v_k) - I(z_second; v_k)] / H(v_k)

    Each z_j is divided into `num_bins` bins of equal width, and information is computed from
    counts.

    Args:
        z: Array (N, D) of codes, D at least 2, such as the means of q(z|x).
        factors: Integer array (N, F), the true factors of each example.
        num_bins: Integer of at least 2.

    Returns:
        Float, from 0 to 1.

    Raises:
        ValueError: If the arrays do not fit each other, or a factor has a single value.

    Example:

    ```python
    z = keras.ops.convert_to_numpy(model.encode(x).mean)
    mutual_information_gap(z, factors)
    ```

    Reference:
        - [Chen et al., 2018](https://arxiv.org/abs/1802.04942), equation 6
    """
    z, factors = _checked(z, factors, least_dims=2)
    num_bins = check_count("num_bins", num_bins, least=2)
    bins = [_binned(column, num_bins) for column in z.T]
    gaps = []
    for factor in factors.T:
        information = sorted(_information(codes, factor) for codes in bins)
        gaps.append((information[-1] - information[-2]) / _information(factor, factor))
    return float(np.mean(gaps))


def dci(z: Array, factors: Array, seed: int = 0) -> DCI:
    """Computes disentanglement, completeness and informativeness of codes.

    A linear classifier (logistic regression, on codes of unit variance) predicts each factor from
    all of z. The importance of z_j for factor k is the mean absolute value of its weights there.
    Classifiers are fitted to one half of the examples, drawn with `seed`, and their accuracies are
    measured on the other half. The paper uses lassos and random forests, which give other numbers.

    Args:
        z: Array (N, D) of codes.
        factors: Integer array (N, F).
        seed: Integer.

    Returns:
        `DCI`.

    Raises:
        ValueError: If the arrays do not fit each other, or a factor has a single value.

    Reference:
        - [Eastwood and Williams, 2018](https://openreview.net/forum?id=By-7dz-AZ), section 2
    """
    z, factors = _checked(z, factors)
    order = np.random.default_rng(seed).permutation(len(z))
    train, test = order[: len(z) // 2], order[len(z) // 2 :]
    importance, accuracies = np.zeros((z.shape[1], factors.shape[1])), []
    for k, factor in enumerate(factors.T):
        importance[:, k] = np.abs(fitted_classifier(z, factor).weights).mean(axis=1)
        of_half = fitted_classifier(z[train], factor[train])
        accuracies.append(np.mean(of_half(z[test]) == factor[test]))
    whole = max(importance.sum(), np.finfo("float64").tiny)
    of_dims = 1 - _entropies(importance) / np.log(max(importance.shape[1], 2))
    of_factors = 1 - _entropies(importance.T) / np.log(max(importance.shape[0], 2))
    return DCI(
        disentanglement=float(of_dims @ importance.sum(axis=1) / whole),
        completeness=float(of_factors @ importance.sum(axis=0) / whole),
        informativeness=float(np.mean(accuracies)),
        importance=importance,
    )


def factor_vae_score(
    z: Array,
    factors: Array,
    num_votes: int = 800,
    batch_size: int = 64,
    seed: int = 0,
    min_variance: float = 0.05,
) -> float:
    """Computes the score of the FactorVAE paper: the accuracy of a majority vote.

    A vote takes `batch_size` examples that share the value of one factor. The dimension that varies
    least among them, relative to its variance over all examples, votes for that factor. Half of the
    votes determine which factor each dimension represents, and the other half is scored. Unused
    dimensions do not vote.

    Args:
        z: Array (N, D) of codes.
        factors: Integer array (N, F) in which each value of each factor occurs several times.
        num_votes: Integer of at least 2.
        batch_size: Integer of at least 2.
        seed: Integer.
        min_variance: Float, the variance over all examples that a dimension needs to vote. 0.05 is
            meant for the means of q(z|x) under a prior of unit variance.

    Returns:
        Float, the accuracy; by chance it is 1 / F.

    Raises:
        ValueError: If the arrays do not fit each other, or a factor has a single value.

    Reference:
        - [Kim and Mnih, 2018](https://arxiv.org/abs/1802.05983), section 4
    """
    z, factors = _checked(z, factors)
    spread = z.var(axis=0)
    voters = np.flatnonzero(spread > max(min_variance, _LOWEST_SPREAD))
    if not len(voters):
        return 1 / factors.shape[1]

    def vote(rows):
        return int(voters[np.argmin(z[rows][:, voters].var(axis=0) / spread[voters])])

    found, truth = _rounds(factors, num_votes, batch_size, seed, vote)
    half = len(found) // 2
    counts = np.zeros((z.shape[1], factors.shape[1]))
    np.add.at(counts, (found[:half], truth[:half]), 1)
    return float(np.mean(counts.argmax(axis=1)[found[half:]] == truth[half:]))


def beta_vae_score(
    z: Array, factors: Array, num_rounds: int = 1000, batch_size: int = 64, seed: int = 0
) -> float:
    """Computes the score of the beta-VAE paper: the accuracy of a linear classifier.

    A round draws pairs of examples that share the value of one factor. From the mean of |z - z'|
    over the pairs, a linear classifier predicts which factor it is. It is trained on half of the
    rounds and scored on the other half.

    Args:
        z: Array (N, D) of codes.
        factors: Integer array (N, F).
        num_rounds: Integer of at least 2.
        batch_size: Integer of at least 2, twice the number of pairs in a round.
        seed: Integer.

    Returns:
        Float, the accuracy; by chance it is 1 / F.

    Raises:
        ValueError: If the arrays do not fit each other, or a factor has a single value.

    Reference:
        - [Higgins et al., 2017](https://openreview.net/forum?id=Sy2fzU9gl), section 3
    """
    z, factors = _checked(z, factors)
    z = (z - z.mean(axis=0)) / np.maximum(z.std(axis=0), _LOWEST_SPREAD**0.5)

    def difference(rows):
        half = len(rows) // 2
        return np.abs(z[rows[:half]] - z[rows[half : 2 * half]]).mean(axis=0)

    found, truth = _rounds(factors, num_rounds, batch_size, seed, difference)
    half = len(found) // 2
    classifier = fitted_classifier(found[:half], truth[:half])
    return float(np.mean(classifier(found[half:]) == truth[half:]))


def _rounds(factors, num_rounds, batch_size, seed, take: Callable):
    """Returns `take` of the rows of batches that share one factor, and the index of the factor."""
    num_rounds = check_count("num_rounds", num_rounds, least=2)
    batch_size = check_count("batch_size", batch_size, least=2)
    rng = np.random.default_rng(seed)
    truth = rng.integers(factors.shape[1], size=num_rounds)
    found = []
    for k in truth:
        value = factors[rng.integers(len(factors)), k]
        rows = rng.choice(np.flatnonzero(factors[:, k] == value), batch_size)
        found.append(take(rows))
    return np.array(found), truth


def _checked(z, factors, least_dims=1):
    z, factors = np.asarray(z, "float64"), np.asarray(factors)
    factors = factors[:, None] if factors.ndim == 1 else factors
    fit = z.ndim == factors.ndim == 2 and len(z) == len(factors) >= 2 and z.shape[1] >= least_dims
    if not fit or not np.isfinite(z).all() or not np.issubdtype(factors.dtype, np.integer):
        raise ValueError(
            f"`z` must be finite numbers (N, D) with D at least {least_dims}, and `factors` "
            f"integers (N, F). Received: shapes {z.shape} and {factors.shape}, {factors.dtype}."
        )
    constant = [k for k, factor in enumerate(factors.T) if len(np.unique(factor)) < 2]
    if constant:
        raise ValueError(
            f"Each of `factors` must take several values. Received: one value in the columns "
            f"{constant}."
        )
    return z, factors


def _binned(column, num_bins):
    if np.ptp(column) < _LOWEST_SPREAD:
        return np.zeros(len(column), int)
    edges = np.histogram_bin_edges(column, num_bins)[1:-1]
    return np.digitize(column, edges)


def _information(first, second):
    """Mutual information of two arrays (N,) of integers, in nats."""
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    is_seen = joint > 0
    return float(np.sum(joint[is_seen] * np.log(joint[is_seen] / product[is_seen])))


def _entropies(rows):
    """Entropy of each row as a distribution, in nats."""
    shares = rows / np.maximum(rows.sum(axis=1, keepdims=True), np.finfo("float64").tiny)
    return -np.sum(shares * np.log(np.where(shares > 0, shares, 1)), axis=1)
