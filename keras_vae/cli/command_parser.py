"""What all commands of `keras-vae` share: errors of one line, help with examples, a backend."""

import argparse
import textwrap

from keras_vae import backend
from keras_vae.cli.exit_codes import WRONG


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        self.exit(WRONG, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def add_command(subparsers, name, run, description, examples):
    """Returns the parser of a new command.

    Args:
        subparsers: of the main parser.
        name: str, the command.
        run: function of the parsed options, which may return an exit code.
        description: str, whose first words are the command's line in the main help.
        examples: str, lines of the help.
    """
    command = subparsers.add_parser(
        name,
        help=description.split(":")[0].split(".")[0].lower(),
        description=description,
        **with_examples(examples),
    )
    command.set_defaults(run=run)
    command.add_argument(
        "--backend",
        choices=backend.BACKENDS,
        help="what Keras runs on (default: $KERAS_BACKEND, else Keras' own choice)",
    )
    return command


def with_examples(examples):
    """Returns the arguments of a parser whose help ends in examples."""
    return {
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "epilog": "examples:\n" + textwrap.indent(textwrap.dedent(examples).strip(), "  "),
    }


def add_preset(command, **options):
    """Adds the argument PRESET."""
    command.add_argument(
        "preset",
        metavar="PRESET",
        help="a name that `keras-vae list` shows, a folder, or hf://owner/name",
        **options,
    )
