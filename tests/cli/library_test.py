import os

import keras
import pytest

from keras_vae import backend
from keras_vae.cli import library

pytestmark = pytest.mark.one_backend

THIS = keras.config.backend()
OTHER = "torch" if THIS != "torch" else "jax"


def test_one_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(backend, "installed_backends", lambda: (THIS,))
    library.check_installed(THIS)
    with pytest.raises(ImportError, match=rf"not installed \(installed here: {THIS}\).*pip inst"):
        library.check_installed(OTHER)


def test_a_library_that_is_loaded_keeps_its_backend():
    library.load()
    library.load(THIS)
    with pytest.raises(ValueError, match=f"--backend {OTHER}, but this process runs .* {THIS} alr"):
        library.load(OTHER)
    assert os.environ.get("KERAS_BACKEND") != OTHER
