import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_recipe import write_tiny_preset
from tiny_recipe import write_tiny_recipe

from keras_vae import backend
from keras_vae import models
from keras_vae.cli.main import main
from keras_vae.cli.program import Program

pytestmark = pytest.mark.one_backend

CHECKOUT = Path(__file__).parents[2]
THIS = keras.config.backend()
OTHER = next((name for name in backend.installed_backends() if name != THIS), None)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working directory, with `tiny.npz` and `tiny/recipe.toml` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_VAE_DATA_DIR", raising=False)
    write_tiny_recipe(tmp_path)
    return tmp_path


@pytest.fixture
def preset(here):
    return write_tiny_preset(here)


def run_process(*arguments, cwd, module="keras_vae_cli", **environment):
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **environment}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_train_then_everything_else(here, capsys):
    pytest.importorskip("matplotlib")
    assert main(["train", "tiny", "--epochs", "1"]) == 0
    told = capsys.readouterr().out
    metrics = json.loads((here / "runs" / "tiny" / "metrics.json").read_text())
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert f"ELBO, nats (higher is better) {metrics['test']['elbo']:.2f}" in lines
    assert 'keras_vae.from_preset("runs/tiny")' in told

    assert main(["evaluate", "runs/tiny", "--output", "numbers.json"]) == 0
    assert f"{metrics['test']['nll']:.2f} +- " in capsys.readouterr().out
    numbers = json.loads((here / "numbers.json").read_text())
    assert numbers["test"]["nll"] == pytest.approx(metrics["test"]["nll"], rel=1e-5)
    assert numbers["data"] == "tiny.npz"

    assert main(["sample", "runs/tiny", "--num", "4"]) == 0
    assert main(["reconstruct", "runs/tiny", "--output", "pairs.npz"]) == 0
    assert (here / "samples.png").read_bytes()[1:4] == b"PNG"
    assert np.load("pairs.npz")["originals"].shape == (10, 6, 5, 1)

    assert main(["info", "runs/tiny"]) == 0
    assert f"{metrics['test']['nll']:.2f}" in capsys.readouterr().out


def test_list_shows_the_zoo(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["preset", "family", "data"]
    assert any(line.startswith("vae_mnist_mini ") and " VAE " in line for line in lines)


WRONG = {
    "unknown preset": (["evaluate", "vae_mnist_min"], "Did you mean 'vae_mnist_mini'?"),
    "unknown preset to sample": (["sample", "nothing"], "There is no preset 'nothing'"),
    "unknown preset to tell about": (["info", "nothing"], "There is no preset 'nothing'"),
    "unknown recipe": (["train", "nothing"], "There is no preset 'nothing'"),
    "a folder without a preset": (["sample", "."], "holds no config.json"),
    "a misspelt recipe": (["train", "misspelt.toml"], "unknown keys ['sumary']"),
    "an unknown class": (["train", "no_class.toml"], "Received: 'VEA'"),
    "a bad ending": (["sample", "tiny", "--output", "x.gif"], "must end in .png"),
    "missing data": (["train", "tiny", "--data-dir", "empty"], "no data file or folder"),
    "missing data file": (["evaluate", "tiny", "--data", "a/b.npz"], "no data file or folder"),
    "a wrong shape": (
        ["evaluate", "tiny", "--data", "wide.npz"],
        "wrong shape. Expected: (N, 6, 5",
    ),
    "bad values": (["reconstruct", "tiny", "--data", "float.npz"], "must be uint8"),
    "no data at all": (["evaluate", "bare"], "give --data"),
    "damaged weights": (["sample", "damaged"], "is not a safetensors file of weights"),
}


@pytest.mark.parametrize("arguments, message", WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_line_and_2(preset, monkeypatch, capsys, arguments, message):
    recipe = (preset / "recipe.toml").read_text()
    (preset.parent / "misspelt.toml").write_text(recipe.replace("summary", "sumary"))
    (preset.parent / "no_class.toml").write_text(recipe.replace('"VAE"', '"VEA"'))
    for name in ("bare", "damaged", "empty"):
        (preset.parent / name).mkdir()
    for file in ("config.json", "model.safetensors"):
        data = (preset / file).read_bytes()
        (preset.parent / "bare" / file).write_bytes(data)
        (preset.parent / "damaged" / file).write_bytes(data.replace(b"\0", b"\1"))
    np.savez("wide.npz", x=np.zeros((20, 9, 9), "uint8"))
    np.savez("float.npz", x=np.full((20, 6, 5), 7.0))
    if "--data-dir" in arguments:
        Path("tiny.npz").unlink()
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("keras-vae: error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Missing command"),
        (["trian"], "No such command 'trian'. Did you mean 'train'?"),
        (["train"], "train takes a RECIPE"),
        (
            ["train", "tiny", "--epochs", "0"],
            "'--epochs': must be an integer of at least 1, not",
        ),
        (["sample", "tiny", "--num", "-3"], "'--rows': must be an integer of at least 1, not '-3'"),
        (["sample", "tiny", "--seed", str(2**31)], "'--seed': must be an integer from 0 to"),
        (["list", "--backend", "numpy"], "'numpy' is not one of 'tensorflow', 'jax', 'torch'"),
        (["sample", "tiny", "--sed", "1"], "No such option"),
        (["info", "tiny", "tiny"], "unexpected extra argument (tiny)"),
        (["cache"], "Missing argument"),
    ],
)
def test_wrong_usage_is_one_line_and_2(capsys, arguments, message):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    command = [] if arguments in ([], ["trian"]) else arguments[:1]
    assert error.startswith(f"{' '.join(['keras-vae', *command])}: error: ")
    assert error.endswith(f"(see {' '.join(['keras-vae', *command])} --help)\n")
    assert error.count("\n") == 1


