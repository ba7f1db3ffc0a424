"""Pictures of a model's samples and reconstructions during training."""

import io
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_vae import plotting
from keras_vae.callbacks.event_file import EventFile
from keras_vae.checks import check_count
from keras_vae.typing import Array

_COLUMNS = 8


class PictureWriter(keras.callbacks.Callback):
    """Draws samples and reconstructions every few epochs, to files and for TensorBoard.

    After epoch 5 the files are `samples-0005.png` and `reconstructions-0005.png`. The samples
    always use the same noise, so their changes are visible. A folder for TensorBoard holds one
    event file, which is written without TensorFlow: `tensorboard --logdir runs`.

    Args:
        folder: Path of the folder for the pictures, or `None` for none.
        x: Array (N, *S) of examples to reconstruct, preferably held-out ones, or `None`.
        condition: Array (N, ...), the conditions of x in a conditional model.
        sample_condition: Conditions of the samples, one for all or `num_samples` of them, in a
            model that needs them.
        every: Positive integer, the number of epochs between pictures.
        num_samples: Integer, the number of samples to draw; 0 for none.
        tensorboard: Path of a folder for TensorBoard, or `None` for none.
        seed: Integer, the seed of the samples.

    Raises:
        ValueError: If `every` is not a positive integer, if `num_samples` is not an integer of at
            least 0, if there is neither a folder nor one for TensorBoard, or nothing to draw; or,
            in `fit` before the first update, if `x` is not valid data for the model, or a picture
            could not be drawn.
        ImportError: If matplotlib is not installed.

    Example:

    ```python
    pictures = PictureWriter("runs/pictures", x_test[:16], every=5, tensorboard="runs/log")
    model.fit(x_train, epochs=50, callbacks=[pictures])
    ```
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        x: Array | None = None,
        condition: Array | None = None,
        sample_condition: Array | None = None,
        every: int = 1,
        num_samples: int = 32,
        tensorboard: str | os.PathLike[str] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.every = check_count("every", every)
        self.num_samples = check_count("num_samples", num_samples, least=0)
        if folder is None and tensorboard is None:
            raise ValueError(
                "Pictures need a destination: `folder`, `tensorboard`, or both. Received: neither."
            )
        if x is None and not num_samples:
            raise ValueError("There is nothing to draw: give `x`, or `num_samples` of at least 1.")
        self.folder, self.tensorboard, self.seed = folder, tensorboard, seed
        self.x, self.condition, self.sample_condition = x, condition, sample_condition
        self._events: EventFile | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Draws once and discards the pictures, so that errors are raised before training."""
        if self.x is not None:
            self.model.check_inputs(self.x, self.condition)
        if not self._drawn(self.model):
            raise ValueError(
                f"There is nothing to draw: this {type(self.model).__name__} has no prior to "
                "sample from yet, or draws pictures of any size. Give `x`, to draw its "
                "reconstructions."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Draws the pictures of this epoch."""
        if (epoch + 1) % self.every:
            return
        model = self.model  # on JAX, reading it writes the trained values back to the variables
        for name, figure in self._drawn(model).items():
            self._write(name, figure, epoch + 1)

    def _drawn(self, model):
        """Returns `{name: figure}`: samples, if the model can sample yet, and reconstructions."""
        value_range = getattr(getattr(model, "likelihood", None), "value_range", None)

        def shown(pictures):
            if value_range is None:
                return pictures
            low, high = value_range
            return (np.asarray(pictures) - low) / (high - low)

        drawn = {}
        is_of_one_size = not getattr(model, "is_of_any_size", False)
        if self.num_samples and model.can_sample and is_of_one_size:
            pictures = model.sample(self.num_samples, self.sample_condition, seed=self.seed)
            drawn["samples"] = plotting.image_grid(shown(pictures), columns=_COLUMNS)
        if self.x is not None:
            again = model.reconstruct(self.x, self.condition)
            figure = plotting.reconstructions(shown(self.x), shown(again), columns=_COLUMNS)
            drawn["reconstructions"] = figure
        return drawn

    def _write(self, name, figure, epoch):
        if self.folder is not None:
            plotting.save(figure, Path(self.folder) / f"{name}-{epoch:04d}.png")
        if self.tensorboard is not None:
            if self._events is None:
                self._events = EventFile(self.tensorboard)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png")
            width, height = (int(side) for side in figure.get_size_inches() * figure.dpi)
            self._events.add_picture(name, epoch, buffer.getvalue(), width, height)
