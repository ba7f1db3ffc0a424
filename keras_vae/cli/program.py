"""The program `keras-vae`: all its commands."""

import difflib

import click

from keras_vae.cli import catalogue
from keras_vae.cli import upkeep
from keras_vae.cli.command import HelpWithExamples
from keras_vae.cli.compress import compress
from keras_vae.cli.compress import decompress
from keras_vae.cli.evaluate import evaluate
from keras_vae.cli.explore import explore
from keras_vae.cli.export import export
from keras_vae.cli.folders import decode
from keras_vae.cli.folders import encode
from keras_vae.cli.impute import impute
from keras_vae.cli.pictures import reconstruct
from keras_vae.cli.pictures import sample
from keras_vae.cli.plots import interpolate
from keras_vae.cli.plots import plot
from keras_vae.cli.score import score
from keras_vae.cli.train import train
from keras_vae.version import __version__

NAME = "keras-vae"


class Program(HelpWithExamples, click.Group):
    """A group that keeps commands in the order of addition, and suggests one for misspelt names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of the commands."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the name of a command, the command, and its arguments."""
        name = args[0]
        is_option = name.startswith("-")
        if name not in self.commands and not is_option and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name, self.commands, n=1)
            advice = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {name!r}.{advice}")
        return super().resolve_command(ctx, args)


@click.group(
    NAME,
    cls=Program,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples="""
    keras-vae list                           the presets
    keras-vae sample vae_mnist_mini          64 new digits into samples.png
    keras-vae train vae_mnist_mini           train it yourself, into runs/vae_mnist_mini
    keras-vae evaluate runs/vae_mnist_mini   measure the result
    keras-vae COMMAND --help                 options and examples of a command
    """,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """Variational autoencoders: pretrained presets, and recipes to train them."""


for _command in (
    train,
    evaluate,
    sample,
    reconstruct,
    interpolate,
    plot,
    explore,
    encode,
    decode,
    compress,
    decompress,
    export,
    score,
    impute,
    catalogue.list_presets,
    catalogue.info,
    upkeep.download,
    upkeep.verify,
    upkeep.cache,
    upkeep.upload,
):
    program.add_command(_command)
