"""The marginal log-likelihood of models with a latent variable, by importance sampling."""

import contextlib
import math

import keras
import numpy as np
from keras import ops

from keras_vae.batching import padded_batches
from keras_vae.checks import check_choice
from keras_vae.checks import check_num_draws
from keras_vae.models.base import any_size
from keras_vae.typing import Array
from keras_vae.typing import Tensor

NUM_SAMPLES = 1000  # by default
MAX_CHUNK = 250  # importance samples decoded at once
MAX_BYTES = 2**23  # of a chunk's largest activation, so that it stays in the processor's cache
CACHE_BYTES = 2**21  # of p(x|z), if operations are not fused
_PROPOSALS = {"posterior": "log_importance_weights", "prior": "log_prior_weights"}


def log_likelihood(
    model: keras.Model,
    x: Array,
    condition: Array = None,
    num_samples: int | None = None,
    seed: int | None = None,
    proposal: str = "posterior",
    verbose: int = 0,
) -> np.ndarray:
    """Estimates log p(x); see `LatentVariableModel.log_likelihood` for the other arguments.

    Args:
        model: Model with `log_importance_weights` and `log_prior_weights`.
    """
    num_samples = check_num_draws(
        "num_samples", NUM_SAMPLES if num_samples is None else num_samples
    )
    check_choice("proposal", proposal, list(_PROPOSALS))
    x, *conditions = model.check_inputs(x, condition)
    x = np.asarray(x, "float32")
    chunk, batch_size = sizes_at_once(model, num_samples, x)
    log_weights = getattr(model, _PROPOSALS[proposal])
    summed = _summed_weights(model, log_weights, chunk)
    estimate = model.jitted_once(("log_likelihood", proposal, chunk), summed)
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


def sizes_at_once(model: keras.Model, num_samples: int, x: np.ndarray) -> tuple[int, int]:
    """Returns how many draws, for how many of the examples x, are decoded at once."""
    draws_at_once = max(1, MAX_BYTES // _bytes_of_a_draw(model, x.shape[1:]))
    chunk = min(num_samples, MAX_CHUNK, draws_at_once)
    return chunk, min(len(x), draws_at_once // chunk)


def draws_in_cache(x: Tensor) -> int:
    """Returns for how many draws p(x|z) is best computed at once if operations are not fused, so
    that the output of one is still in the cache when the next reads it.

    Args:
        x: Tensor (B, S).
    """
    return max(1, CACHE_BYTES // (4 * math.prod(x.shape)))


def _bytes_of_a_draw(model, data_shape):
    """Returns the bytes of the largest tensor in decoding one z, as far as its layers know their
    shapes, for an example of shape `data_shape`.

    For maps of any size this is an upper bound: a map as large as x.
    """
    shapes = [data_shape]
    for layer in model.decoder._flatten_layers():
        with contextlib.suppress(AttributeError, ValueError):  # not called by a functional model
            shapes += [tensor.shape[1:] for tensor in keras.tree.flatten(layer.output)]
    shapes = [
        (*data_shape[:2], *shape[2:]) if any_size.is_of_any_size(shape) else shape
        for shape in shapes
    ]
    length = data_shape[0]  # any other unknown axis is the length of a sequence
    return 4 * max(math.prod(n or length for n in shape) for shape in shapes)


def _summed_weights(model, log_weights, chunk):
    """Returns a function for the log of the sum of the first `wanted` of `chunk` weights."""

    def summed(wanted, x, condition=None):
        log_w = log_weights(x, chunk, model.embedded(condition))  # (chunk, B)
        counts = ops.arange(chunk)[:, None] < wanted
        return ops.logsumexp(ops.where(counts, log_w, -math.inf), axis=0)

    return summed
