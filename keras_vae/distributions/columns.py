"""Independent columns, each with a distribution of its own."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_vae.distributions.base import Distribution
from keras_vae.noise import seed_of_part
from keras_vae.typing import Seed
from keras_vae.typing import Tensor


class Columns(Distribution):
    """Vectors whose elements follow different distributions, given in groups of columns.

    Args:
        groups: List of pairs of a list of ints, the columns of a group, and their distribution,
            over `(B, number of columns)`. Every column belongs to exactly one group.

    Example:

    >>> columns = Columns([([0, 2], DiagonalGaussian(mean, log_var)), ([1], Bernoulli(logits))])
    >>> columns.log_prob(x)  # x (B, 3) -> (B,) nats
    """

    def __init__(self, groups: Sequence[tuple[list[int], Distribution]]) -> None:
        self.groups = list(groups)
        order = [i for columns, _ in self.groups for i in columns]
        self._from_groups = np.argsort(order)
        first = self.groups[0][1]
        self.is_discrete = all(d.is_discrete for _, d in self.groups)
        super().__init__((*first.shape[: first.batch_ndims], len(order)), first.batch_ndims)

    def assembled(self, of_group: Callable[[Distribution], Tensor]) -> Tensor:
        """Applies a function to the distribution of each group, and joins the results."""
        return self._joined([of_group(distribution) for _, distribution in self.groups])

    @property
    def mean(self) -> Tensor:
        """The expectations."""
        return self.assembled(lambda distribution: distribution.mean)

    @property
    def mode(self) -> Tensor:
        """The most probable values."""
        return self.assembled(lambda distribution: distribution.mode)

    def _log_prob(self, x: Tensor) -> Tensor:
        return self._joined([d._log_prob(ops.take(x, c, axis=-1)) for c, d in self.groups])

    def _sample(self, shape: Sequence[int], seed: Seed) -> Tensor:
        *batch, _ = shape
        return self._joined(
            [
                d._sample((*batch, len(columns)), seed_of_part(seed, f"group {i}"))
                for i, (columns, d) in enumerate(self.groups)
            ]
        )

    def _joined(self, parts: list[Any]) -> Tensor:
        joined = ops.concatenate([ops.cast(part, "float32") for part in parts], axis=-1)
        return ops.take(joined, self._from_groups, axis=-1)
