"""Fills the gaps of examples, by importance resampling of z."""

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
    chunk, batch_size = sizes_at_once(model, num_samples, x)
    check_memory("num_samples", num_samples, (2, batch_size, *x.shape[1:]))

    def weighted(x, condition=None):
        return _weighted_draws(model, x, model.embedded(condition), chunk, proposal)

    run = model.jitted_once(("impute", proposal, chunk), weighted)
    rng = np.random.default_rng(seed)
    is_nominal = model.likelihood.is_nominal(model.data_shape)
    filled = []
    with model.noise.seeded(seed):
        for batch, count in padded_batches([x, *conditions], batch_size):
            parts = [run(*batch) for _ in range(0, num_samples, chunk)]
            log_w, means, draws = (
                np.concatenate(part)[:num_samples, :count] for part in zip(*parts, strict=True)
            )
            filled.append(
                _filled(batch[0][:count], log_w, means, draws, is_nominal, num_draws, rng)
            )
    all_values, all_spreads, all_drawn = zip(*filled, strict=True)
    return Imputation(
        np.concatenate(all_values),
        np.concatenate(all_spreads),
        np.concatenate(all_drawn, axis=1),
    )


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
    """Returns log w (K, B) for K draws of z, and points and draws of p(x|z), (K, B, S) each."""
    stream = model.noise.stream(training=False)
    prior = model.prior_given(c)
    if proposal == "prior":
        z = model.draws_of_prior(prior, num_samples, x)
        log_w = model.log_p_x(x, z, c)
    else:
        posterior = model.infer(x, c)
        z = posterior.sample(stream, num_samples)
        log_w = model.log_p_x(x, z, c) + prior.log_prob(z) - posterior.log_prob(z)
    rows = ops.reshape(z, (-1, *z.shape[2:]))
    c = None if c is None else ops.tile(c, (num_samples, *[1] * (len(c.shape) - 1)))
    likelihood = model.generate(rows, c)
    point, draws = model.likelihood.point(likelihood), likelihood.sample(stream)
    shape = (num_samples, -1, *model.data_shape)
    return log_w, *(ops.cast(ops.reshape(v, shape), "float32") for v in (point, draws))


def _filled(x, log_w, means, draws, is_nominal, num_draws, rng):
    """Returns values (B, S), their spread, and whole imputations (num_draws, B, S)."""
    weights = np.exp(log_w - log_w.max(axis=0))
    weights /= weights.sum(axis=0)  # (K, B)
    is_missing = np.isnan(x)
    spread_of = weights.reshape(*weights.shape, *[1] * (x.ndim - 1))
    values = np.where(is_missing, np.sum(spread_of * means, axis=0), x)
    centre = np.sum(spread_of * draws, axis=0)
    spread = np.sqrt(np.sum(spread_of * np.square(draws - centre), axis=0))
    for index in zip(*np.nonzero(is_missing & is_nominal), strict=True):
        row, *place = index
        votes = np.bincount(draws[(slice(None), row, *place)].astype(int), weights[:, row])
        values[index], spread[index] = votes.argmax(), 1.0 - votes.max()
    cumulative = weights.cumsum(axis=0)
    chosen = [
        (rng.random(len(x)) * cumulative[-1] > cumulative).sum(axis=0) for _ in range(num_draws)
    ]
    whole = [np.where(is_missing, draws[k, np.arange(len(x))], x) for k in chosen]
    drawn = np.stack(whole) if whole else np.zeros((0, *x.shape), "float32")
    return values.astype("float32"), np.where(is_missing, spread, 0.0).astype("float32"), drawn
