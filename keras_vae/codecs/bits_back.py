"""Bits-back coding of data with the latents of a model."""

from typing import Any
from typing import NamedTuple

import numpy as np

from keras_vae.codecs.data_codes import code_of
from keras_vae.codecs.data_codes import embedded_example
from keras_vae.codecs.file_format import Reader
from keras_vae.codecs.file_format import Writer
from keras_vae.codecs.latents import latents_of
from keras_vae.codecs.lattice import GaussianCode
from keras_vae.codecs.lattice import Lattice
from keras_vae.codecs.lattice import lattice_for
from keras_vae.codecs.offsets import Blocks
from keras_vae.codecs.offsets import blocks_for
from keras_vae.codecs.offsets import pop_offsets
from keras_vae.codecs.offsets import push_offsets
from keras_vae.codecs.rounding_errors import margins
from keras_vae.codecs.stack import Stack

_SAMPLE = 256  # examples from which the settings of a file are chosen
_LARGEST_GROUP = 256
_NO_NEWS = 0.0025  # nats; dimensions with a smaller KL are not coded


class LevelSettings(NamedTuple):
    """How the latents of a level are coded.

    Attributes:
        lattice: `Lattice`.
        is_coded: NumPy bools (D,), which dimensions are coded.
        of_posterior: `Blocks` of the posterior's parameters.
        of_prior: `Blocks` of the prior's parameters.
    """

    lattice: Lattice
    is_coded: np.ndarray
    of_posterior: Blocks
    of_prior: Blocks


class _Settled(NamedTuple):
    """A rounded prior: mean, standard deviation, and which elements are coded, all (N D,)."""

    mean: np.ndarray
    std: np.ndarray
    is_coded: np.ndarray
    offsets: np.ndarray | None = None


