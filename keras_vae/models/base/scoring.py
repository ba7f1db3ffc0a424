"""Scores of rows: how likely each is under a model, with the same noise for all of them."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import check_memory
from keras_vae.batching import padded_batches
from keras_vae.checks import check_choice
from keras_vae.checks import check_num_draws
from keras_vae.distributions import DiagonalGaussian
from keras_vae.models.base.importance_sampling import sizes_at_once
from keras_vae.noise import check_seed
from keras_vae.typing import Array

NUM_SAMPLES = 128  # by default
METHODS = ("likelihood", "bound")


def score(
    model: keras.Model,
    x: Array,
    condition: Array = None,
    method: str | None = None,
    num_samples: int | None = None,
    seed: int | None = 0,
) -> np.ndarray:
    """Returns the score of every row; see `GenerativeModel.score`.

    Args:
        model: `LatentVariableModel`.
    """
    method = check_choice("method", "likelihood" if method is None else method, METHODS)
    num_samples = check_num_draws(
        "num_samples", NUM_SAMPLES if num_samples is None else num_samples
    )

    def of_noise(x, noise, c):
        if method == "bound":
            return ops.sum(model.bound_of_noise(x, noise, c), axis=0)
        return ops.logsumexp(model.log_weights_of_noise(x, noise, c), axis=0)

    join = np.add if method == "bound" else np.logaddexp
    total = over_noise(model, ("score", method), of_noise, join, x, condition, num_samples, seed)
    return total / num_samples if method == "bound" else total - math.log(num_samples)


def score_per_feature(
    model: keras.Model,
    x: Array,
    condition: Array = None,
    num_samples: int | None = None,
    seed: int | None = 0,
) -> np.ndarray:
    """Returns the score of every value; see `LatentVariableModel.score_per_feature`.

    Args:
        model: `LatentVariableModel`.
    """
    num_samples = check_num_draws(
        "num_samples", NUM_SAMPLES if num_samples is None else num_samples
    )

    def of_noise(x, noise, c):
        z = model.infer(x, c).sample_from(noise)
        return ops.sum(model.log_p_of_elements(x, z, c), axis=0)

    key = ("score_per_feature",)
    return over_noise(model, key, of_noise, np.add, x, condition, num_samples, seed) / num_samples


def over_noise(
    model: keras.Model,
    key: tuple,
    of_noise: Callable,
    join: np.ufunc,
    x: Array,
    condition: Array,
    num_samples: int,
    seed: int | None,
) -> np.ndarray:
    """Returns the values of a function over all rows and draws of noise, float64 (N, ...).

    The noise comes from NumPy, so it is the same on every backend. It is the same for every row.

    Args:
        model: `LatentVariableModel`.
        key: Tuple that identifies everything `of_noise` depends on besides the model.
        of_noise: Function of x (B, S), noise (K, D) and c that returns a tensor (B, ...).
        join: NumPy ufunc that combines the results for two parts of the noise.
        x, condition: What the user passed.
        num_samples: Integer, the number of draws.
        seed: Integer, or `None` for fresh noise.
    """
    seed = check_seed(seed)
    x, *conditions = model.check_inputs(x, condition)
    x = np.asarray(x, "float32")
    _check_posterior(model, x, conditions)
    chunk, batch_size = sizes_at_once(model, num_samples, x)

    def run_of(size):
        def of_batch(noise, x, condition=None):
            return of_noise(x, noise, model.embedded(condition))

        return model.jitted_once((*key, size), of_batch)

    latent_shape = model.latent_shape_of(x)
    check_memory("num_samples", num_samples, latent_shape)
    noise = shared_noise(num_samples, latent_shape, seed)
    parts = [noise[start : start + chunk] for start in range(0, num_samples, chunk)]
    pieces = []
    for batch, count in padded_batches([x, *conditions], batch_size):
        found = [np.asarray(run_of(len(part))(part, *batch), "float64") for part in parts]
        pieces.append(join.reduce(found, axis=0)[:count])
    return np.concatenate(pieces)


def shared_noise(num_samples: int, latent_shape: Any, seed: int) -> np.ndarray:
    """Returns standard normal noise (K, D), float32, in pairs of opposite signs."""
    rng = np.random.default_rng(seed)
    half = rng.standard_normal(((num_samples + 1) // 2, *latent_shape), "float32")
    return np.stack([half, -half], axis=1).reshape(-1, *latent_shape)[:num_samples]


def _check_posterior(model, x, conditions):
    is_gaussian = model.encode_gives == "posterior" and isinstance(
        model.encode(x[:1], *[c[:1] for c in conditions]), DiagonalGaussian
    )
    if not is_gaussian:
        raise NotImplementedError(
            f"{type(model).__name__} has no Gaussian q(z|x), which scores need. Use "
            "`log_likelihood(x)`, whose draws differ from row to row."
        )
