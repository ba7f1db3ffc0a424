"""The progress of training: a bar on a terminal, lines elsewhere."""

import datetime
import time
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn
from rich.progress import Progress
from rich.progress import TextColumn

from keras_vae.terminal import is_live


class TrainingProgress(keras.callbacks.Callback):
    """Shows epochs, the loss with its terms, and the remaining time.

    On a terminal this is a bar; in a pipe, a file, a log of continuous integration, or if `TERM` is
    "dumb", it is a line after each epoch. It is a context manager, so that an error during training
    leaves the terminal as it was.

    Args:
        verbose: 0 for no output, 1 for a bar if there is a terminal, 2 for lines.
    """

    is_bar = True  # called after a batch only when it is time to draw; see `CallbackList`

    def __init__(self, verbose: int = 1):
        super().__init__()
        self.verbose = verbose
        self._bar: Progress | None = None
        self._validation: dict[str, float] = {}
        self._epoch = 0
        self._mark: tuple[float, float] | None = None  # the time, and the progress at that time

    def __enter__(self) -> "TrainingProgress":
        return self

    def __exit__(self, *error: Any) -> None:
        self._close()

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._close()
        self._validation, self._mark = {}, None
        objective = self.model.objective()
        self._terms = [name for name, term in objective.items() if term.train != 0]
        self._steps = self.params["steps"] or 1
        if self.verbose == 1 and is_live():
            columns = "{task.description}", "{task.fields[epoch]}", "{task.fields[left]}"
            own, bar, *others = TextColumn(columns[0]), BarColumn(), *map(TextColumn, columns[1:])
            losses = TextColumn("{task.fields[losses]}")
            self._bar = Progress(own, bar, *others, losses, console=Console(), auto_refresh=False)
            name, total = type(self.model).__name__, self._epochs * self._steps
            self._task = self._bar.add_task(name, total=total, epoch="", left="", losses="")
            self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._bar is not None:
            self._draw(self._epoch + (batch + 1) / self._steps, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        self._validation.update({k: v for k, v in logs.items() if k.startswith("val_")})
        if self._bar is not None:
            self._draw(epoch + 1, logs)
        elif self.verbose:
            name = type(self.model).__name__
            parts = f"{name}, epoch {epoch + 1}/{self._epochs}", self._losses(logs)
            left = self._left(epoch + 1)
            print(", ".join([*parts, left] if left else parts), flush=True)

    def on_train_end(self, logs: dict | None = None) -> None:
        self._close()

    @property
    def _epochs(self):
        return self.params["epochs"]

    def _draw(self, done, logs):
        self._bar.update(
            self._task,
            completed=done * self._steps,
            epoch=f"epoch {min(self._epoch + 1, self._epochs)}/{self._epochs}",
            left=self._left(done),
            losses=self._losses(logs),
            refresh=True,
        )

    def _losses(self, logs):
        """Returns the loss, its terms if there are several, and the loss of held-out examples."""
        terms = [f"{term} {logs[term]:.4g}" for term in self._terms if term in logs]
        text = f"loss {logs['loss']:.4g}" if "loss" in logs else ""
        if len(terms) > 1:
            text += f" ({', '.join(terms)})"
        if "val_loss" in self._validation:
            text += f", val_loss {self._validation['val_loss']:.4g}"
        return text.removeprefix(", ")

    def _left(self, done):
        """Returns the remaining time, once there is progress besides a first part, compilation."""
        now = time.monotonic()
        if self._mark is None:
            self._mark = now, done
        since, begun = self._mark
        if done <= begun or done >= self._epochs:
            return ""
        seconds = (now - since) / (done - begun) * (self._epochs - done)
        return f"{datetime.timedelta(seconds=round(seconds))} left"

    def _close(self):
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
