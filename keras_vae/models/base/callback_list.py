"""The callbacks of `fit`, called after a batch only if one of them has a batch hook."""

import time
from collections.abc import Callable
from typing import Any

import keras

SECONDS_BETWEEN_BARS = 0.05  # as often as Keras' own bar draws
# Keras' callbacks whose batch hook does nothing if they save after epochs.
_SAVING = keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore


class CallbackList(keras.callbacks.CallbackList):
    """Keras' list of callbacks, without its work at each batch where that changes nothing.

    After every batch Keras converts the logs to numbers, which waits for the device, and passes
    them to each callback, on some backends in a thread. Here that is done only if a callback has a
    batch hook. If only a progress bar has one, it is called when it would draw: at most every
    0.05 s.

    Args:
        callbacks: Callbacks of the user, or `None`.
        model: The model that is trained.
        steps: Int, the number of batches per epoch.
        epochs, verbose: As for `fit`.

    Attributes:
        steps_of: Function from the index of a call of the train function, counted from 0, to the
            number of steps completed after it; `None` if each call makes one.
    """

    def __init__(
        self, callbacks: Any, model: Any, steps: int, epochs: int, verbose: int | str
    ) -> None:
        super().__init__(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
            model=model,
        )
        bars = [c for c in self.callbacks if _is_bar(c)]
        others = [c for c in self.callbacks if c not in bars]
        self._has_bar = bool(bars)
        self._listens_before = any(_has_hook(c, "batch_begin") for c in others)
        self._listens_after = any(_has_hook(c, "batch_end") for c in others)
        self._last_bar = 0.0
        self.steps_of: Callable[[int], int] | None = None

    @property
    def listens(self) -> bool:
        """Whether a callback has a hook that is called before or after a batch."""
        return self._listens_before or self._listens_after

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if self._listens_before:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._listens_after or self._is_time_for_a_bar():
            if self.steps_of is not None:
                batch = self.steps_of(batch) - 1
            super().on_train_batch_end(batch, logs or self.model.get_metrics_result())

    def _is_time_for_a_bar(self):
        now = time.monotonic()
        if not self._has_bar or now - self._last_bar < SECONDS_BETWEEN_BARS:
            return False
        self._last_bar = now
        return True


def _is_bar(callback):
    """Whether a callback only draws; this library's callbacks mark that by an attribute."""
    return type(callback) is keras.callbacks.ProgbarLogger or getattr(callback, "is_bar", False)


def _has_hook(callback, name):
    """Whether a callback does something before, or after, a batch of training."""
    if type(callback) in _SAVING and callback.save_freq == "epoch":
        return False
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in (f"on_{name}", f"on_train_{name}")
    )
