"""Chooses the Keras backend before anything imports Keras; `keras_vae/__init__.py` calls it first.

Keras takes the backend from `KERAS_BACKEND`, otherwise from `~/.keras/keras.json`, otherwise
TensorFlow, and fails with a bare `ModuleNotFoundError` if it is not installed. In that case the
first installed backend is chosen here, so that a machine with only PyTorch needs no environment
variable.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")


def installed_backends() -> tuple[str, ...]:
    """Returns the names of the backends that can be imported, in Keras' order of preference."""
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name) is not None)


def choose_backend() -> None:
    """Sets `KERAS_BACKEND` if Keras' own choice would fail, and silences TensorFlow's INFO logs.

    Does nothing if Keras has already been imported. Leaves `KERAS_BACKEND` alone if Keras' own
    choice is installed.

    Raises:
        ImportError: If no backend is installed, or if `KERAS_BACKEND` names one that is not.
    """
    if "keras" in sys.modules:
        return
    # TensorFlow reads this only on import; 1 hides the INFO messages of its C++ code.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    installed = installed_backends()
    if not installed:
        raise ImportError(
            "keras_vae needs one of TensorFlow, JAX and PyTorch, but none is installed. "
            'Install one, for example: pip install "keras-vae[tensorflow]"'
        )
    asked = os.environ.get("KERAS_BACKEND")
    if asked:
        _check_asked(asked, installed)
    elif _configured_backend() not in installed:
        os.environ["KERAS_BACKEND"] = installed[0]


def _check_asked(asked: str, installed: tuple[str, ...]) -> None:
    if asked not in BACKENDS:
        raise ImportError(
            f"KERAS_BACKEND={asked!r} is not a backend that keras_vae supports. "
            f"Set it to one of: {', '.join(BACKENDS)}."
        )
    if asked not in installed:
        raise ImportError(
            f"KERAS_BACKEND={asked!r}, but {asked} is not installed "
            f"(installed here: {', '.join(installed)}). Set KERAS_BACKEND={installed[0]}, "
            f'or install it: pip install "keras-vae[{asked}]"'
        )


def _configured_backend() -> str:
    """Returns the backend in Keras' configuration file, or Keras' default."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text()).get("backend", BACKENDS[0])
    except (OSError, ValueError, AttributeError):
        return BACKENDS[0]
