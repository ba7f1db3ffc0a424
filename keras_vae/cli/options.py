"""The options of `keras-vae`, and the help that teaches them."""

import argparse

from keras_vae import __version__
from keras_vae.cli import commands
from keras_vae.cli.command_parser import Parser
from keras_vae.cli.command_parser import add_command
from keras_vae.cli.command_parser import add_preset
from keras_vae.cli.command_parser import with_examples
from keras_vae.cli.preset_options import add_preset_commands

_MAX_SEED = 2**31


def parse(arguments):
    """Returns the parsed options; `options.run(options)` is the command.

    Args:
        arguments: list of str.

    Raises:
        SystemExit: after `--help` (0), or wrong usage (2).
    """
    return _parser().parse_args(arguments)


def _parser():
    parser = Parser(
        prog="keras-vae",
        description="Variational autoencoders: trained presets, and recipes to train them.",
        **with_examples(
            """
            keras-vae list                           what there is
            keras-vae sample vae_mnist_mini          64 new digits into samples.png
            keras-vae train vae_mnist_mini           train it yourself, into runs/vae_mnist_mini
            keras-vae evaluate runs/vae_mnist_mini   measure what came out
            keras-vae COMMAND --help                 options and examples of a command
            """
        ),
    )
    parser.add_argument("--version", action="version", version=f"keras-vae {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (_add_train, _add_evaluate, _add_sample, _add_reconstruct, add_preset_commands):
        add(subparsers)
    return parser


def _add_train(subparsers):
    command = add_command(
        subparsers,
        "train",
        commands.train,
        "Train a recipe into a run folder: weights, numbers, curves and pictures. A run that was "
        "interrupted goes on from its last epoch when the same command is given again.",
        """
        keras-vae train vae_mnist_mini                   a preset's recipe, into runs/vae_mnist_mini
        keras-vae train vae_mnist_mini --epochs 2        a quick look
        keras-vae train my/recipe.toml --output my_run   a recipe of your own
        keras-vae train vae_frey_faces --data-dir data   with frey_faces.npz in the folder data
        keras-vae train vae_mnist_mini --backend jax     on another backend
        """,
    )
    command.add_argument(
        "preset", metavar="RECIPE", help="a preset's name, a folder, or a .toml file"
    )
    command.add_argument("--epochs", type=_count, metavar="N", help="in place of the recipe's")
    _add_seed(command, "of weights, noise and the order of batches (default: the recipe's)")
    _add_data_dir(command)
    command.add_argument(
        "--output",
        metavar="FOLDER",
        help="the run folder (default: the first of runs/NAME, runs/NAME-2, ... that holds no "
        "finished run)",
    )


def _add_evaluate(subparsers):
    command = add_command(
        subparsers,
        "evaluate",
        commands.evaluate,
        "Measure a preset on test data: ELBO, importance-sampled NLL with its standard error, "
        "bits per dimension and active units.",
        """
        keras-vae evaluate vae_mnist_mini                         on the data of its recipe
        keras-vae evaluate vae_mnist_mini --num-examples 100      faster and less exact
        keras-vae evaluate runs/my_run --data digits.npz          on other data
        keras-vae evaluate vae_mnist_mini --output numbers.json   for a program to read
        keras-vae evaluate vae_mnist_mini --full                  every number of its card again
        """,
    )
    add_preset(command)
    _add_data(command)
    command.add_argument(
        "--num-samples",
        type=_count,
        metavar="K",
        help="draws of z for each example's NLL (default: the recipe's, or 1000)",
    )
    command.add_argument(
        "--num-examples", type=_count, metavar="N", help="measure the first N test examples only"
    )
    _add_seed(
        command, "of the draws, and of test pictures drawn black and white (default: the recipe's)"
    )
    command.add_argument("--output", metavar="FILE", help="also write the numbers, as JSON")
    command.add_argument(
        "--full",
        action="store_true",
        help="measure every number of the card; exit code 3 if one differs beyond its tolerance",
    )
    command.add_argument(
        "--record",
        action="store_true",
        help="with --full: keep the numbers of this backend that the card lacks in metrics.json",
    )


def _add_sample(subparsers):
    command = add_command(
        subparsers,
        "sample",
        commands.sample,
        "Draw new examples from a preset: the means of p(x|z), for z from the prior.",
        """
        keras-vae sample vae_mnist_mini                                  into samples.png
        keras-vae sample vae_mnist_mini --num 1000 --output digits.npz   as an array `images`
        keras-vae sample vae_mnist_mini --seed 1                         the same at every call
        keras-vae sample cvae_mnist --label 7                            of one class
        """,
    )
    add_preset(command)
    command.add_argument(
        "--num", type=_count, default=64, metavar="N", help="how many (default: 64)"
    )
    command.add_argument(
        "--label",
        type=int,
        metavar="C",
        help="of a model of labels: the class of all (default: each class in turn)",
    )
    _add_seed(command, "(default: another one at every call)")
    _add_picture(command, "samples.png", ".npz (array `images`) or .npy")


def _add_reconstruct(subparsers):
    command = add_command(
        subparsers,
        "reconstruct",
        commands.reconstruct,
        "Draw test examples, and below each what a preset makes of it.",
        """
        keras-vae reconstruct vae_mnist_mini                      into reconstructions.png
        keras-vae reconstruct vae_mnist_mini --output pairs.npz   as two arrays
        keras-vae reconstruct runs/my_run --data ./photos         pictures of your own
        """,
    )
    add_preset(command)
    _add_data(command)
    command.add_argument(
        "--num", type=_count, default=30, metavar="N", help="how many (default: 30)"
    )
    _add_seed(command, "of test pictures drawn black and white (default: the recipe's)")
    _add_picture(
        command,
        "reconstructions.png",
        ".npz (arrays `originals`, `reconstructions`) or .npy (the reconstructions)",
    )


def _add_data(command):
    command.add_argument(
        "--data",
        metavar="NAME_OR_PATH",
        help="an .npz file, a folder of pictures, mnist_mini, or a name of tensorflow-datasets "
        "(default: the recipe's data)",
    )
    _add_data_dir(command)


def _add_data_dir(command):
    command.add_argument(
        "--data-dir", metavar="FOLDER", help="where data files are looked for and downloads kept"
    )


def _add_seed(command, meaning):
    command.add_argument("--seed", type=_seed, metavar="S", help=f"seed {meaning}")


def _add_picture(command, default, other_endings):
    command.add_argument(
        "--output",
        default=default,
        metavar="FILE",
        help=f"a .png, or {other_endings} (default: {default})",
    )


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1, not {text!r}")
    return int(text)


def _seed(text):
    if not text.isdecimal() or int(text) >= _MAX_SEED:
        raise argparse.ArgumentTypeError(
            f"must be an integer from 0 to {_MAX_SEED - 1}, not {text!r}"
        )
    return int(text)
