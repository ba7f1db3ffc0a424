"""Chooses the Keras backend before anything imports Keras; `keras_vae/__init__.py` calls it first.

Keras takes `KERAS_BACKEND`, else `~/.keras/keras.json`, else TensorFlow, and dies with a bare
`ModuleNotFoundError` where that one is not installed. Here the choice falls, in that case, on the
first backend that is installed, so that a machine with only PyTorch on it needs no variable.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")


def installed_backends():
    """Returns the names of the backends that can be imported, in Keras' order of preference."""
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name) is not None)


def choose_backend():
    """Sets `KERAS_BACKEND` where Keras' own choice would fail, and quietens TensorFlow.

    Does nothing once Keras is imported, or where Keras' choice is installed.

    Raises:
        ImportError: no backend is installed, or `KERAS_BACKEND` names one that is not.
    """
    if "keras" in sys.modules:
        return
    # Heard by TensorFlow only before its import: drops what its C++ says for information.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    installed = installed_backends()
    if not installed:
        raise ImportError(
            "keras_vae needs one of TensorFlow, JAX or PyTorch, and none is installed. "
            'Install one, for example: pip install "keras-vae[tensorflow]"'
        )
    asked = os.environ.get("KERAS_BACKEND")
    if asked:
        _check_asked(asked, installed)
    elif _configured_backend() not in installed:
        os.environ["KERAS_BACKEND"] = installed[0]


def _check_asked(asked, installed):
    if asked not in BACKENDS:
        raise ImportError(
            f"KERAS_BACKEND={asked!r} is not a backend keras_vae runs on. "
            f"Set it to one of: {', '.join(BACKENDS)}."
        )
    if asked not in installed:
        raise ImportError(
            f"KERAS_BACKEND={asked!r}, but {asked} is not installed "
            f"(installed here: {', '.join(installed)}). Set KERAS_BACKEND={installed[0]}, "
            f'or install it: pip install "keras-vae[{asked}]"'
        )


def _configured_backend():
    """What Keras would take from its configuration file, or its default."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text()).get("backend", BACKENDS[0])
    except (OSError, ValueError, AttributeError):
        return BACKENDS[0]
