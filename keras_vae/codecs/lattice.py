"""Coding of latents with Gaussians on a lattice of points.

A latent is coded as a point of a lattice of spacing d, a power of two. A Gaussian on the lattice
has at each point a probability in proportion to its density. If sigma is at least d, its variance
and its entropy are those of the density, up to terms of the size of exp(-2 pi^2 sigma^2 / d^2), by
Poisson summation: 3e-9 at sigma = d. So a spacing no larger than the standard deviations of
posteriors codes at the cost of the continuous bound. Smaller standard deviations, of posteriors and
priors alike, count as d. A dimension that carries no information about x is not coded at all: its z
is the rounded mean of its prior.
"""

from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from keras_vae.codecs.exact_tables import cube_root
from keras_vae.codecs.exact_tables import exp
from keras_vae.codecs.exact_tables import gaussian_frequencies
from keras_vae.codecs.exact_tables import power_of_two
from keras_vae.codecs.offsets import Blocks
from keras_vae.codecs.offsets import settle
from keras_vae.codecs.rounding_errors import size_of
from keras_vae.codecs.stack import Stack

_WIDTH = 0.1875  # of a cell in log-variances: off by half of it costs at most 0.002 nats
_LEAST, _MOST = -24.0, 12.0  # log-variances
# Rounding means to steps d costs d^2 / (24 sigma^2) nats on average, and each mean within a margin
# m of an edge, on either side of it, costs 1.3. The sum is smallest at d^3 = 31 m sigma^2.
_STEP_CUBED = 31.0
_TYPICAL = 1.5  # 1 + |mean|, to which margins are proportional
_FINEST_STEP, _WIDEST_STEP = 0.06, 0.75  # in sigmas
_MARGINS_IN_STEP = 8.0  # at least, for the largest means
_COARSE_SHARE = 0.005  # of the divergence may be in posteriors narrower than the spacing
_CELLS = 1 << 21  # numbers of a table held at once


