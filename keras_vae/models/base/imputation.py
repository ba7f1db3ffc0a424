"""Fills the gaps of examples, by importance resampling of z."""

import math
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import check_memory
from keras_vae.batching import padded_batches
from keras_vae.checks import check_choice
from keras_vae.checks import check_count
from keras_vae.checks import check_num_draws
from keras_vae.models.base.importance_sampling import sizes_at_once
from keras_vae.noise import check_seed
from keras_vae.table_schema import TableSchema
from keras_vae.typing import Array

# Values of `encode_gives` with which each proposal can draw z.
_ENCODINGS = {"posterior": ("posterior",), "prior": ("posterior", "point")}


class Imputation(NamedTuple):
    """Examples whose gaps are filled; see `LatentVariableModel.impute`.

    Attributes:
        values: NumPy array (N, S), float32.
        spread: NumPy array (N, S), 0 where x is observed.
        draws: NumPy array (num_draws, N, S).
    """

    values: np.ndarray
    spread: np.ndarray
    draws: np.ndarray


class ImpossibleRowError(ValueError):
    """The observed values of a row have no probability for any z, so they say nothing about its
    gaps.

    Args:
        row: Integer, the row's place in `x`, counted from 0.
        name: String, what the message calls the row, or `None` for its place in `x`.
    """

    def __init__(self, row: int, name: str | None = None) -> None:
        super().__init__(row, name)
        self.row, self.name = row, name

    def __str__(self) -> str:
        return (
            f"{self.name or f'Row {self.row} of `x`, counted from 0,'} has values that the model "
            "considers impossible, so they say nothing about its gaps. Probably one of them, such "
            "as 1e20, stands for a missing value. Replace it with NaN."
        )


def impute(
    model: keras.Model,
    x: Array,
    condition: Array = None,
    num_samples: int = 1000,
    num_draws: int = 0,
    seed: int | None = 0,
    proposal: str = "posterior",
) -> Imputation:
    """Returns x without gaps; see `LatentVariableModel.impute`.

    Args:
        model: `LatentVariableModel`.
    """
    if not model.allows_missing:
        raise ValueError(
            f"This {type(model).__name__} takes no gaps, so nothing can be imputed. Expected: a "
            'likelihood for which NaN means "not observed". Received: '
            f"{type(model.likelihood).__name__}. Use ColumnsLikelihood(schema), or "
            "ObservedLikelihood(likelihood)."
        )
    num_samples = check_num_draws("num_samples", num_samples)
    num_draws = check_count("num_draws", num_draws, least=0)
    seed = check_seed(seed)
    check_choice("proposal", proposal, tuple(_ENCODINGS))
    if model.encode_gives not in _ENCODINGS[proposal]:
        raise ValueError(
            f"{type(model).__name__} cannot impute by draws of the {proposal}. Expected: a model "
            f"whose `encode` gives a {' or '.join(_ENCODINGS[proposal])}, such as VAE. Received: "
            f"one whose `encode` gives {model.encode_gives!r}."
        )
    x, *conditions = model.check_inputs(x, condition)
    x = np.asarray(x, "float32")
    imputed = Imputation(x.copy(), np.zeros_like(x), np.repeat(x[None], num_draws, axis=0))
    rows = np.flatnonzero(np.isnan(x).any(axis=tuple(range(1, x.ndim))))
    if not len(rows):
        return imputed
    x, *conditions = (a[rows] for a in (x, *conditions))
    chunk, batch_size = sizes_at_once(model, num_samples, x)
    size = 2 * math.prod(x.shape[1:]) + math.prod(model.latent_shape_of(x))
    check_memory("num_samples", num_samples, (batch_size, size))

    def weighted(x, condition=None):
        return _weighted_draws(model, x, model.embedded(condition), chunk, proposal)

    def redrawn(z, x, condition=None):
        likelihood = _decoded(model, x, z, model.embedded(condition))
        return _by_draw(likelihood.sample(model.noise.stream(training=False)), z, x)

    run = model.jitted_once(("impute", proposal, chunk), weighted)
    redraws_at_once = max(1, min(chunk, num_draws))
    redraw = model.jitted_once(("impute_draws", redraws_at_once), redrawn)
    rng = np.random.default_rng(seed)
    with model.noise.seeded(seed):
        for batch, count in padded_batches([x, *conditions], batch_size):
            these, rows = rows[:count], rows[count:]
            parts = [run(*batch) for _ in range(0, num_samples, chunk)]
            log_w, z, means, draws = (
                np.concatenate(part)[:num_samples] for part in zip(*parts, strict=True)
            )
            weights = _weights(log_w)
            _check_possible(weights[:, :count], these)
            draws = model.likelihood.within_range(draws)
            values, spread = _filled(batch[0], weights, means, draws, model.likelihood)
            imputed.values[these], imputed.spread[these] = values[:count], spread[:count]
            # x is drawn anew, so that a z that is chosen twice gives two different rows.
            chosen = z[_chosen(weights, num_draws, rng), np.arange(len(values))]
            whole = [np.zeros((0, *values.shape), "float32")]
            for (part,), num_parts in padded_batches([chosen], redraws_at_once):
                new = model.likelihood.within_range(redraw(part, *batch)[:num_parts])
                whole.append(np.where(np.isnan(batch[0]), new, batch[0]))
            imputed.draws[:, these] = np.concatenate(whole)[:, :count]
    return imputed


