import click
import pytest

from keras_vae.cli import options
from keras_vae.cli.options import Integer

pytestmark = pytest.mark.one_backend


def parsed(decorator, *arguments):
    """What a command with these options takes from arguments."""
    command = decorator(click.command("do")(lambda **values: None))
    return command.make_context("do", list(arguments)).params


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_seeds_in_range(seed):
    assert parsed(options.seed("Seed."), "--seed", str(seed)) == {"seed": seed}


@pytest.mark.parametrize("seed", ["-1", str(2**31), "1.5", "a", "²", "1_0", ""])
def test_seeds_out_of_range(seed):
    message = f"must be an integer from 0 to 2147483647, not '{seed}'"
    with pytest.raises(click.BadParameter, match=message):
        parsed(options.seed("Seed."), f"--seed={seed}")


@pytest.mark.parametrize("num", ["0", "-3", "1.5", "many"])
def test_counts(num):
    assert parsed(options.count("--num", default=5)) == {"num": 5}
    assert parsed(options.count("--num"), "--num", "12") == {"num": 12}
    with pytest.raises(click.BadParameter, match=f"must be an integer of at least 1, not '{num}'"):
        parsed(options.count("--num"), "--num", num)


def test_bounds_are_included():
    within = Integer(2, 4)
    assert [within.convert(text, None, None) for text in ("2", "4")] == [2, 4]
    for text in ("1", "5"):
        with pytest.raises(click.BadParameter):
            within.convert(text, None, None)


def test_presets():
    assert parsed(options.preset(), "a") == {"preset": "a"}
    assert parsed(options.presets(), "a", "b") == {"preset": ("a", "b")}
    assert parsed(options.presets()) == {"preset": ()}
    with pytest.raises(click.MissingParameter, match="preset"):
        parsed(options.preset())


def test_data():
    assert parsed(options.data) == {"data": None, "data_dir": None}
    given = parsed(options.data, "--data", "a.npz", "--data-dir", "b")
    assert given == {"data": "a.npz", "data_dir": "b"}
    assert parsed(options.data_dir, "--data-dir", "b") == {"data_dir": "b"}


def test_image_file():
    assert parsed(options.image_file("a.png", ".npy")) == {"output": "a.png"}
    assert parsed(options.image_file("a.png", ".npy"), "--output", "b") == {"output": "b"}


@pytest.mark.parametrize(
    ("incomplete", "expected"),
    [("vae_mnist_m", [("vae_mnist_mini", "plain")]), ("./runs", [("./runs", "file")])],
)
def test_a_shell_completes_names_of_presets_and_paths(incomplete, expected):
    found = options.names_or_paths(None, None, incomplete)
    assert [(item.value, item.type) for item in found] == expected
