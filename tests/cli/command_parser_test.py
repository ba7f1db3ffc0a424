import pytest

from keras_vae.cli.command_parser import Parser
from keras_vae.cli.command_parser import add_command
from keras_vae.cli.command_parser import add_preset


@pytest.fixture
def parser():
    parser = Parser(prog="program")
    subparsers = parser.add_subparsers(required=True)
    command = add_command(subparsers, "do", len, "Do a thing: well.", "program do vae")
    add_preset(command, nargs="*")
    return parser


def test_a_command(parser):
    options = parser.parse_args(["do", "a", "b", "--backend", "jax"])
    assert (options.run, options.preset, options.backend) == (len, ["a", "b"], "jax")


def told(capsys):
    return capsys.readouterr().out


def test_help(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    assert any(line.split() == ["do", "do", "a", "thing"] for line in told(capsys).splitlines())
    with pytest.raises(SystemExit):
        parser.parse_args(["do", "--help"])
    assert told(capsys).endswith("examples:\n  program do vae\n")


def test_an_error_is_one_line_and_2(parser, capsys):
    with pytest.raises(SystemExit) as exit_:
        parser.parse_args(["do", "--not"])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error == "program: error: unrecognized arguments: --not (see program --help)\n"
