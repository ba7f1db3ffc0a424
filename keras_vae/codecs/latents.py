"""The networks of a model with latents, level by level and on arrays, for bits-back coding."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_vae.batching import padded_batches
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.typing import Tensor


class Latents:
    """The posteriors, priors and likelihoods of a model with one latent.

    Functions take and return NumPy arrays of examples, and run in batches of one size. The
    conditions of a conditional model are the last arguments of each.

    Args:
        model: `LatentVariableModel`.
        batch_size: Integer.

    Raises:
        NotImplementedError: If the posterior or a prior is not a diagonal Gaussian.

    Attributes:
        order: Tuple of ints, the levels in the order in which z is inferred.
    """

    def __init__(self, model: Any, batch_size: int):
        self.model = model
        self.batch_size = batch_size
        self._compiled: dict[Any, Callable] = {}
        self.shapes = self._shapes()
        self.order = self._inferred_order()

    @property
    def num_levels(self) -> int:
        """L, the number of levels."""
        return len(self.shapes)

    def sizes(self) -> list[int]:
        """Returns the number of elements of z at each level."""
        return [int(np.prod(shape)) for shape in self.shapes]

    # On tensors, for subclasses to define.

    def _shapes(self) -> list[tuple]:
        return [tuple(self.model.latent_shape)]

    def _inferred_order(self) -> tuple[int, ...]:
        return (0,)

    def posterior_of(self, n: int, x: Tensor, *zs: Tensor, c: Tensor = None) -> Distribution:
        """Returns the distribution from which the n-th z is drawn, given those before it."""
        return self.model.infer(x, c)

    def prior_of(self, level: int, *above: Tensor, c: Tensor = None) -> Distribution:
        """Returns p(z) of a level, given the z of the levels above, beginning with the next one."""
        return self.model.prior_given(c)

    def likelihood_of(self, *zs: Tensor, c: Tensor = None) -> Distribution:
        """Returns p(x|z), given the z of all levels, beginning with the one next to the data."""
        return self.model.generate(zs[0], c)

    # On arrays.

    def posterior(self, n: int, x: np.ndarray, zs: list, conditions: list) -> list[np.ndarray]:
        """Returns the mean and the log-variance, (N, D) float64."""
        return self._run(("posterior", n), self.posterior_parameters(n), [x, *zs], conditions)

    def prior(self, level: int, above: list, conditions: list, count: int) -> list[np.ndarray]:
        """Returns the mean and the log-variance, (N, D) float64, for `count` examples."""
        rows = [np.zeros((count, 1), "float32"), *above]
        return self._run(("prior", level), self.prior_parameters(level), rows, conditions)

    def likelihood(self, code: Any, zs: list, conditions: list) -> list[np.ndarray]:
        """Returns the parameters of p(x|z), (N, S) or (N, S, K) float64."""
        return self._run("likelihood", self.likelihood_parameters(code), zs, conditions)

    def posterior_parameters(self, n: int) -> Callable:
        """Returns a function from tensors (x, z, ..., conditions) to mean and log-variance."""
        return lambda x, *rest: _gaussian(
            self.posterior_of(n, x, *rest[:n], c=self._embedded(rest[n:])), x
        )

    def prior_parameters(self, level: int) -> Callable:
        """Returns a function from (rows, z, ..., conditions) to mean and log-variance."""
        given = self.num_levels - 1 - level

        def parameters(rows, *rest):
            return _gaussian(
                self.prior_of(level, *rest[:given], c=self._embedded(rest[given:])), rows
            )

        return parameters

    def likelihood_parameters(self, code: Any) -> Callable:
        """Returns a function from (z, ..., conditions) to a `DataCode`'s parameters."""
        levels = self.num_levels
        return lambda *arrays: code.parameters(
            self.likelihood_of(*arrays[:levels], c=self._embedded(arrays[levels:]))
        )

    def _embedded(self, conditions):
        return self.model.embedded(*conditions)

    def _run(self, key, function, arrays, conditions):
        if key not in self._compiled:
            self._compiled[key] = self.model.jitted_once(("codecs", key), function)
        pieces = [
            [np.asarray(a[:count], "float64") for a in self._compiled[key](*batch)]
            for batch, count in padded_batches([*arrays, *conditions], self.batch_size)
        ]
        return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


class LatentLevels(Latents):
    """The posteriors, priors and likelihoods of a model with several levels of latents."""

    def _shapes(self):
        return [tuple(shape) for shape in self.model.latent_shapes]

    def _inferred_order(self):
        drawn: list = []

        def draw(posterior):
            drawn.append(posterior.mean)
            return drawn[-1]

        x = ops.zeros((1, *self.model.data_shape))
        with self.model.reading():
            levels = self.model.levels_of(self.model.bottom_up(x), draw)
        place = {id(z): n for n, z in enumerate(drawn)}
        by_place = {place[id(level.z)]: i for i, level in enumerate(levels)}
        return tuple(by_place[n] for n in range(len(levels)))

    def posterior_of(self, n: int, x: Tensor, *zs: Tensor, c: Tensor = None) -> Distribution:
        met: list = []

        def draw(posterior):
            met.append(posterior)
            return zs[len(met) - 1] if len(met) <= len(zs) else posterior.mean

        self.model.levels_of(self.model.bottom_up(x), draw)
        return met[n]

    def prior_of(self, level: int, *above: Tensor, c: Tensor = None) -> Distribution:
        if not above:
            return self.model.prior_given(c)
        met = {}

        def choose(i, prior):
            met[i] = prior
            if i > level:
                return prior, above[i - level - 1]
            return prior, ops.zeros((ops.shape(above[0])[0], *self.shapes[i]))

        self.model.top_down(choose)
        return met[level]

    def likelihood_of(self, *zs: Tensor, c: Tensor = None) -> Distribution:
        levels = self.model.top_down(lambda i, prior: (prior, zs[i]))
        return self.model.generate(levels[0].state, c)


def latents_of(model: Any, batch_size: int) -> Latents:
    """Returns the `Latents` of a model."""
    kind = LatentLevels if model.encode_gives == "posteriors" else Latents
    return kind(model, batch_size)


def _gaussian(distribution, rows):
    """Returns mean and log-variance, (B, D), for the given number of rows."""
    if not isinstance(distribution, DiagonalGaussian):
        raise NotImplementedError(
            "Compression needs a Gaussian posterior and a Gaussian prior. Received: "
            f"{type(distribution).__name__}. Train with a StandardNormal() or "
            "ConditionalGaussian() prior, and a Gaussian posterior."
        )
    size = ops.shape(rows)[0]
    shape = tuple(distribution.mean.shape)[distribution.batch_ndims :]
    return tuple(
        ops.reshape(ops.broadcast_to(t, (size, *shape)), (size, -1))
        for t in (distribution.mean, distribution.log_var)
    )
