import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_vae import backend

CHECKOUT = Path(backend.__file__).parents[1]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A function that makes this process look like one, before Keras, with some backends installed.

    It returns the `KERAS_BACKEND` that is chosen there.
    """
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    find_spec = importlib.util.find_spec

    def choose(*installed, asked=None, configured=None):
        def find(name, package=None):
            if name in backend.BACKENDS:
                return "spec" if name in installed else None
            return find_spec(name, package)

        monkeypatch.setattr(importlib.util, "find_spec", find)
        monkeypatch.setenv("KERAS_BACKEND", asked or "")
        if configured is not None:
            (tmp_path / "keras.json").write_text(configured)
        backend.choose_backend()
        return os.environ["KERAS_BACKEND"]

    return choose


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", backend.BACKENDS)
def test_the_only_one_installed_is_taken(machine, name):
    # Keras would take TensorFlow by itself: nothing needs to be said.
    assert machine(name) == ("" if name == "tensorflow" else name)


def test_the_first_installed_in_keras_order(machine):
    assert machine("torch", "jax") == "jax"


def test_keras_choice_stands_where_it_can(machine):
    assert machine("tensorflow", "torch") == ""
    assert machine("tensorflow", "torch", asked="torch") == "torch"
    assert machine("tensorflow", "torch", configured='{"backend": "torch"}') == ""


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("configured", ['{"backend": "jax"}', "{", "[]", "{}"])
def test_a_configuration_that_cannot_be_followed(machine, configured):
    assert machine("torch", configured=configured) == "torch"


def test_asked_for_one_that_is_not_installed(machine):
    with pytest.raises(ImportError, match=r"jax is not installed.*torch"):
        machine("torch", asked="jax")


def test_asked_for_one_that_is_none(machine):
    with pytest.raises(ImportError, match=r"'numpy'.*tensorflow, jax, torch"):
        machine("torch", asked="numpy")


def test_none_is_installed(machine):
    with pytest.raises(ImportError, match=r"needs one of TensorFlow.*pip install"):
        machine()


def test_an_imported_keras_is_left_alone(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda *args: None)
    backend.choose_backend()


def test_tensorflow_is_quiet_unless_it_was_told_otherwise(machine, monkeypatch):
    for given, expected in (("0", "0"), (None, "1")):
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
        if given:
            monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", given)
        machine("tensorflow")
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == expected


def import_on_a_machine_with(*installed, home):
    """Imports keras_vae in a process that finds only these backends."""
    hidden = sorted(set(backend.BACKENDS) - set(installed))
    code = (
        "import importlib.util as util; find = util.find_spec; "
        f"util.find_spec = lambda n, *a: None if n in {hidden} else find(n, *a); "
        "import keras_vae, keras; print(keras.config.backend())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    environment |= {"PYTHONPATH": str(CHECKOUT), "KERAS_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.first_case_elsewhere
@pytest.mark.slow
@pytest.mark.parametrize("name", backend.installed_backends())
def test_import_with_one_backend_only(name, tmp_path):
    done = import_on_a_machine_with(name, home=tmp_path)
    assert done.stdout.strip() == name, done.stderr


def test_import_without_any_backend(tmp_path):
    done = import_on_a_machine_with(home=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: keras_vae needs one of TensorFlow")
