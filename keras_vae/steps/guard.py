"""Keeps batches with non-finite costs or gradients from changing a model's weights."""

import keras
import numpy as np
from keras import ops

from keras_vae.typing import Tensor

_MOST_NAMES = 31  # bits of an int32 that can be set without its sign


class NonFiniteError(FloatingPointError):
    """Raised by `fit` and `train_on_batch` if a cost or a gradient became NaN or infinite.

    Neither the update of that batch nor any later one was made: weights, the state of the
    optimizer, codebooks and batch statistics are those before the batch.

    Attributes:
        names: List of strings, what was not finite: terms of the objective, "regularization" (the
            model's `losses`) or "gradient".
        epoch: Integer, the epoch of the batch, counted from 1, as Keras prints it.
        batch: Integer, the batch within the epoch, counted from 1.
    """

    def __init__(self, names: list[str], epoch: int, batch: int, cause: str):
        self.names, self.epoch, self.batch = names, epoch, batch
        what = " and ".join([", ".join(map(repr, names[:-1])), repr(names[-1])][len(names) < 2 :])
        super().__init__(
            f"Training stopped: {what} became NaN or infinite in batch {batch} of epoch {epoch}. "
            f"{cause} The weights are those of before this batch."
        )


class Guard(keras.metrics.Metric):
    """Remembers the first batch of an epoch whose costs or gradients were not finite.

    It is a metric, so that its state is part of the step, is not saved, and is reset at each epoch.
    It is not logged.

    The state is a vector of three integers: the number of batches seen; the first bad batch,
    counted from 1, or 0; and a bit mask of the names that were bad in it.
    """

    def __init__(self, name: str = "guard"):
        super().__init__(name=name)
        # The state is the same on all replicas that share a step.
        self.state = self.add_variable(
            (3,), "zeros", dtype="int32", aggregation="only_first_replica", name="state"
        )

    def after(self, state: Tensor, is_finite: Tensor) -> Tensor:
        """Returns the state after a batch.

        Args:
            state: int32 tensor (3,), the state before it.
            is_finite: Bool tensor (n,), whether each of the numbers is finite. The last one alone
                does not make a batch bad, but is recorded if another one does.
        """
        bits = ops.sum(ops.where(is_finite, 0, _bits(is_finite.shape[0])))
        is_bad = ops.logical_not(ops.all(is_finite[:-1]))
        is_first = ops.logical_and(is_bad, state[1] == 0)
        seen = state[0] + 1
        found = ops.where(is_first, ops.stack([seen, ops.cast(bits, "int32")]), state[1:])
        return ops.concatenate([ops.reshape(seen, (1,)), found])

    @staticmethod
    def is_good(state: Tensor) -> Tensor:
        """Returns a scalar bool: whether no batch was bad up to this state."""
        return state[1] == 0

    def update_state(self, is_finite: Tensor) -> None:
        """Adds a batch; see `after`."""
        self.state.assign(self.after(self.state.value, is_finite))

    def result(self) -> dict:
        """Returns `{}`: there is nothing to log."""
        return {}


def check(state: np.ndarray, names: list[str], epoch: int) -> None:
    """Raises `NonFiniteError` if a guard's state holds a bad batch.

    Args:
        state: Int array (3,), the state of a `Guard`.
        names: List of the names of the guard's bits, the last of which is the batch's x.
        epoch: Integer, the epoch, counted from 0.
    """
    _, batch, bits = (int(n) for n in state)
    if not batch:
        return
    of_each = _bits(len(names))
    of_data = bool(bits & of_each[-1])  # a term may be called "x" too
    bad = [n for n, bit in zip(names[:-1], of_each[:-1], strict=True) if bits & bit]
    raise NonFiniteError(bad, epoch + 1, batch, _cause(bad, of_data, epoch == 0 and batch == 1))


def _cause(bad, of_data, is_first_batch):
    if of_data:
        return "The batch itself holds values that are not finite: remove or repair these examples."
    if is_first_batch:
        return (
            "Its data are finite, and no update had been made yet, so the initial weights or the "
            "scale of the data are the likely cause: bring the data to about [0, 1]."
        )
    if bad == ["gradient"]:
        return (
            "The costs were finite, so an operation's gradient overflowed or is not defined there: "
            "lower the learning rate, or give the optimizer `global_clipnorm=1.0`."
        )
    return (
        "Its data are finite, so the updates have probably diverged: lower the learning rate, or "
        "give the optimizer `global_clipnorm=1.0`."
    )


def _bits(num_names):
    """Returns the bit of each name; if there are more than 31, the last ones share a bit."""
    return np.int32(1) << np.minimum(np.arange(num_names, dtype="int32"), _MOST_NAMES - 1)