def test_a_fault_of_the_program_keeps_its_traceback(preset, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(models.GenerativeModel, "from_preset", fail)
    with pytest.raises(ZeroDivisionError):
        main(["sample", "tiny"])


def test_a_backend_that_is_not_installed(monkeypatch, capsys):
    monkeypatch.setattr(backend, "installed_backends", lambda: (THIS,))
    assert main(["list", "--backend", OTHER or "torch"]) == 2
    error = capsys.readouterr().err
    assert f"is not installed (installed here: {THIS})" in error
    assert 'pip install "keras-vae[' in error


def test_keras_cannot_change_its_backend(preset, capsys):
    if OTHER is None:
        pytest.skip("only one backend is installed")
    assert main(["list", "--backend", OTHER]) == 0  # which does without Keras
    assert main(["sample", "tiny", "--backend", THIS, "--output", "a.npy"]) == 0
    capsys.readouterr()
    assert main(["sample", "tiny", "--backend", OTHER]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"keras-vae: error: --backend {OTHER}, but this process runs")
    assert error.count("\n") == 1


def test_an_interrupt_before_the_command_has_begun(monkeypatch, capsys):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Program, "resolve_command", interrupt)
    assert main(["list"]) == 130
    assert capsys.readouterr().err.strip() == "keras-vae: interrupted"


@pytest.mark.slow
def test_a_preset_of_this_backend_is_measured_on_another(preset):
    if OTHER is None:
        pytest.skip("only one backend is installed")
    arguments = ["evaluate", "tiny", "--num-samples", "500", "--output"]
    assert main([*arguments, "here.json"]) == 0
    done = run_process(*arguments, "there.json", "--backend", OTHER, cwd=preset.parent)
    assert done.returncode == 0, done.stderr
    here, there = (json.loads(Path(f"{name}.json").read_text()) for name in ("here", "there"))
    assert here["environment"]["backend"] == THIS
    assert there["environment"]["backend"] == OTHER
    # The KL has a closed form; the NLL is an estimate from other draws.
    assert there["test"]["kl"] == pytest.approx(here["test"]["kl"], rel=1e-5)
    assert there["test"]["nll"] == pytest.approx(here["test"]["nll"], rel=1e-2)


@pytest.mark.slow
def test_the_exit_codes_and_streams_of_a_process(here):
    for module in ("keras_vae_cli", "keras_vae.cli.main"):
        helped = run_process("train", "--help", cwd=here, module=module, KERAS_BACKEND=THIS)
        assert helped.returncode == 0
        assert "Examples:\n  keras-vae train vae_mnist_mini" in helped.stdout
    wrong = run_process("sample", "nothing", cwd=here, KERAS_BACKEND=THIS)
    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert wrong.stderr.splitlines()[-1].startswith(
        "keras-vae: error: There is no preset 'nothing'"
    )
    assert "Traceback" not in wrong.stderr
