"""The options of the commands that keep presets: list, info, download, verify, cache, upload."""

from keras_vae.cli import catalogue
from keras_vae.cli import upkeep
from keras_vae.cli.command_parser import add_command
from keras_vae.cli.command_parser import add_preset


def add_preset_commands(subparsers):
    """Adds these commands to the main parser's."""
    for add in (_add_list, _add_info, _add_download, _add_verify, _add_cache, _add_upload):
        add(subparsers)


def _add_list(subparsers):
    command = add_command(
        subparsers,
        "list",
        catalogue.list_presets,
        "List the presets: family, data, test NLL, parameters, and whether their weights are here.",
        """
        keras-vae list
        keras-vae list --family vqvae                      of one class of models
        keras-vae list --family vae --dataset mnist_mini   of one data set, too
        """,
    )
    command.add_argument("--family", metavar="CLASS", help="only of this class, such as VQVAE")
    command.add_argument("--dataset", metavar="NAME", help="only of these data, such as mnist")


def _add_info(subparsers):
    command = add_command(
        subparsers,
        "info",
        catalogue.info,
        "Tell about a preset: what it is, its numbers, how it was made, and how to use it.",
        """
        keras-vae info vae_mnist_mini
        keras-vae info runs/my_run
        """,
    )
    add_preset(command)


def _add_download(subparsers):
    command = add_command(
        subparsers,
        "download",
        upkeep.download,
        "Fetch the weights of presets, and verify them: from $KERAS_VAE_ZOO, into the cache.",
        """
        keras-vae download vae_mnist iwae_mnist
        keras-vae download --all
        keras-vae download hf://owner/name        a preset of somebody else
        """,
    )
    add_preset(command, nargs="*")
    command.add_argument("--all", action="store_true", help="every preset that has weights")


def _add_verify(subparsers):
    command = add_command(
        subparsers,
        "verify",
        upkeep.verify,
        "Compare every file of presets with the sha256 that it must have. Exit code 3 if one is "
        "damaged.",
        """
        keras-vae verify                  all that is here
        keras-vae verify vae_mnist_mini
        keras-vae verify runs/my_run      by the digests in its own config.json
        """,
    )
    add_preset(command, nargs="*")


def _add_cache(subparsers):
    command = add_command(
        subparsers,
        "cache",
        upkeep.cache,
        "Show where fetched weights are kept, or free space there.",
        """
        keras-vae cache path
        keras-vae cache clean         what this version does not use: old ones, damaged ones, parts
        keras-vae cache clean --all   everything
        """,
    )
    command.add_argument("action", choices=("path", "clean"))
    command.add_argument("--all", action="store_true", help="of clean: remove all fetched weights")


def _add_upload(subparsers):
    command = add_command(
        subparsers,
        "upload",
        upkeep.upload,
        "Push a preset with its card to the Hugging Face hub. You must be logged in there.",
        """
        keras-vae upload runs/vae_mnist_mini hf://me/my-vae
        keras-vae upload runs/vae_mnist_mini hf://me/my-vae --private
        """,
    )
    command.add_argument("folder", metavar="FOLDER", help="as `keras-vae train` writes it")
    command.add_argument("address", metavar="ADDRESS", help="hf://owner/name")
    command.add_argument("--private", action="store_true", help="make a new repository private")
