"""The marginal log-likelihood, by importance sampling."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.batching import padded_batches

MAX_CHUNK = 250  # importance samples decoded at once
_PROPOSALS = {"posterior": "log_importance_weights", "prior": "log_prior_weights"}
MAX_NUMBERS = 4_000_000  # elements of x that a chunk decodes: 16 MB an activation of that size


def log_likelihood(
    model, x, num_samples=1000, *, condition=None, proposal="posterior", seed=None, verbose=0
):
    """Estimates log p(x) with `num_samples` draws from q(z|x):

        log p(x) ~ log 1/K sum_k p(x, z_k) / q(z_k|x),   z_k ~ q(z|x)

    In expectation a lower bound, which rises with K towards log p(x); K = 1 is the ELBO. Examples
    and samples are processed in chunks of one compiled shape, so memory does not grow with either.

    Args:
        model: model with `log_importance_weights`.
        x: array (N, S), data within the support of the model's likelihood.
        num_samples: int, K, honoured exactly.
        condition: conditions (N, ...) of a conditional model, whose log p(x|c) is estimated.
        proposal: "posterior", as above; or "prior", z_k ~ p(z) or p(z|c) with the weights p(x|z_k)
            (Sohn et al. 2015, equation 6), which needs many more draws.
        seed: int for the same estimate again, or `None`.
        verbose: 1 shows a progress bar.

    Returns:
        NumPy float64 array (N,), nats. Its mean is the test log-likelihood; `nll` is minus it.

    Raises:
        ValueError: x is not data of this model, `num_samples` is not a positive integer, or the
            proposal is neither of the two.

    Reference: Burda, Grosse, Salakhutdinov 2016, "Importance Weighted Autoencoders", equation 8.
    """
    is_integer = isinstance(num_samples, int | np.integer) and not isinstance(num_samples, bool)
    if not is_integer or num_samples < 1:
        raise ValueError(f"`num_samples` must be a positive integer. Received: {num_samples!r}.")
    if proposal not in _PROPOSALS:
        raise ValueError(f'`proposal` must be "posterior" or "prior". Received: {proposal!r}.')
    x, *conditions = model.check_inputs(x, condition)
    x = np.asarray(x, "float32")
    chunk = min(num_samples, MAX_CHUNK)
    batch_size = max(1, min(len(x), MAX_NUMBERS // (chunk * math.prod(x.shape[1:]))))
    log_weights = getattr(model, _PROPOSALS[proposal])
    estimate = model.jitted(_summed_weights(log_weights, chunk))
    bar = keras.utils.Progbar(len(x), verbose=verbose, unit_name="example")
    totals = []
    with model.noise.seeded(seed):
        for batch, count in padded_batches([x, *conditions], batch_size):
            chunks = [
                estimate(np.int32(min(chunk, num_samples - done)), *batch)
                for done in range(0, num_samples, chunk)
            ]
            total = np.logaddexp.reduce(np.asarray(chunks, "float64"), axis=0)
            totals.append(total[:count] - math.log(num_samples))
            bar.add(count)
    return np.concatenate(totals)


def _summed_weights(log_weights, chunk):
    """Returns a function: log of the sum of the first `wanted` of `chunk` importance weights."""

    def summed(wanted, x, condition=None):
        log_w = log_weights(x, chunk, condition)  # (chunk, B)
        counts = ops.arange(chunk)[:, None] < wanted
        return ops.logsumexp(ops.where(counts, log_w, -math.inf), axis=0)

    return summed