class Lattice(NamedTuple):
    """The points at which the latents of a level may lie.

    Attributes:
        spacing: Integer; the points are 2^spacing apart, which is the smallest standard deviation.
        reach: Integer; they lie from -2^reach up to, but not including, 2^reach.
        window: Integer; draws from a posterior are among the 2^window points around its mean.
        margin: Integer; steps between means are chosen for margins of 2^margin for means near 0.
    """

    spacing: int
    reach: int
    window: int
    margin: int

    @property
    def num_points(self) -> int:
        """The number of points."""
        return 2 << (self.reach - self.spacing)

    @property
    def num_in_window(self) -> int:
        """The number of points that can be drawn from a posterior."""
        return min(self.num_points, 1 << self.window)

    def value(self, points: np.ndarray) -> np.ndarray:
        """Returns z, float64, for the indices of points; float32 represents it exactly."""
        return np.ldexp(np.asarray(points, "float64") - self.num_points // 2, self.spacing)

    def nearest(self, z: np.ndarray) -> np.ndarray:
        """Returns the indices of the points nearest to z."""
        index = np.floor(np.ldexp(z, -self.spacing) + 0.5) + self.num_points // 2
        return np.clip(index, 0, self.num_points - 1).astype("int32")


def lattice_for(
    mean: np.ndarray, log_var: np.ndarray, divergence: np.ndarray, margin: float = 0.0
) -> Lattice:
    """Returns a `Lattice` for posteriors like these.

    Args:
        mean, log_var: Arrays of one shape, the parameters of a sample of posteriors.
        divergence: Array of that shape, the KL of each from the prior in nats. Posteriors with
            little of it may be coded coarsely.
        margin: Float, the margin of the means.
    """
    std = np.exp(0.5 * np.clip(log_var, _LEAST, _MOST)).ravel()
    order = np.argsort(std)
    share = np.cumsum(divergence.ravel()[order]) / max(1e-9, float(np.sum(divergence)))
    finest = std[order][min(len(std) - 1, np.searchsorted(share, _COARSE_SHARE))]
    reach = power_of_two(float(np.max(np.abs(mean.ravel()) + 8 * std))) + 1
    spacing = min(0, power_of_two(max(float(finest), 2.0**-12)))
    reach = max(3, min(reach, spacing + 12))
    window = power_of_two(12 * float(np.quantile(std, 0.999)) / 2.0**spacing) + 1
    of_means = max(-30, power_of_two(1.4 * max(margin, 1e-9)))
    return Lattice(spacing, reach, max(4, min(window, 13)), of_means)


class GaussianCode:
    """Codes points of a lattice, symbols (N,), given means and log-variances.

    Args:
        lattice: `Lattice`.
        skips_narrow: Whether elements whose standard deviation is at most the spacing are not
            coded, as their mean nearly determines them.
    """

    def __init__(self, lattice: Lattice, skips_narrow: bool = False):
        self.lattice = lattice
        self.skips_narrow = skips_narrow
        self._least_cell = int(np.searchsorted(_STDS, 2.0**lattice.spacing))
        self._floor = _LEAST + self._least_cell * _WIDTH
        margin = 2.0**lattice.margin
        share = cube_root(_STEP_CUBED * _TYPICAL * margin / _STDS)
        least = _MARGINS_IN_STEP * margin * (1.0 + 2.0**lattice.reach)
        self._least_step = max(least, 2.0**lattice.spacing)
        self._steps = np.clip(share, _FINEST_STEP, _WIDEST_STEP) * _STDS
        self._steps = np.maximum(self._steps, least)

    def clearance(
        self,
        mean: np.ndarray,
        log_var: np.ndarray,
        shift: np.ndarray,
        margins: Sequence[np.ndarray],
        is_coded: Any = True,
    ) -> np.ndarray:
        """Returns the smaller distance of the two parameters from an edge, in units of the margin.

        Args:
            mean, log_var, shift: (N,).
            margins: Pair of (N,), for the mean and the log-variance.
            is_coded: Bools (N,); for the others only the point nearest to the mean matters.
        """
        of_mean, of_log_var = margins
        in_cells = np.clip(log_var, _LEAST, _MOST) / _WIDTH + shift + 0.5
        from_edge = np.abs(in_cells - np.round(in_cells)) * _WIDTH / of_log_var
        from_edge = from_edge / size_of(log_var, "log_var")
        # Below the smallest standard deviation there are no edges.
        has_edges = (log_var >= self._floor - _WIDTH) & is_coded
        from_edge = np.where(has_edges, from_edge, np.inf)
        step = self._step(log_var, shift, is_coded)
        in_steps = self._within(mean) / step + shift + 0.5
        mean_clear = np.abs(in_steps - np.round(in_steps)) * step / of_mean
        mean_clear = mean_clear / size_of(self._within(mean), "mean")
        nearer = np.minimum(from_edge, mean_clear)
        return np.where(np.isfinite(mean) & np.isfinite(log_var), nearer, np.nan)

    def settle(
        self,
        mean: np.ndarray,
        log_var: np.ndarray,
        margins: Sequence[np.ndarray],
        blocks: Blocks,
        is_coded: Any = True,
    ) -> np.ndarray:
        """Returns the offsets of blocks at which all parameters (N,) are clear of edges."""
        arrays = [
            np.broadcast_to(a, mean.shape) for a in (mean, log_var, *margins, np.asarray(is_coded))
        ]

        def clear(index, shift):
            means, log_vars, of_mean, of_log_var, coded = (a[index] for a in arrays)
            return self.clearance(means, log_vars, shift, (of_mean, of_log_var), coded)

        return settle(clear, len(mean), blocks)

    def rounded(
        self, mean: np.ndarray, log_var: np.ndarray, shift: np.ndarray, is_coded: Any = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the mean and the standard deviation used for coding, each (N,)."""
        step = self._step(log_var, shift, is_coded)
        cell = np.floor(self._within(mean) / step + shift + 0.5)
        return (cell - shift) * step, self._std(log_var, shift)

    def coded(self, log_var: np.ndarray, shift: np.ndarray, is_coded: np.ndarray) -> np.ndarray:
        """Returns which of the elements (N,) that may be coded are coded."""
        if not self.skips_narrow:
            return is_coded
        return is_coded & (self._cells(log_var, shift) > self._least_cell)

    def push(
        self, stack: Stack, points: np.ndarray, mean: np.ndarray, std: np.ndarray, window: bool
    ) -> None:
        """Writes points, integers (N,), given what `rounded` returns.

        Args:
            stack: `Stack`.
            points: Integers (N,).
            mean, std: (N,).
            window: Whether only points in a window around the mean occur.
        """
        for rows, count in reversed(self._pieces(std, window)):
            first = self._first(mean[rows], count)
            stack.push(points[rows] - first, self._table(first, mean[rows], std[rows], count))

    def pop(self, stack: Stack, mean: np.ndarray, std: np.ndarray, window: bool) -> np.ndarray:
        """Returns points, (N,), drawn from the bits on the stack, or written by `push`."""
        points = np.zeros(len(mean), "int32")
        for rows, count in self._pieces(std, window):
            first = self._first(mean[rows], count)
            points[rows] = first + stack.pop(self._table(first, mean[rows], std[rows], count))
        return points

    def _table(self, first, mean, std, count):
        points = self.lattice.value(first[:, None] + np.arange(count))
        return gaussian_frequencies(points, mean[:, None], std[:, None])

    def _first(self, mean, count):
        """Returns the first of `count` points around the mean, (N,)."""
        first = self.lattice.nearest(mean) - count // 2
        return np.clip(first, 0, self.lattice.num_points - count).astype("int32")

    def _pieces(self, std, window):
        """Returns pairs of the indices of positions and the number of points allowed at each.

        The coder gives every point at least 2^-24. A window ends at 6 to 12 standard deviations, so
        that no z is drawn farther out, where the decoder was not trained.
        """
        if window:
            exponent = np.frexp(np.ldexp(12.0 * std, -self.lattice.spacing))[1]
            counts = np.minimum(1 << exponent.astype("int64"), self.lattice.num_in_window)
        else:
            counts = np.full(len(std), self.lattice.num_points)
        pieces = []
        for count in np.unique(counts):
            rows = np.flatnonzero(counts == count)
            size = max(1, _CELLS // int(count))
            pieces += [(rows[i : i + size], int(count)) for i in range(0, len(rows), size)]
        return pieces

    def _within(self, mean):
        return np.clip(mean, -(2.0**self.lattice.reach), 2.0**self.lattice.reach)

    def _cells(self, log_var, shift):
        clipped = np.clip(log_var, _LEAST, _MOST)
        cells = np.floor((clipped - _LEAST) / _WIDTH + shift + 0.5).astype("int64")
        return np.maximum(cells, self._least_cell)

    def _std(self, log_var, shift):
        return exp(0.5 * (_LEAST + (self._cells(log_var, shift) - shift) * _WIDTH))

    def _step(self, log_var, shift, is_coded):
        steps = self._steps[self._cells(log_var, shift)]
        return np.where(self.coded(log_var, shift, is_coded), steps, self._least_step)


_NUM_CELLS = int((_MOST - _LEAST) / _WIDTH) + 3
_STDS = exp(0.5 * (_LEAST + np.arange(_NUM_CELLS) * _WIDTH))
