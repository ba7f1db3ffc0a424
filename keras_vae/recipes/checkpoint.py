"""The checkpoint of a run, from which it resumes as if it had not been interrupted."""

import json
import os
import shutil
import time
from pathlib import Path

import keras

from keras_vae.atomic_files import write_atomically
from keras_vae.models import GenerativeModel

FOLDER = "checkpoint"
_WEIGHTS = "latest.weights.h5"
_RUN = "run.json"


class Checkpoint(keras.callbacks.Callback):
    """Saves weights, optimizer and noise after every epoch.

    Each checkpoint is written to a temporary file and then renamed, so that a run interrupted in
    between resumes from the previous one. The number of finished epochs is not stored separately:
    it follows from the optimizer's count of updates, so the two cannot disagree.

    Args:
        run_folder: Path of the run; the checkpoint is in its sub-folder `checkpoint`.
        settings: Dict of everything that the run depends on, serialisable as JSON. A run resumes
            only with the settings that it was started with.

    Raises:
        ValueError: If the folder contains the checkpoint of a run with other settings.
    """

    def __init__(self, run_folder: str | Path, settings: dict):
        super().__init__()
        self.folder = Path(run_folder) / FOLDER
        self.settings = settings
        run = self._read_run()
        self._check_settings(run.get("settings", settings))
        self._seconds_before = run.get("seconds", (0.0, 0.0))
        self._started = (time.perf_counter(), time.process_time())

    def restore(self, model: GenerativeModel, steps_per_epoch: int) -> int:
        """Loads the checkpoint, if there is one, and returns the number of finished epochs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_run()
        if not (self.folder / _WEIGHTS).exists():
            return 0
        model.optimizer.build(model.trainable_variables)  # before its state can be loaded
        model.load_weights(self.folder / _WEIGHTS)
        return int(keras.ops.convert_to_numpy(model.optimizer.iterations)) // steps_per_epoch

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        unfinished = self.folder / f"next.{_WEIGHTS}"  # Keras insists on this ending
        self.model.save_weights(unfinished)
        os.replace(unfinished, self.folder / _WEIGHTS)
        self._write_run()

    def keep_time(self) -> None:
        """Records how long the run has taken so far."""
        self._write_run()

    def seconds(self) -> tuple[float, float]:
        """Returns the wall and the processor time of the run so far, over all its sessions."""
        now = (time.perf_counter(), time.process_time())
        parts = zip(self._seconds_before, self._started, now, strict=True)
        return tuple(before + end - start for before, start, end in parts)

    def remove(self) -> None:
        """Removes the checkpoint of a finished run."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read_run(self):
        path = self.folder / _RUN
        return json.loads(path.read_text()) if path.exists() else {}

    def _write_run(self):
        run = {"settings": self.settings, "seconds": self.seconds()}
        write_atomically(self.folder / _RUN, json.dumps(run, indent=2).encode())

    def _check_settings(self, before):
        changed = sorted(k for k in self.settings if before.get(k) != self.settings[k])
        if changed:
            raise ValueError(
                f"{self.folder} holds an interrupted run with other settings: "
                f"{', '.join(changed)}. To finish it, give the settings it was started with. "
                f"Otherwise choose another folder, or remove {self.folder} to start again."
            )