def groups(num_examples: int) -> list[slice]:
    """Returns the groups of examples whose latents are drawn at once.

    The first examples form groups of one, so that few initial bits are needed; each group draws
    from the bits that earlier groups have written.
    """
    found, done = [], 0
    while done < num_examples:
        size = min(num_examples - done, max(1, min(_LARGEST_GROUP, done // 8)))
        found.append(slice(done, done + size))
        done += size
    return found


class BitsBackCode:
    """Codes the data of a VAE with one or several levels of Gaussian latents.

    Args:
        model: `LatentVariableModel` with Gaussian posteriors and priors.
        batch_size: Integer, the number of examples given to the networks at once.
    """

    def __init__(self, model: Any, batch_size: int):
        self.nets = latents_of(model, batch_size)
        self.data_code = code_of(self._example_of_likelihood(model))
        self.levels: list[LevelSettings] = []
        self.of_data = Blocks(1, 0)
        self.posterior_codes: list[GaussianCode] = []
        self.prior_codes: list[GaussianCode] = []
        # For a writer: pairs of (D,) for each level, for the mean and the log-variance.
        self.margins_of_posteriors: list[list[np.ndarray]] = []
        self.margins_of_priors: list[list[np.ndarray]] = []

    def symbols(self, x: np.ndarray) -> np.ndarray:
        """Returns data as integers (B, S)."""
        return self.data_code.symbols(x)

    def values(self, symbols: np.ndarray, dtype: str) -> np.ndarray:
        """Returns the data that integers represent, as restored from a file."""
        return self.data_code.data(symbols).astype(dtype)

    def write(self, stack: Stack, x: np.ndarray, conditions: list, report: Any) -> None:
        """Writes all examples.

        Args:
            stack: `Stack`.
            x: (N, S).
            conditions: List of at most one array (N, ...).
            report: Function called with the number of further examples that are done.
        """
        sample = slice(0, _SAMPLE)
        symbols = self.symbols(x[sample])
        self._choose_settings(symbols, self._seen(symbols), [c[sample] for c in conditions])
        for rows in groups(len(x)):
            symbols = self.symbols(x[rows])
            self._write_group(stack, symbols, self._seen(symbols), [c[rows] for c in conditions])
            report(len(symbols))

    def read(self, stack: Stack, x: np.ndarray, conditions: list, report: Any) -> None:
        """Fills x (N, S) with all examples."""
        for rows in reversed(groups(len(x))):
            given = [c[rows] for c in conditions]
            symbols = self._read_group(stack, x[rows].shape, given)
            x[rows] = self.values(symbols, x.dtype.name)
            report(len(symbols))

    def _seen(self, symbols):
        """Returns x as the networks receive it, on both sides."""
        return self.values(symbols, "float32")

    def write_settings(self, writer: Writer) -> None:
        """Writes what a reader needs to know."""
        for level in self.levels:
            lattice = level.lattice
            writer.numbers("bBBb", *lattice)
            writer.numbers("HBHB", *level.of_posterior, *level.of_prior)
            writer.raw(np.packbits(level.is_coded).tobytes())
        writer.numbers("HB", *self.of_data)

    def read_settings(self, reader: Reader) -> None:
        """Reads what `write_settings` wrote."""
        self.levels = []
        for size in self.nets.sizes():
            lattice = Lattice(*reader.numbers("bBBb"))
            of_posterior, of_prior = Blocks(*reader.numbers("HB")), Blocks(*reader.numbers("HB"))
            packed = np.frombuffer(reader.raw(-(-size // 8)), "uint8")
            is_coded = np.unpackbits(packed, count=size).astype(bool)
            self.levels.append(LevelSettings(lattice, is_coded, of_posterior, of_prior))
        self.of_data = Blocks(*reader.numbers("HB"))
        self.posterior_codes = [GaussianCode(level.lattice) for level in self.levels]
        self.prior_codes = [
            GaussianCode(level.lattice, skips_narrow=self._knows_prior(i))
            for i, level in enumerate(self.levels)
        ]

    # A group of examples.

    def _write_group(self, stack, symbols, x, conditions):
        nets, count = self.nets, len(x)
        points: dict[int, np.ndarray] = {}
        zs: dict[int, np.ndarray] = {}
        priors: dict[int, _Settled] = {}
        posteriors = []

        def complete_levels():
            """Adds the priors of levels once all levels above are drawn, and then their z."""
            for level in reversed(range(nets.num_levels)):
                if level not in priors:
                    priors[level] = self._settled_prior(level, zs, conditions, count)
                if level not in points:
                    return
                if level not in zs:
                    zs[level] = self._z(level, points[level], priors[level], count)

        for n, level in enumerate(nets.order):
            complete_levels()
            drawn = [self._drawn(i, zs, points, count) for i in nets.order[:n]]
            is_coded = priors[level].is_coded if level in priors else np.True_
            parameters = self._coded(is_coded, nets.posterior(n, x, drawn, conditions))
            code, blocks = self.posterior_codes[level], self.levels[level].of_posterior
            margins = [np.tile(m, count) for m in self.margins_of_posteriors[level]]
            found = code.settle(*parameters, self._coded(is_coded, margins), blocks)
            shift = blocks.of_positions(found, len(parameters[0]))
            points[level] = code.pop(stack, *code.rounded(*parameters, shift), window=True)
            posteriors.append((found, len(shift), blocks))
        complete_levels()
        for offsets in posteriors:
            push_offsets(stack, *offsets)
        parameters = nets.likelihood(self.data_code, [zs[i] for i in sorted(zs)], conditions)
        self.data_code.push(stack, symbols.ravel(), self.of_data, *_flat(parameters, symbols.shape))
        for level in range(nets.num_levels):
            prior = priors[level]
            mean, std = prior.mean[prior.is_coded], prior.std[prior.is_coded]
            self.prior_codes[level].push(stack, points[level], mean, std, window=False)
            push_offsets(stack, prior.offsets, len(prior.mean), self.levels[level].of_prior)

    def _read_group(self, stack, shape, conditions):
        nets, count = self.nets, shape[0]
        zs: dict[int, np.ndarray] = {}
        points, priors = {}, {}
        for level in reversed(range(nets.num_levels)):
            prior = priors[level] = self._read_prior(stack, level, zs, conditions, count)
            mean, std = prior.mean[prior.is_coded], prior.std[prior.is_coded]
            points[level] = self.prior_codes[level].pop(stack, mean, std, window=False)
            zs[level] = self._z(level, points[level], prior, count)
        parameters = nets.likelihood(self.data_code, [zs[i] for i in sorted(zs)], conditions)
        flat = _flat(parameters, shape)
        symbols = self.data_code.pop(stack, self.of_data, *flat).reshape(shape)
        x = self._seen(symbols)
        shifts = {}
        for level in reversed(nets.order):
            positions = int(np.count_nonzero(priors[level].is_coded))
            shifts[level] = pop_offsets(stack, positions, self.levels[level].of_posterior)
        for n, level in reversed(list(enumerate(nets.order))):
            drawn = [zs[i] for i in nets.order[:n]]
            found = nets.posterior(n, x, drawn, conditions)
            parameters = self._coded(priors[level].is_coded, found)
            code = self.posterior_codes[level]
            code.push(stack, points[level], *code.rounded(*parameters, shifts[level]), window=True)
        return symbols

    def _coded(self, is_coded, parameters):
        """Returns the parameters (N, D) of the coded elements, flattened."""
        return [p.ravel()[np.broadcast_to(is_coded, p.size)] for p in parameters]

    def _settled_prior(self, level, zs, conditions, count):
        """Returns the prior of a level, for a writer."""
        code, blocks = self.prior_codes[level], self.levels[level].of_prior
        parameters = self._prior_parameters(level, zs, conditions, count)
        is_coded = np.tile(self.levels[level].is_coded, count)
        margins = [np.tile(m, count) for m in self.margins_of_priors[level]]
        offsets = code.settle(*parameters, margins, blocks, is_coded)
        shift = blocks.of_positions(offsets, len(is_coded))
        return self._rounded_prior(level, parameters, shift, is_coded)._replace(offsets=offsets)

    def _read_prior(self, stack, level, zs, conditions, count):
        """Returns the prior of a level, for a reader."""
        parameters = self._prior_parameters(level, zs, conditions, count)
        is_coded = np.tile(self.levels[level].is_coded, count)
        shift = pop_offsets(stack, len(is_coded), self.levels[level].of_prior)
        return self._rounded_prior(level, parameters, shift, is_coded)

    def _prior_parameters(self, level, zs, conditions, count):
        found = self.nets.prior(level, self._above(zs, level), conditions, count)
        return [p.ravel() for p in found]

    def _rounded_prior(self, level, parameters, shift, is_coded):
        code = self.prior_codes[level]
        mean, std = code.rounded(*parameters, shift, is_coded)
        return _Settled(mean, std, code.coded(parameters[1], shift, is_coded))

    def _z(self, level, points, prior, count):
        """Returns z as the decoders receive it, (N, *shape) float32."""
        lattice = self.levels[level].lattice
        every = lattice.nearest(prior.mean)
        every[prior.is_coded] = points
        return lattice.value(every).astype("float32").reshape(count, *self.nets.shapes[level])

    def _drawn(self, level, zs, points, count):
        """Returns z as later posteriors receive it.

        A level that is inferred before those above it has no prior yet, so all of it is coded.
        """
        if level in zs:
            return zs[level]
        z = self.levels[level].lattice.value(points[level]).astype("float32")
        return z.reshape(count, *self.nets.shapes[level])

    def _knows_prior(self, level):
        """Whether all levels above are drawn before this level, so that its prior is known."""
        later = self.nets.order[self.nets.order.index(level) :]
        return not any(other > level for other in later)

    @staticmethod
    def _above(zs, level):
        return [zs[i] for i in sorted(zs) if i > level]

    # Settings, chosen by the writer.

    def _choose_settings(self, symbols, x, conditions):
        nets = self.nets
        posteriors: dict[int, list] = {}
        drawn: list[np.ndarray] = []
        for n, level in enumerate(nets.order):
            posteriors[level] = nets.posterior(n, x, drawn, conditions)
            drawn.append(self._mean_z(level, posteriors[level]))
        zs = {level: self._mean_z(level, posteriors[level]) for level in posteriors}
        priors = {
            level: nets.prior(level, [zs[i] for i in range(level + 1, len(zs))], conditions, len(x))
            for level in zs
        }
        self.levels, self.posterior_codes, self.prior_codes = [], [], []
        self.margins_of_posteriors, self.margins_of_priors = [], []
        gaussian = ("mean", "log_var")
        for level in range(nets.num_levels):
            kl = _divergence(posteriors[level], priors[level])
            is_coded = kl.mean(axis=0) >= _NO_NEWS
            is_coded[np.argmax(kl.mean(axis=0))] = True  # at least one in each level
            is_coded |= not self._knows_prior(level)
            n = nets.order.index(level)
            given = [x, *drawn[:n], *conditions]
            of_q = margins(nets.model, gaussian, nets.posterior_parameters(n), given)
            above = [zs[i] for i in range(level + 1, len(zs))]
            given = [np.zeros((len(x), 1), "float32"), *above, *conditions]
            of_p = margins(nets.model, gaussian, nets.prior_parameters(level), given)
            coded = [p[:, is_coded] for p in posteriors[level]]
            largest = max(float(np.max(m[0])) for m in (of_q, of_p))
            lattice = lattice_for(*coded, kl[:, is_coded], largest)
            q = GaussianCode(lattice)
            p = GaussianCode(lattice, skips_narrow=self._knows_prior(level))
            blocks = [
                blocks_for(code.clearance(*flat, np.zeros(len(flat[0])), reach, mask))
                for code, flat, reach, mask in (
                    (q, *self._flat_of(coded, [m[is_coded] for m in of_q]), np.True_),
                    (p, *self._flat_of(priors[level], of_p), np.tile(is_coded, len(x))),
                )
            ]
            self.posterior_codes.append(q)
            self.prior_codes.append(p)
            self.margins_of_posteriors.append(of_q)
            self.margins_of_priors.append(of_p)
            self.levels.append(LevelSettings(lattice, is_coded, *blocks))
        ordered = [zs[i] for i in range(len(zs))]
        code = self.data_code
        code.margins = margins(
            nets.model,
            code.kinds,
            nets.likelihood_parameters(code),
            [*ordered, *conditions],
            lambda outputs: code.compared(outputs, symbols[: len(outputs[0])]),
        )
        parameters = nets.likelihood(code, ordered, conditions)
        self.of_data = code.blocks(*_flat(parameters, (len(x), *x.shape[1:])))

    @staticmethod
    def _flat_of(parameters, margins):
        """Returns parameters (N, D) and their margins (D,), all flattened to (N D,)."""
        count = len(parameters[0])
        return [p.ravel() for p in parameters], [np.tile(m, count) for m in margins]

    def _mean_z(self, level, posterior):
        return posterior[0].astype("float32").reshape(-1, *self.nets.shapes[level])

    def _example_of_likelihood(self, model):
        zs = [np.zeros((1, *shape), "float32") for shape in self.nets.shapes]
        with model.reading():
            return self.nets.likelihood_of(*zs, c=embedded_example(model))


def _divergence(q, p):
    """Returns KL(q || p) of each element, in nats, for pairs of mean and log-variance."""
    ratio = q[1] - p[1]
    return 0.5 * (np.exp(ratio) - ratio - 1 + (q[0] - p[0]) ** 2 * np.exp(-p[1]))


def _flat(parameters, shape):
    """Returns arrays of parameters (N, S) or (N, S, K) as (N S,) or (N S, K)."""
    size = int(np.prod(shape))
    return [p.reshape(size, -1) if p.size != size else p.ravel() for p in parameters]
