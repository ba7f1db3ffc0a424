import shlex

import pytest

from keras_vae import __version__
from keras_vae.cli.options import parse

MODELS = ("train", "evaluate", "sample", "reconstruct")
PRESETS = ("list", "info", "download", "verify", "cache", "upload")
COMMANDS = MODELS + PRESETS
ARGUMENTS = {"list": [], "cache": ["path"], "upload": ["folder", "hf://me/vae"]}


def help_of(capsys, *command):
    with pytest.raises(SystemExit) as exit_:
        parse([*command, "--help"])
    assert exit_.value.code == 0
    return capsys.readouterr().out


def examples_in(text):
    lines = text.split("examples:\n")[1].splitlines()
    return [line.strip().split("   ")[0].strip() for line in lines]


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=str)
def test_every_example_is_a_command(capsys, command):
    examples = examples_in(help_of(capsys, *command))
    assert examples
    for example in examples:
        program, *arguments = shlex.split(example)
        assert program == "keras-vae"
        if arguments[0] != "COMMAND":
            assert callable(parse(arguments).run)
        assert not command or arguments[0] == command[0]


def test_the_main_help_names_every_command(capsys):
    text = help_of(capsys)
    assert all(f"\n    {name}" in text for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_backend(command):
    preset = ARGUMENTS.get(command, ["vae"])
    assert parse([command, *preset, "--backend", "torch"]).backend == "torch"
    assert parse([command, *preset]).backend is None


def test_defaults():
    train = parse(["train", "vae"])
    assert (train.epochs, train.seed, train.output, train.data_dir) == (None, None, None, None)
    evaluate = parse(["evaluate", "vae"])
    assert (evaluate.num_samples, evaluate.num_examples, evaluate.data) == (None, None, None)
    sample = parse(["sample", "vae"])
    assert (sample.num, sample.seed, sample.output) == (64, None, "samples.png")
    reconstruct = parse(["reconstruct", "vae"])
    assert (reconstruct.num, reconstruct.output) == (30, "reconstructions.png")


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_seeds_in_range(seed):
    assert parse(["sample", "vae", "--seed", str(seed)]).seed == seed


@pytest.mark.parametrize("seed", ["-1", str(2**31), "1.5", "a", "²"])
def test_seeds_out_of_range(seed, capsys):
    with pytest.raises(SystemExit):
        parse(["sample", "vae", f"--seed={seed}"])
    assert f"must be an integer from 0 to 2147483647, not '{seed}'" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit):
        parse(["--version"])
    assert capsys.readouterr().out == f"keras-vae {__version__}\n"
