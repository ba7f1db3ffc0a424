"""The number of updates, for evaluations that are compiled."""

import keras

from keras_vae.typing import Tensor


class Clock(keras.metrics.Metric):
    """Holds the number of updates that had been made when an evaluation began.

    The optimizer's own count is no part of the state of an evaluation on JAX, so the compiled
    function would hold it as a constant. A metric's state travels with the step, and is not saved.
    It appears in no log.
    """

    def __init__(self, name: str = "clock"):
        super().__init__(name=name)
        self.updates = self.add_variable((), "zeros", dtype="int32", name="updates")

    def update_state(self, updates: int | Tensor) -> None:
        """Sets the number of updates."""
        self.updates.assign(updates)

    def result(self) -> dict:
        """Returns `{}`: there is nothing to log."""
        return {}
