"""Loading the model of a preset, whatever its class."""

from pathlib import Path
from typing import Any

from keras_vae.models.base.generative_model import GenerativeModel


def from_preset(name_or_folder: str | Path) -> Any:
    """Returns the model of a preset, whatever its family, with its weights.

    `VAE.from_preset` does the same, but raises an error if the model is not a `VAE`.

    Args:
        name_or_folder: A name that `keras_vae.presets.names()` lists, a folder written by
            `save_to_preset`, or `hf://owner/name`.

    Returns:
        A `GenerativeModel`.

    Raises:
        ValueError: If the name is unknown, files are damaged, or the preset names a class that is
            not imported.
        OSError: If the weights are not on this machine and cannot be downloaded.

    Example:

    ```python
    model = keras_vae.from_preset("vae_mnist_mini")
    pictures = model.sample(16, seed=0)
    ```
    """
    return GenerativeModel.from_preset(name_or_folder)
