"""Imports the library on the requested backend, only if a command needs it."""

import os
import sys

import keras_vae_cli
from keras_vae import backend


def check_installed(name: str) -> None:
    """Raises an `ImportError` with installation advice if a backend is not installed."""
    installed = backend.installed_backends()
    if name not in installed:
        raise ImportError(
            f"--backend {name}, but {name} is not installed (installed here: "
            f'{", ".join(installed)}). Install it: pip install "keras-vae[{name}]"'
        )


def load(name: str | None = None) -> None:
    """Imports the whole library, unless that has been done.

    Args:
        name: The backend, by default the one that `import keras_vae` chooses.

    Raises:
        ValueError: If Keras has already been imported on another backend, which cannot be changed.
    """
    if name is not None and "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
    keras_vae_cli.complete()
    import keras

    if name not in (None, keras.config.backend()):
        raise ValueError(
            f"--backend {name}, but this process runs Keras on {keras.config.backend()} already. "
            "Run the command in a process of its own."
        )
