"""Coding of grey levels with a discretised logistic distribution."""

import functools

import numpy as np

from keras_vae.codecs.exact_tables import exp
from keras_vae.codecs.exact_tables import sigmoid
from keras_vae.codecs.offsets import Blocks
from keras_vae.codecs.offsets import pop_offsets
from keras_vae.codecs.offsets import push_offsets
from keras_vae.codecs.offsets import settle
from keras_vae.codecs.rounding_errors import size_of
from keras_vae.codecs.stack import Stack

_WIDTH = 0.125  # of a cell in log-scales: off by half of it costs 0.003 nats
_LEAST, _MOST = -4.0, 6.0  # log-scales in bins; beyond, one bin has nearly all mass, or all equal
_SHIFT = 0.25  # how far the largest offset moves log-scales, in cells
_FINEST = -4  # locations are rounded to 2^-4 of a bin at least
_TOTAL = 1 << 22
_MOST_BINS = 1024
_ROWS = 2048  # number of symbols whose tables are held at once


class LogisticCode:
    """Codes the levels 0 to `num_bins` - 1, symbols (N,), given locations and log-scales.

    Both are in units of a bin. The log-scale is rounded first, to a scale s; then the location, to
    a quarter or half of s. The expected cost of both is below 0.003 nats per symbol.

    Args:
        num_bins: Integer.
        margins: Pair of floats, for the location and the log-scale, or `None` for a reader.

    Raises:
        NotImplementedError: If there are more than 1,024 levels, whose tables would be too large.
    """

    def __init__(self, num_bins: int, margins: tuple[float, float] | None = None):
        if num_bins > _MOST_BINS:
            raise NotImplementedError(
                "With a discretised logistic likelihood, compressed files have at most "
                f"{_MOST_BINS} levels. Received: num_bins={num_bins}."
            )
        self.num_bins = num_bins
        self.margins = margins

    def clearance(
        self, location: np.ndarray, log_scale: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        """Returns the smaller distance of the parameters from an edge, in units of the margin."""
        of_location, of_log_scale = self.margins or (np.inf, np.inf)
        in_cells = np.clip(log_scale, _LEAST, _MOST) / _WIDTH + shift * _SHIFT
        from_edge = np.abs(in_cells - np.round(in_cells)) * _WIDTH
        # A clipped scale has no edge nearby; one that is nearly clipped has that of the last cell.
        is_far = (log_scale < _LEAST - _WIDTH) | (log_scale > _MOST + _WIDTH)
        scale_clear = np.where(is_far, np.inf, from_edge) / of_log_scale
        of_data = log_scale - np.log(self.num_bins - 1)
        scale_clear = scale_clear / size_of(of_data, "log_scale")
        step = np.ldexp(1.0, self._exponents(log_scale, shift))
        within = np.clip(location, -self.num_bins, 2 * self.num_bins)
        in_steps = within / step + shift
        location_clear = np.abs(in_steps - np.round(in_steps)) * step / of_location
        location_clear = location_clear / size_of(within / (self.num_bins - 1), "location")
        return np.where(
            np.isfinite(location) & np.isfinite(log_scale),
            np.minimum(scale_clear, location_clear),
            np.nan,
        )

    def push(
        self,
        stack: Stack,
        symbols: np.ndarray,
        location: np.ndarray,
        log_scale: np.ndarray,
        blocks: Blocks,
    ) -> None:
        """Writes symbols; all arrays (N,), parameters in float64."""

        def clear(index, shift):
            return self.clearance(location[index], log_scale[index], shift)

        found = settle(clear, len(symbols), blocks)
        shift = blocks.of_positions(found, len(symbols))
        for rows in reversed(_pieces(len(symbols))):
            tables = self.frequencies(location[rows], log_scale[rows], shift[rows])
            stack.push(symbols[rows], tables)
        push_offsets(stack, found, len(symbols), blocks)

    def pop(
        self, stack: Stack, location: np.ndarray, log_scale: np.ndarray, blocks: Blocks
    ) -> np.ndarray:
        """Returns the symbols that `push` wrote."""
        shift = pop_offsets(stack, len(location), blocks)
        return np.concatenate(
            [
                stack.pop(self.frequencies(location[rows], log_scale[rows], shift[rows]))
                for rows in _pieces(len(location))
            ]
        )

    def frequencies(
        self, location: np.ndarray, log_scale: np.ndarray, shift: np.ndarray
    ) -> np.ndarray:
        """Returns the frequencies of all levels, (N, bins) float64."""
        exponents = self._exponents(log_scale, shift)
        step = np.ldexp(1.0, exponents)
        clipped = np.clip(location, -self.num_bins, 2 * self.num_bins)
        rounded = (np.floor(clipped / step + shift) + 0.5 - shift) * step
        # Distributions are looked up on a grid of 2^_FINEST bins, which the shift leaves.
        lattice = np.floor(rounded * (1 << -_FINEST) + 0.5).astype("int64")
        first = (3 * self.num_bins << -_FINEST) - lattice  # the place of level 0
        levels = np.arange(1, self.num_bins) << -_FINEST
        index = first[:, None] + levels - (1 << (-_FINEST - 1))
        cumulative = _distributions(self.num_bins)[self._cells(log_scale, shift)[:, None], index]
        below = np.concatenate([np.zeros((len(index), 1)), cumulative], axis=1)
        above = np.concatenate([cumulative, np.full((len(index), 1), float(_TOTAL))], axis=1)
        return above - below + 1.0

    def _cells(self, log_scale, shift):
        clipped = np.clip(log_scale, _LEAST, _MOST)
        return np.floor((clipped - _LEAST) / _WIDTH + shift * _SHIFT).astype("int64")

    def _exponents(self, log_scale, shift):
        return _step_exponents()[self._cells(log_scale, shift)]


@functools.cache
def _scales():
    """Returns the scale of every cell of log-scales, in bins."""
    count = int((_MOST - _LEAST) / _WIDTH) + 2
    return exp(_LEAST + (np.arange(count) + 0.5 - _SHIFT / 2) * _WIDTH)


@functools.cache
def _step_exponents():
    """Returns e of every cell: locations are rounded to 2^e bins, a quarter to half of s."""
    return np.maximum(np.frexp(_scales())[1] - 2, _FINEST).astype("int32")


@functools.cache
def _distributions(num_bins):
    """Returns the cumulative distribution of every scale, (cells, places), integers in float64.

    The places are 2^_FINEST bins apart, up to three times all bins on both sides of the location.
    """
    reach = 3 * num_bins << -_FINEST
    places = np.arange(-reach, reach + 1) / (1 << -_FINEST)
    inverse = 1.0 / _scales()
    return np.floor(sigmoid(places[None] * inverse[:, None]) * _TOTAL + 0.5)


def _pieces(count):
    return [slice(start, start + _ROWS) for start in range(0, count, _ROWS)]
