"""The marginal log-likelihood of models with a latent variable, by importance sampling."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.batching import padded_batches
from keras_vae.checks import check_choice
from keras_vae.checks import check_count
from keras_vae.typing import Array

NUM_SAMPLES = 1000  # unless told otherwise
MAX_CHUNK = 250  # importance samples decoded at once
_PROPOSALS = {"posterior": "log_importance_weights", "prior": "log_prior_weights"}
MAX_NUMBERS = 4_000_000  # elements of x that a chunk decodes: 16 MB an activation of that size


def log_likelihood(
    model: keras.Model,
    x: Array,
    condition: Array = None,
    num_samples: int | None = None,
    seed: int | None = None,
    proposal: str = "posterior",
    verbose: int = 0,
) -> np.ndarray:
    """Estimates log p(x); see `LatentVariableModel.log_likelihood`, whose arguments these are.

    Args:
        model: model with `log_importance_weights` and `log_prior_weights`.
    """
    num_samples = NUM_SAMPLES if num_samples is None else check_count("num_samples", num_samples)
    check_choice("proposal", proposal, list(_PROPOSALS))
    x, *conditions = model.check_inputs(x, condition)
    x = np.asarray(x, "float32")
    chunk = min(num_samples, MAX_CHUNK)
    batch_size = max(1, min(len(x), MAX_NUMBERS // (chunk * math.prod(x.shape[1:]))))
    log_weights = getattr(model, _PROPOSALS[proposal])
    estimate = model.jitted(_summed_weights(model, log_weights, chunk))
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


def _summed_weights(model, log_weights, chunk):
    """Returns a function: log of the sum of the first `wanted` of `chunk` importance weights."""

    def summed(wanted, x, condition=None):
        log_w = log_weights(x, chunk, model.embedded(condition))  # (chunk, B)
        counts = ops.arange(chunk)[:, None] < wanted
        return ops.logsumexp(ops.where(counts, log_w, -math.inf), axis=0)

    return summed
