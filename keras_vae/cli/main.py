"""The entry point of `keras-vae`: from the arguments of a process to its exit code."""

import os
import sys
from collections.abc import Sequence

import click

from keras_vae.cli.exit_codes import INTERRUPTED
from keras_vae.cli.exit_codes import WRONG
from keras_vae.cli.program import NAME
from keras_vae.cli.program import program


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code.

    Args:
        arguments: The command's arguments, by default those of the process.
    """
    try:
        return program.main(arguments, NAME, standalone_mode=False) or 0
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else NAME
        return _complain(path, f"error: {error.format_message()} (see {path} --help)", WRONG)
    except click.ClickException as error:
        return _complain(NAME, error.format_message(), error.exit_code)
    except click.Abort:  # an interrupt before the command started
        return _complain(NAME, "interrupted", INTERRUPTED)


def _complain(who, message, code):
    print(f"{who}: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    # Keras has been imported by now. A new process behaves like the console script.
    os.execv(sys.executable, [sys.executable, "-m", "keras_vae_cli", *sys.argv[1:]])
