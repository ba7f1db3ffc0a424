"""The entry point `keras-vae`: from the arguments of a process to its exit code."""

import os
import sys

import keras

from keras_vae import backend
from keras_vae.cli.exit_codes import INTERRUPTED
from keras_vae.cli.exit_codes import WRONG
from keras_vae.cli.options import parse


def main(arguments=None):
    """Runs a command and returns its exit code.

    Args:
        arguments: list of str, by default those of the process.

    Raises:
        SystemExit: from argparse, after `--help` (0) or wrong usage (2).
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = parse(arguments)
    try:
        if options.backend not in (None, keras.config.backend()):
            _restart_on(options.backend, arguments)
        return options.run(options) or 0
    except KeyboardInterrupt:
        advice = "; the same command goes on from the last epoch" * (options.command == "train")
        return _complain(f"interrupted{advice}", INTERRUPTED)
    except (ValueError, OSError, ImportError, NotImplementedError) as error:
        return _complain(f"error: {error}", WRONG)


def _restart_on(name, arguments):
    """Replaces this process by one on another backend: Keras cannot change its own."""
    installed = backend.installed_backends()
    if name not in installed:
        raise ImportError(
            f"--backend {name}, but {name} is not installed (installed here: "
            f'{", ".join(installed)}). Install it: pip install "keras-vae[{name}]"'
        )
    sys.stdout.flush()
    command = [sys.executable, "-m", "keras_vae.cli.main", *arguments]
    os.execve(sys.executable, command, {**os.environ, "KERAS_BACKEND": name})


def _complain(message, code):
    print(f"keras-vae: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
