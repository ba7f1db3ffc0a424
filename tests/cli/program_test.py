import shlex

import pytest

from keras_vae import __version__
from keras_vae.cli.main import main
from keras_vae.cli.program import program

pytestmark = pytest.mark.one_backend

MODELS = (
    "train",
    "evaluate",
    "sample",
    "reconstruct",
    "interpolate",
    "plot",
    "explore",
    "encode",
    "decode",
    "compress",
    "decompress",
    "export",
    "score",
    "impute",
)
PRESETS = ("list", "info", "download", "verify", "cache", "upload")
COMMANDS = MODELS + PRESETS
ARGUMENTS = {
    "list": [],
    "cache": ["path"],
    "upload": ["folder", "hf://me/vae"],
    "encode": ["vae", "folder"],
    "decode": ["vae", "latents.npz"],
    "compress": ["vae", "digits.npz"],
    "decompress": ["vae", "digits.kvz"],
    "score": ["vae", "--data", "new.csv"],
    "impute": ["vae", "--data", "gaps.csv"],
}


def parsed(name, *arguments):
    """What a command takes from arguments."""
    return program.commands[name].make_context(name, list(arguments)).params


def help_of(capsys, *command):
    assert main([*command, "--help"]) == 0
    return capsys.readouterr().out


def examples_in(text):
    lines = text.split("Examples:\n")[1].splitlines()
    return [line.strip().split("   ")[0].strip() for line in lines]


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=str)
def test_every_example_is_a_command(capsys, command):
    examples = examples_in(help_of(capsys, *command))
    assert examples
    for example in examples:
        name, *arguments = shlex.split(example)
        assert name == "keras-vae"
        if arguments[0] != "COMMAND":
            assert parsed(*arguments)
        assert not command or arguments[0] == command[0]


def test_the_main_help_names_every_command_and_what_it_does(capsys):
    lines = help_of(capsys).split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert tuple(line.split()[0] for line in lines) == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_backend(command):
    arguments = ARGUMENTS.get(command, ["vae"])
    assert parsed(command, *arguments, "--backend", "torch")["backend"] == "torch"
    assert parsed(command, *arguments)["backend"] is None


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_and_option_is_explained(command):
    for parameter in program.commands[command].params:
        assert getattr(parameter, "help", None) or parameter.explanation


def test_defaults():
    assert set(parsed("train", "vae").values()) == {"vae", None, False, ()}
    assert set(parsed("evaluate", "vae").values()) == {"vae", None, False}
    sample = parsed("sample", "vae")
    assert (sample["num_samples"], sample["seed"], sample["where"]) == (64, None, ())
    reconstruct = parsed("reconstruct", "vae")
    assert (reconstruct["num"], reconstruct["output"]) == (30, "reconstructions.png")
    assert set(parsed("list").values()) == {None, False}
    download = parsed("download", "a", "b")
    assert (download["preset"], download["everything"]) == (("a", "b"), False)
    assert parsed("verify")["preset"] == ()
    upload = parsed("upload", "folder", "hf://me/vae")
    assert (upload["folder"], upload["address"], upload["private"]) == (
        "folder",
        "hf://me/vae",
        False,
    )


@pytest.mark.parametrize("action", ["path", "clean"])
def test_cache(action):
    options = parsed("cache", action)
    assert (options["action"], options["everything"]) == (action, False)


def test_the_cache_is_not_cleaned_by_mistake(capsys):
    for arguments in (["cache"], ["cache", "cleen"]):
        assert main(arguments) == 2


@pytest.mark.parametrize("typed, meant", [("sampel", "sample"), ("lst", "list"), ("inf", "info")])
def test_the_nearest_command_is_suggested(capsys, typed, meant):
    assert main([typed, "vae"]) == 2
    assert f"No such command {typed!r}. Did you mean {meant!r}?" in capsys.readouterr().err
    assert main(["nonsense"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"keras-vae {__version__}\n"
