"""The way into `keras-vae` for a shell: answers `--help` and `list` without importing Keras.

`import keras_vae` is eager on purpose: it imports Keras and every class of the library, so that
saved models find their classes. That takes seconds. But Python runs `keras_vae/__init__.py` before
it imports any `keras_vae.x`, the command line included. So this module, which lies beside the
package, puts the package into `sys.modules` without running its `__init__` yet. Python then finds
the light submodules, `keras_vae.cli` and `keras_vae.presets`, by the package's `__path__`. Before a
command that needs the library `complete` runs the `__init__`, in that same module object: what was
imported before stays what it is, and the package is as after `import keras_vae`.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

# Packages whose `__init__` imports Keras while light modules lie in them, parents first.
_HEAVY = ("keras_vae", "keras_vae.codecs", "keras_vae.recipes")
_postponed: dict[str, ModuleType] = {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command of `keras-vae` and returns its exit code.

    Args:
        arguments: the command's arguments, by default those of the process.
    """
    if "keras_vae" not in sys.modules:
        _postpone()
    try:
        return importlib.import_module("keras_vae.cli.main").main(arguments)
    finally:
        if _postponed:
            _forget()


def complete() -> None:
    """Runs the `__init__` of the packages for which that was postponed, if there are any."""
    for name, module in list(_postponed.items()):
        module.__spec__.loader.exec_module(module)
        del _postponed[name]


def _postpone():
    """Puts the heavy packages in place without running their `__init__`."""
    for name in _HEAVY:
        spec = importlib.util.find_spec(name)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = _postponed[name] = module
        parent, _, child = name.rpartition(".")
        if parent:  # as the import system does
            setattr(sys.modules[parent], child, module)


def _forget():
    """Takes the incomplete packages away: a later `import keras_vae` is a real and whole one."""
    _postponed.clear()
    for name in [name for name in sys.modules if f"{name}.".startswith("keras_vae.")]:
        del sys.modules[name]


if __name__ == "__main__":
    # `python -m keras_vae_cli`: what is postponed must be known to the module of this name, too.
    sys.exit(importlib.import_module("keras_vae_cli").main())