def sample_rows(
    model: keras.Model,
    schema: TableSchema,
    num_samples: int,
    where: Mapping[str, Any] | None = None,
    seed: int | None = None,
    prepare: Callable[[np.ndarray], np.ndarray] | None = None,
    restore: Callable[[np.ndarray], np.ndarray] | None = None,
) -> dict[str, list]:
    """Returns new rows of a table, a dict of lists, each number within the range of its column.

    Args:
        model: `LatentVariableModel` of the rows of a table.
        schema: `TableSchema` of these rows.
        num_samples: Integer, N.
        where: Dict from columns to the values that all rows have there. The other columns are drawn
            given these, by resampling draws from the prior.
        seed: Integer in [0, 2**31), or `None` for fresh noise.
        prepare: Function that was applied to encoded rows (N, C) before training.
        restore: Function of rows (N, C) that undoes `prepare`.

    Raises:
        ValueError: If `num_samples` is not a positive integer, or `where` names another column or a
            value that the column cannot have.
    """
    num_samples, where = check_count("num_samples", num_samples), dict(where or {})
    for name in where:
        schema.index(name)
    if where:
        given = schema.encode({name: [where.get(name)] for name in schema.names})
        x = model.impute(
            given if prepare is None else prepare(given),
            num_samples=max(5000, 10 * num_samples),
            num_draws=num_samples,
            seed=seed,
            proposal="prior",
        ).draws[:, 0]
    else:
        x = model.sample(num_samples, seed=seed, from_likelihood=True)
    rows = schema.decode(schema.clipped(x if restore is None else restore(x)))
    return rows | {name: [value] * num_samples for name, value in where.items()}


def _weighted_draws(model, x, c, num_samples, proposal):
    """Returns log w (K, B) for K draws of z, these z, and means and draws of p(x|z), (K, B, S)."""
    stream = model.noise.stream(training=False)
    prior = model.prior_given(c)
    if proposal == "prior":
        z = model.draws_of_prior(prior, num_samples, x)
        log_w = model.log_p_x(x, z, c)
    else:
        posterior = model.infer(x, c)
        z = posterior.sample(stream, num_samples)
        log_w = model.log_p_x(x, z, c) + prior.log_prob(z) - posterior.log_prob(z)
    likelihood = _decoded(model, x, z, c)
    return log_w, z, *(_by_draw(v, z, x) for v in (likelihood.mean, likelihood.sample(stream)))


def _decoded(model, x, z, c):
    """Returns p(x|z) for draws z (K, B, ...), a distribution over (KB, S)."""
    rows = ops.reshape(z, (-1, *z.shape[2:]))
    c = None if c is None else ops.tile(c, (z.shape[0], *[1] * (len(c.shape) - 1)))
    return model.generate(rows, c, like=x)


def _by_draw(values, z, x):
    """Returns values (KB, S) for draws z (K, B, ...) as (K, B, S)."""
    return ops.reshape(ops.cast(values, "float32"), (z.shape[0], -1, *x.shape[1:]))


def _weights(log_w):
    """Returns the weights (K, B) of draws, which sum to 1; NaN where no draw is possible."""
    log_w = np.nan_to_num(log_w.astype("float64"), nan=-np.inf, neginf=-np.inf)
    with np.errstate(invalid="ignore"):
        weights = np.exp(log_w - log_w.max(axis=0))
        return weights / weights.sum(axis=0)


def _check_possible(weights, rows):
    """Raises `ImpossibleRowError` for a row whose given values have no probability for any z."""
    if len(impossible := rows[np.isnan(weights).any(axis=0)]):
        raise ImpossibleRowError(int(impossible[0]))


def _filled(x, weights, means, draws, likelihood):
    """Returns values (B, S) and their spread."""
    is_missing = np.isnan(x)
    # Clipped for each z, as a wide log-normal of one z with little weight would dominate the mean.
    mean = _average(weights, likelihood.within_range(means))
    spread = np.sqrt(_average(weights, np.square(draws - mean)))
    values = likelihood.rounded(mean)
    is_nominal, is_ordinal = (
        np.broadcast_to(kind(x.shape[1:]), x.shape)
        for kind in (likelihood.is_nominal, likelihood.is_ordinal)
    )
    for index in zip(*np.nonzero(is_missing & (is_nominal | is_ordinal)), strict=True):
        row, *place = index
        votes = np.bincount(draws[(slice(None), row, *place)].astype(int), weights[:, row])
        if is_ordinal[index]:
            values[index] = votes.cumsum().searchsorted(0.5)  # the median
        else:
            values[index], spread[index] = votes.argmax(), 1.0 - votes.max()
    return np.where(is_missing, values, x), np.where(is_missing, spread, 0.0).astype("float32")


def _average(weights, values):
    """Returns the weighted mean over K of values (K, B, S), float32."""
    return np.einsum("kb,kb...->b...", weights, values).astype("float32")


def _chosen(weights, num_draws, rng):
    """Returns the indices of draws (num_draws, B), each with the probability of its weight."""
    cumulative = weights.cumsum(axis=0)
    u = rng.random((num_draws, weights.shape[1])) * cumulative[-1]
    rows = zip(cumulative.T, u.T, strict=True)
    return np.stack([np.searchsorted(*row) for row in rows], axis=1)
