"""The common part of all `keras-vae` commands: help with examples, `--backend`, short errors."""

import re
import textwrap

import click

from keras_vae.backend import BACKENDS
from keras_vae.cli import library
from keras_vae.cli.exit_codes import INTERRUPTED
from keras_vae.cli.exit_codes import WRONG

_ADVISED = ("data_dir",)  # options that messages suggest if they were not given


class Failure(click.ClickException):
    """Ends a command with one line on standard error, and an exit code."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


class Argument(click.Argument):
    """An argument with an explanation in the help, as options have."""

    def __init__(self, *args, explanation: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.explanation = explanation


class HelpWithExamples:
    """Help that ends with verbatim examples. For subclasses of `click.Command`."""

    def __init__(self, *args, examples: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.examples = textwrap.dedent(examples).strip()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples."""
        with formatter.section("Examples"):
            formatter.write(f"{textwrap.indent(self.examples, '  ')}\n")


class Command(HelpWithExamples, click.Command):
    """A command of `keras-vae`, which takes `--backend` and imports the library before it runs.

    Args:
        examples: Lines of examples for the help.
        is_light: Whether the command does not need Keras, so that the library is not imported.
        when_interrupted: Advice to the user if the command is interrupted.
        *args, **kwargs: Passed to `click.Command`.
    """

    def __init__(
        self, *args, examples: str, is_light: bool = False, when_interrupted: str = "", **kwargs
    ):
        super().__init__(*args, examples=examples, **kwargs)
        self.is_light = is_light
        self.when_interrupted = when_interrupted
        backend = click.Option(
            ["--backend"],
            type=click.Choice(BACKENDS),
            help="Keras backend to use (default: $KERAS_BACKEND, or else the one that Keras is "
            "configured for).",
        )
        debug = click.Option(
            ["--debug"],
            is_flag=True,
            help="Show where an error comes from, with the full traceback.",
        )
        self.params += [backend, debug]

    def invoke(self, ctx: click.Context) -> int | None:
        """Runs the command and returns its exit code, or `None` for 0.

        Raises:
            Failure: If the input is wrong, according to one of the library's errors, or if the user
                has interrupted the command.
        """
        backend, debug = ctx.params.pop("backend"), ctx.params.pop("debug")
        try:
            if backend is not None:
                library.check_installed(backend)
            if not self.is_light:
                library.load(backend)
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Failure(f"interrupted{self.when_interrupted}", INTERRUPTED) from error
        except (ValueError, OSError, ImportError, NotImplementedError) as error:
            if debug:
                raise
            message = self._in_options(str(error), ctx.params)
            raise Failure(f"error: {message}", WRONG) from error

    def _in_options(self, message, given):
        """Returns a message of the library with the arguments that it names replaced by command
        line options: `num_samples=5` by --num 5."""
        for option in self.params:
            is_told = given.get(option.name) is not None or option.name in _ADVISED
            if isinstance(option, click.Option) and is_told:
                long_name = next(name for name in option.opts if name.startswith("--"))
                message = re.sub(rf"`{option.name}(?:=([^`]*))?`", rf"{long_name} \1", message)
                message = re.sub(rf"({long_name}) (?=[ ,.:;)])", r"\1", message)
        return message

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the explanations of the arguments and options."""
        arguments = [p for p in self.get_params(ctx) if isinstance(p, Argument)]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl([(a.human_readable_name, a.explanation) for a in arguments])
        super().format_options(ctx, formatter)
