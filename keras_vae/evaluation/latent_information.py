"""What the KL term of the ELBO is made of: information about x, and misfit to the prior."""

import math
import warnings
from typing import NamedTuple

import numpy as np

from keras_vae.evaluation.aggregate_posterior import draw_posteriors
from keras_vae.evaluation.latent_usage import check_gaussian

NEAR_BOUND = 0.9  # part of log N from which a warning is given


class KLSplit(NamedTuple):
    """`kl = mutual_information + aggregate_kl`, see `kl_split`.

    Attributes:
        kl: mean of KL(q(z|x) || p(z)), nats.
        mutual_information: I_q(x; z), nats, at most log N.
        aggregate_kl: KL(q(z) || p(z)), nats.
        standard_errors: dict, name -> standard error of each, over the examples.
        num_examples: int, N.
    """

    kl: float
    mutual_information: float
    aggregate_kl: float
    standard_errors: dict
    num_examples: int


class TotalCorrelationSplit(NamedTuple):
    """`kl = mutual_information + total_correlation + dimension_wise_kl`, see
    `total_correlation_split`.

    Attributes:
        kl: mean of KL(q(z|x) || p(z)), nats.
        mutual_information: I_q(x; z), nats, at most log N.
        total_correlation: KL(q(z) || prod_j q(z_j)), nats.
        dimension_wise_kl: sum_j KL(q(z_j) || p(z_j)), nats.
        standard_errors: dict, name -> standard error of each, over the examples.
        num_examples: int, N.
    """

    kl: float
    mutual_information: float
    total_correlation: float
    dimension_wise_kl: float
    standard_errors: dict
    num_examples: int


def kl_split(model, x, num_samples=1, *, seed=0, condition=None):
    """Splits the KL term of the ELBO into mutual information and the aggregate's KL:

        1/N sum_n KL(q(z|x_n) || p(z)) = I_q(x; z) + KL(q(z) || p(z)),   q(z) = 1/N sum_n q(z|x_n)

    The first part is what z tells about x; the second, how far the codes of all the data together
    lie from the prior, which is what a better prior can gain. q(z) is the exact mixture of the N
    posteriors given: a number depends on N, and is compared at equal N only.

    The information that tells N examples apart is at most log N, and in expectation below that
    of the whole population; `aggregate_kl` is too large by as much. A warning is given where the
    estimate is above nine tenths of log N, and says little more than N.

    `kl` is in closed form where there is one, the other two are Monte Carlo estimates. The work
    grows as N^2: 10,000 examples in 50 dimensions take seconds.

    Args:
        model: model with a diagonal Gaussian posterior, and any prior p(z).
        x: array (N, S), at least two examples.
        num_samples: int, draws of z from each q(z|x_n).
        seed: int, the same draws again on every backend; `None` for fresh ones.
        condition: conditions (N, ...) of a conditional model, counted as a part of x.

    Returns:
        `KLSplit`, in nats, with standard errors.

    Raises:
        ValueError: fewer than two examples, a bad `num_samples`, a posterior that is not Gaussian,
            or a prior p(z|c), from which q(z) has no KL divergence.

    Example:

    ```python
    split = kl_split(model, x_test)
    print(split.mutual_information, "of at most", np.log(split.num_examples), "nats")
    ```

    Reference: Hoffman, Johnson 2016, "ELBO surgery: yet another way to carve up the variational
    evidence lower bound", section 2; for the aggregate, Makhzani et al. 2016, "Adversarial
    Autoencoders".
    """
    draws = draw_posteriors(model, x, num_samples, seed, condition)
    _one_prior(model, draws)
    kl, information = draws.kl(model), _information(draws)
    parts = {"kl": kl, "mutual_information": information, "aggregate_kl": kl - information}
    return KLSplit(**_summary(parts))


