"""Arguments and options that several commands of `keras-vae` take."""

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from keras_vae import presets as known_presets
from keras_vae.cli.command import Argument

_MAX_SEED = 2**31


class Integer(click.ParamType):
    """An integer within bounds, written in decimal digits.

    Args:
        minimum: Integer, the smallest allowed.
        maximum: Integer, the largest allowed, or `None`.
    """

    name = "integer"

    def __init__(self, minimum: int, maximum: int | None = None):
        self.minimum = minimum
        self.maximum = maximum

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Returns the integer in a text."""
        text = str(value)
        if not text.isdecimal() or not self._is_within(int(text)):
            self.fail(f"must be an integer {self._bounds()}, not {value!r}", param, ctx)
        return int(text)

    def _is_within(self, value):
        return value >= self.minimum and (self.maximum is None or value <= self.maximum)

    def _bounds(self):
        if self.maximum is None:
            return f"of at least {self.minimum}"
        return f"from {self.minimum} to {self.maximum}"


class ImageSize(click.ParamType):
    """The size of pictures: a side, such as 64, or a height and a width, such as 48x64."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Returns `(height, width)`."""
        sides = str(value).lower().split("x")
        if len(sides) > 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
            self.fail(
                f"must be a side length, such as 64, or HEIGHTxWIDTH, not {value!r}", param, ctx
            )
        return int(sides[0]), int(sides[-1])


def image_size(function: Callable) -> Callable:
    """The option `--image-size`."""
    text = "With --data: size to resize pictures to, 64 or 48x64 (default: unchanged, or "
    text += "64 where they are larger or of several sizes)."
    return click.option("--image-size", type=ImageSize(), metavar="SIZE", help=text)(function)


def names_or_paths(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Completes the name of a preset in a shell, or a path if no name matches."""
    names = [name for name in known_presets.names() if name.startswith(incomplete)]
    return [*map(CompletionItem, names)] or [CompletionItem(incomplete, type="file")]


def preset(**attributes) -> Callable:
    """The argument PRESET.

    Args:
        **attributes: Passed to `click.argument`.
    """
    attributes = {"metavar": "PRESET", "shell_complete": names_or_paths, **attributes}
    explanation = "A name shown by `keras-vae list`, a folder, or hf://owner/name."
    return click.argument("preset", cls=Argument, explanation=explanation, **attributes)


def presets() -> Callable:
    """The argument PRESET, any number of times."""
    return preset(metavar="[PRESET]...", nargs=-1)


def data(function: Callable) -> Callable:
    """The options `--data` and `--data-dir`."""
    option = click.option(
        "--data",
        metavar="NAME_OR_PATH",
        help="An .npz file, a folder of images, mnist_mini, or a name of tensorflow-datasets "
        "(default: the recipe's data).",
    )
    return option(data_dir(function))


def table(function: Callable) -> Callable:
    """The option `--data` of commands that read a table."""
    text = "A .csv or .tsv file with a header line and the columns that the model knows."
    return click.option("--data", metavar="FILE", required=True, help=text)(function)


def data_dir(function: Callable) -> Callable:
    """The option `--data-dir`."""
    text = "Where to look for data files and keep downloads."
    return click.option("--data-dir", metavar="FOLDER", help=text)(function)


def count(*names: str, default: int | None = None, metavar: str = "N", help: str = "") -> Callable:
    """An option that takes a positive integer.

    Args:
        *names: The option, such as `--num`, and its other names.
        default: Its default value.
        metavar: The letter that represents its value in the help.
        help: Its line in the help.
    """
    return click.option(*names, type=Integer(1), default=default, metavar=metavar, help=help)


def seed(help: str) -> Callable:
    """The option `--seed`.

    Args:
        help: Its line in the help.
    """
    return click.option("--seed", type=Integer(0, _MAX_SEED - 1), metavar="S", help=help)


def image_file(default: str, other_endings: str) -> Callable:
    """The option `--output` of commands that write images.

    Args:
        default: Default name of the file.
        other_endings: Endings besides .png, and what such files hold.
    """
    text = f"A .png file, or {other_endings} (default: {default})."
    return click.option("--output", default=default, metavar="FILE", help=text)
