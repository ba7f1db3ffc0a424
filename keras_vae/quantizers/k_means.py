"""Codes placed on the rows of a batch: sampled from them, or moved to their means."""

import keras
from keras import ops

from keras_vae.quantizers.nearest_codes import nearest_codes
from keras_vae.typing import Tensor

JITTER = 0.1  # codes that share a row are moved at most this fraction of the way to another row


def k_means(
    codes: Tensor, rows: Tensor, weights: Tensor, noise: Tensor, num_iterations: int
) -> Tensor:
    """Returns codes after moving each to the mean of its nearest rows, `num_iterations` times.

    In each iteration, codes that are nearest to no row are drawn again from the rows, with
    probabilities proportional to the squared distance to the nearest code, as in k-means++.

    Args:
        codes: float32 tensor (K, d), the initial codes.
        rows: float32 tensor (N, d), finite.
        weights: float32 tensor (N,), 1, or 0 for rows to leave out.
        noise: float32 tensor (N,), uniform in [0, 1), that determines the draws.
        num_iterations: Int.

    Reference:
        - [Lloyd, 1982](https://doi.org/10.1109/TIT.1982.1056489), "Least squares quantization in
          PCM"
        - Arthur and Vassilvitskii, 2007, "k-means++: the advantages of careful seeding"
    """

    def iterate(_, codes):
        indices = nearest_codes(rows, codes)
        sums, counts = totals(rows, weights, indices, codes.shape[0])
        is_used = (counts > 0)[:, None]
        means = ops.where(is_used, sums / ops.maximum(counts, 1.0)[:, None], codes)
        squares = ops.sum(ops.square(rows - ops.take(codes, indices, axis=0)), axis=-1)
        return drawn_again(means, counts == 0, rows, weights * squares, noise)

    return ops.fori_loop(0, num_iterations, iterate, codes)


def totals(rows: Tensor, weights: Tensor, indices: Tensor, num_codes: int) -> tuple[Tensor, Tensor]:
    """Returns the weighted sum (K, d) and the weighted count (K,) of the rows of each code."""
    weights = weights[:, None]
    if keras.config.backend() == "torch":  # its `segment_sum` repeats each index D times
        indices = indices.clamp(min=0)  # where it is -1, the weight is 0
        sums, counts = rows.new_zeros(num_codes, rows.shape[1]), rows.new_zeros(num_codes, 1)
        sums.index_add_(0, indices, rows * weights)
        return sums, counts.index_add_(0, indices, weights)[:, 0]
    weighted = ops.concatenate([rows * weights, weights], axis=-1)
    sums = ops.segment_sum(weighted, indices, num_codes)
    return sums[:, :-1], sums[:, -1]


def drawn_again(
    codes: Tensor, lost: Tensor, rows: Tensor, weights: Tensor, noise: Tensor
) -> Tensor:
    """Returns codes with those in `lost` moved to randomly drawn rows.

    Rows are drawn without replacement. If there are fewer rows than lost codes, rows are reused,
    with the codes a small step towards another row so that they can separate.

    Args:
        codes: float32 tensor (K, d).
        lost: Bool tensor (K,).
        rows: float32 tensor (N, d), finite.
        weights: float32 tensor (N,), to which the probabilities of the draws are proportional. If
            all are 0, no code moves.
        noise: float32 tensor (N,), uniform in [0, 1), that determines the draws.
    """
    # Exponential arrival times with rates proportional to the weights arrive in the order of
    # weighted draws without replacement.
    times = -ops.log1p(-noise) / ops.maximum(weights, 1e-30)
    order = ops.argsort(ops.where(weights > 0, times, float("inf")))
    num_rows = ops.sum(ops.cast(weights > 0, "int32"))
    size = ops.maximum(num_rows, 1)
    # 0 for the first lost code, 1 for the second, and so on.
    turn = ops.cumsum(ops.cast(lost, "int32")) - 1
    lap = ops.cast(turn // size, "float32")
    row = _rows_at(order, turn % size, rows)
    other = _rows_at(order, (turn + 1) % size, rows)
    drawn = row + (JITTER * lap / (lap + 1))[:, None] * (other - row)
    return ops.where(ops.logical_and(lost, num_rows > 0)[:, None], drawn, codes)


def _rows_at(order, places, rows):
    return ops.take(rows, ops.take(order, places, axis=0), axis=0)
