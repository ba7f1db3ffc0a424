import click
import pytest
from click.testing import CliRunner

from keras_vae.cli import library
from keras_vae.cli.command import Argument
from keras_vae.cli.command import Command
from keras_vae.cli.command import Failure

pytestmark = pytest.mark.one_backend


def command(act=lambda: None, **attributes):
    """A command that runs a function and prints what it was given."""

    @click.command("do", cls=Command, examples="program do vae", **attributes)
    @click.argument(
        "things", nargs=-1, metavar="[THING]...", cls=Argument, explanation="What to do."
    )
    @click.option("--much", is_flag=True, help="Do it well.")
    def do(things, much):
        """Do a thing.

        And do it well.
        """
        print(things, much)
        return act()

    return do


def test_arguments_and_the_exit_code(capsys):
    do = command(lambda: 3, is_light=True)
    assert do.main(["a", "b", "--much", "--backend", "torch"], standalone_mode=False) == 3
    assert capsys.readouterr().out == "('a', 'b') True\n"


def test_help():
    text = CliRunner().invoke(command(), ["--help"]).output
    lines = [line.split() for line in text.splitlines()]
    assert ["Do", "a", "thing."] in lines
    assert ["[THING]...", "What", "to", "do."] in lines
    assert ["--much", "Do", "it", "well."] in lines
    assert text.endswith("Examples:\n  program do vae\n")


@pytest.mark.parametrize("is_light", [True, False])
def test_only_what_needs_the_library_loads_it(monkeypatch, is_light):
    loaded = []
    monkeypatch.setattr(library, "load", loaded.append)
    monkeypatch.setattr(library, "check_installed", lambda name: None)
    do = command(is_light=is_light)
    do.main(["--backend", "jax"], standalone_mode=False)
    do.main([], standalone_mode=False)
    assert loaded == ([] if is_light else ["jax", None])


@pytest.mark.parametrize(
    "error, message, code",
    [
        (ValueError("bad"), "error: bad", 2),
        (OSError("full"), "error: full", 2),
        (ImportError("none"), "error: none", 2),
        (NotImplementedError("not yet"), "error: not yet", 2),
        (KeyboardInterrupt(), "interrupted; go on", 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_errors_of_a_user_are_told(error, message, code):
    def fail():
        raise error

    with pytest.raises(Failure) as failure:
        command(fail, when_interrupted="; go on").main([], standalone_mode=False)
    assert (failure.value.message, failure.value.exit_code) == (message, code)


def test_a_fault_of_the_program_is_not(capsys):
    with pytest.raises(ZeroDivisionError):
        command(lambda: 1 / 0).main([], standalone_mode=False)


@pytest.mark.parametrize(
    "message, expected",
    [
        ("`num_samples=5` draws", "--num 5 draws"),
        ("`num_samples` must be positive", "--num must be positive"),
        ("`seed` must", "`seed` must"),  # not given: it may be a recipe's
        ("or `data_dir`.", "or --data-dir."),
        ("`num_samples.x`", "`num_samples.x`"),
    ],
)
def test_arguments_are_named_as_the_options_that_were_given(message, expected):
    @click.command("do", cls=Command, examples="", is_light=True)
    @click.option("-n", "--num", "--rows", "num_samples", type=int)
    @click.option("--seed", type=int)
    @click.option("--data-dir")
    def do(**given):
        raise ValueError(message)

    with pytest.raises(Failure) as failure:
        do.main(["--num", "5"], standalone_mode=False)
    assert failure.value.message == f"error: {expected}"
