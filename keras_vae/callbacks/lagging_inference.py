"""Ends the phase in which an encoder is trained more often than its decoder."""

from typing import Any

import keras

from keras_vae.evaluation.latent_information import mutual_information
from keras_vae.typing import Array


class LaggingInference(keras.callbacks.Callback):
    """Measures the mutual information of x and z after each epoch. Once it no longer rises, a
    `LaggingSequenceVAE` updates its decoder at every step.

    It adds `mutual_information`, in nats, to the logs.

    Args:
        x: Held-out examples, as the model takes them. With N examples at most log N nats can be
            measured.

    Raises:
        ValueError: In `fit`, if the model is not a `LaggingSequenceVAE` or similar.

    Reference:
        - [He et al., 2019](https://arxiv.org/abs/1901.05534), section 4.1
    """

    def __init__(self, x: Array) -> None:
        super().__init__()
        self.x = x
        self._before: float | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks the model, and discards the measurements of an earlier `fit`."""
        self._before = None
        if not hasattr(self.model, "is_lagging"):
            raise ValueError(
                "`LaggingInference` needs a model with a lagging encoder, such as "
                f"keras_vae.LaggingSequenceVAE. Received: {type(self.model).__name__}."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures the information, and ends the first phase if it has stopped rising."""
        model = self.model  # on JAX, reading it writes the trained values back to the variables
        information = mutual_information(model, self.x)
        if logs is not None:
            logs["mutual_information"] = information
        if self._before is not None and information <= self._before:
            model.is_lagging.assign(0.0)
        self._before = information