def total_correlation_split(model, x, num_samples=1, *, seed=0, condition=None):
    """Splits the KL term into mutual information, total correlation and dimension-wise KL:

        kl = I_q(x; z) + KL(q(z) || prod_j q(z_j)) + sum_j KL(q(z_j) || p(z_j))   (equation 2)

    The total correlation says how far from independent the latent dimensions are, over all of
    the data: low where they are disentangled. As in `kl_split`, of whose `aggregate_kl` the last
    two are the parts, q(z) and q(z_j) are exact mixtures of the N posteriors given. D times the
    work of `kl_split`: seconds for 2,000 examples in 50 dimensions, minutes for 10,000.

    Args:
        model: model with a diagonal Gaussian posterior and prior.
        x: array (N, S), at least two examples.
        num_samples: int, draws of z from each q(z|x_n).
        seed: int, the same draws again on every backend; `None` for fresh ones.
        condition: conditions (N, ...) of a conditional model, counted as a part of x.

    Returns:
        `TotalCorrelationSplit`, in nats, with standard errors.

    Raises:
        ValueError: as for `kl_split`; or the dimensions of the prior are not independent.

    Reference: Chen et al. 2018, "Isolating Sources of Disentanglement in Variational
    Autoencoders", section 3.
    """
    draws = draw_posteriors(model, x, num_samples, seed, condition)
    check_gaussian(_one_prior(model, draws), "p(z)")
    kl, information = draws.kl(model), _information(draws)
    correlation = np.mean(draws.log_aggregate() - draws.log_marginals(), axis=1)
    parts = {
        "kl": kl,
        "mutual_information": information,
        "total_correlation": correlation,
        "dimension_wise_kl": kl - information - correlation,
    }
    return TotalCorrelationSplit(**_summary(parts))


def mutual_information(model, x, num_samples=1, *, seed=0, condition=None):
    """Estimates I_q(x; z) = E[log q(z|x) - log q(z)], what z tells about x, in nats.

    The same number as in `kl_split`, with the same bound of log N; no prior is needed.

    Args:
        model: model with a diagonal Gaussian posterior.
        x: array (N, S), at least two examples.
        num_samples: int, draws of z from each q(z|x_n).
        seed: int, the same draws again on every backend; `None` for fresh ones.
        condition: conditions (N, ...) of a conditional model, counted as a part of x.

    Returns:
        float, nats: 0 for a collapsed posterior, log N where z tells every example apart.

    Raises:
        ValueError: fewer than two examples, a bad `num_samples`, or a posterior that is not
            Gaussian.

    Reference: Hoffman, Johnson 2016, "ELBO surgery: yet another way to carve up the variational
    evidence lower bound", section 2.
    """
    draws = draw_posteriors(model, x, num_samples, seed, condition)
    return _summary({"mutual_information": _information(draws)})["mutual_information"]


def _information(draws):
    """log q(z|x_n) - log q(z), averaged over the draws of each example: (N,)."""
    # Both at the same draws, so that they cancel where z tells nothing or everything.
    return np.mean(draws.log_posterior() - draws.log_aggregate(), axis=1)


def _one_prior(model, draws):
    """The prior, after checking that it is the same for all examples."""
    condition = [condition[:1] for condition in draws.arrays[1:]]
    prior = model.prior_given(model.embedded(*condition))
    if prior.batch_ndims:
        raise ValueError(
            "The KL term is split against one prior p(z) for all examples. Received: a model with "
            f"a prior given the condition, {prior}. `mutual_information` needs no prior."
        )
    return prior


def _summary(parts):
    """Means of the numbers of each example, and their standard errors."""
    num_examples = len(parts["mutual_information"])
    means = {k: float(np.mean(v)) for k, v in parts.items()}
    errors = {k: float(np.std(v, ddof=1) / math.sqrt(num_examples)) for k, v in parts.items()}
    information, bound = means["mutual_information"], math.log(num_examples)
    if information > NEAR_BOUND * bound:
        warnings.warn(
            f"The mutual information, {information:.2f} nats, is near its bound "
            f"log({num_examples}) = {bound:.2f}: z tells almost all of the examples apart. Take it "
            "as a lower bound, or give more examples.",
            stacklevel=3,
        )
    return {**means, "standard_errors": errors, "num_examples": num_examples}
