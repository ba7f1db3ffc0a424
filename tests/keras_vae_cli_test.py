"""The way into the command line that imports no Keras, each time in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

CHECKOUT = Path(__file__).parents[1]
WHOLE = """
from keras_vae import VAE, networks, recipes
assert keras_vae.VAE is VAE and keras_vae.recipes is recipes
assert recipes.train_recipe.__module__ == "keras_vae.recipes.train"
assert keras_vae.presets is sys.modules["keras_vae.presets"]
assert keras.saving.get_registered_object("keras_vae>MLPEncoder") is networks.MLPEncoder
print("whole")
"""


def run(code, *, check=True, **environment):
    """Runs Python code in a process of its own and returns what it printed, line by line."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "KERAS_BACKEND": keras.config.backend(),
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, keras_vae_cli\n{code}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["list"],
        ["list", "--backend", keras.config.backend()],
        ["info", "vae_mnist_mini"],
        ["verify", "vae_mnist_mini"],
        ["download", "vae_mnist_mini"],
        ["cache", "path"],
    ],
    ids=" ".join,
)
def test_a_light_command_imports_no_framework(arguments):
    code = (
        f"assert keras_vae_cli.main({arguments}) == 0\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'keras', 'tensorflow', 'torch', 'jax', 'matplotlib', 'keras_vae'}))"
    )
    *told, imported = run(code)
    assert told
    assert imported == "[]"


def test_shells_complete_commands():
    variables = {"COMP_WORDS": "keras-vae sa", "COMP_CWORD": "1"}
    code = "keras_vae_cli.main()"
    assert run(code, _KERAS_VAE_COMPLETE="bash_complete", **variables) == ["plain,sample"]


def test_a_light_command_needs_no_backend():
    code = (
        "import importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda n, *a: None if n in ('tensorflow', 'jax', 'torch') else find(n)\n"
        "print(keras_vae_cli.main(['cache', 'path']), keras_vae_cli.main(['sample', 'tiny']))\n"
    )
    assert run(code, KERAS_BACKEND="")[-1] == "0 2"


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "arguments", [["list"], ["nonsense"], ["sample", "nothing"]], ids=lambda a: a[0]
)
def test_an_import_afterwards_is_whole(arguments):
    told = run(f"keras_vae_cli.main({arguments})\nimport keras_vae, keras\n{WHOLE}")
    assert told[-1] == "whole"


@pytest.mark.one_backend
def test_an_import_after_a_failed_one_is_whole():
    code = (
        "import os; asked = os.environ.pop('KERAS_BACKEND'); os.environ['KERAS_BACKEND'] = 'none'\n"
        "assert keras_vae_cli.main(['sample', 'vae_mnist_mini']) == 2\n"
        f"os.environ['KERAS_BACKEND'] = asked\nimport keras_vae, keras\n{WHOLE}"
    )
    assert run(code)[-1] == "whole"


@pytest.mark.one_backend
def test_what_was_imported_before_the_library_stays():
    code = (
        "keras_vae_cli._postpone()\n"
        "from keras_vae import presets\n"
        "from keras_vae.recipes import recipe\n"
        "import keras_vae; assert not hasattr(keras_vae, 'VAE')\n"
        "keras_vae_cli.complete(); keras_vae_cli.complete()\n"
        "import keras\n"
        "assert keras_vae.presets is presets and keras_vae.recipes.Recipe is recipe.Recipe\n"
        f"{WHOLE}"
    )
    assert run(code)[-1] == "whole"


@pytest.mark.one_backend
def test_a_library_that_is_there_is_used():
    code = (
        "import keras, keras_vae; before = keras_vae\n"
        "assert keras_vae_cli.main(['list']) == 0\n"
        f"assert sys.modules['keras_vae'] is before\n{WHOLE}"
    )
    assert run(code)[-1] == "whole"
