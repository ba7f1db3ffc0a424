"""Ends the time in which an encoder is trained ahead of its decoder."""

from typing import Any

import keras

from keras_vae.evaluation.latent_information import mutual_information
from keras_vae.typing import Array


class LaggingInference(keras.callbacks.Callback):
    """Measures the mutual information of x and z after each epoch, and ends the lagging of a
    `LaggingSequenceVAE` once it is no higher than the epoch before.

    It adds `mutual_information`, in nats, to the logs.

    Args:
        x: Held-out examples, as the model takes them; at most log N nats can be measured with N.

    Raises:
        ValueError: In `fit`, if the model is none that lags.

    Reference:
        - [He et al., 2019](https://arxiv.org/abs/1901.05534), section 4.1
    """

    def __init__(self, x: Array) -> None:
        super().__init__()
        self.x = x
        self._before: float | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks the model, and forgets what another training measured."""
        self._before = None
        if not hasattr(self.model, "is_lagging"):
            raise ValueError(
                "`LaggingInference` needs a model that lags, such as keras_vae.LaggingSequenceVAE. "
                f"Received: {type(self.model).__name__}."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures, and ends the lagging where the information has stopped rising."""
        model = self.model  # on JAX, reading it writes the trained values back to the variables
        information = mutual_information(model, self.x)
        if logs is not None:
            logs["mutual_information"] = information
        if self._before is not None and information <= self._before:
            model.is_lagging.assign(0.0)
        self._before = information
