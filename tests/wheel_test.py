"""The two wheels: what is in them, how large they are, and where the weights come from."""

import configparser
import functools
import http.server
import importlib.util
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import keras
import pytest

import keras_vae
from keras_vae import presets

CHECKOUT = Path(__file__).parents[1]
ZOO = CHECKOUT / "zoo"
INSIDE = "keras_vae/presets/zoo/"
MAX_BYTES = 3_000_000
MAX_BYTES_OF_WEIGHTS = 95_000_000  # indexes of packages take no more than 100
NAMES = sorted(path.parent.name for path in ZOO.glob("*/recipe.toml"))

pytestmark = [
    pytest.mark.one_backend,
    pytest.mark.skipif(not NAMES, reason="no zoo: not a checkout"),
]


def build(project, folder):
    builders = pytest.importorskip("hatchling.builders.wheel")
    (path,) = builders.WheelBuilder(str(project)).build(
        directory=str(folder), versions=["standard"]
    )
    return Path(path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build(CHECKOUT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel_of_weights(tmp_path_factory):
    return build(ZOO, tmp_path_factory.mktemp("wheel_of_weights"))


def test_it_is_small(wheel):
    assert wheel.stat().st_size < MAX_BYTES


def test_the_texts_of_every_preset_are_in_it_and_the_weights_of_one(wheel):
    inside = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(INSIDE)]
    expected = {"index.json", "vae_mnist_mini/model.safetensors"}
    for name in NAMES:
        for file in ("recipe.toml", "config.json", "metrics.json"):
            if (ZOO / name / file).exists():
                expected.add(f"{name}/{file}")
    assert {name.removeprefix(INSIDE) for name in inside} == expected


def test_they_are_those_of_the_checkout(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(INSIDE):
                assert archive.read(name) == (ZOO / name.removeprefix(INSIDE)).read_bytes()


def test_nothing_but_the_package_is_in_it(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "keras_vae",
        "keras_vae_cli.py",
    }


def test_it_provides_the_command(site):
    (metadata,) = site.glob("*.dist-info/entry_points.txt")
    scripts = configparser.ConfigParser()
    scripts.read(metadata)
    assert dict(scripts["console_scripts"]) == {"keras-vae": "keras_vae_cli:main"}
    code = (
        "import sys\n"
        "from keras_vae_cli import main\n"
        "print(main(['list']), 'keras' in sys.modules)\n"
        "import keras_vae\n"
        f"assert {str(site)!r} in keras_vae.__file__\n"
    )
    told = run(site, code)
    assert any(line.startswith("vae_mnist_mini ") and line.endswith("here") for line in told)
    assert any(line.startswith("vae_mnist ") and "to be downloaded" in line for line in told)
    assert told[-1] == "0 False"


@pytest.fixture
def site(wheel, tmp_path):
    """What the wheel installs."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    return tmp_path / "site"


def run(site, code, **environment):
    """Runs Python code with the installed package, in a process of its own."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("KERAS_VAE_")}
    home = {"KERAS_VAE_HOME": str(site.parent / "home")}
    backend = {"KERAS_BACKEND": keras.config.backend(), "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **home, **backend, **environment},
        cwd=site.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(not (ZOO / "vae_mnist" / "model.safetensors").exists(), reason="no weights")
def test_an_installation_fetches_what_it_does_not_hold(site, tmp_path):
    spec = importlib.util.spec_from_file_location("publish", ZOO / "publish.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script._publish_preset(presets.entries()["vae_mnist"], ZOO, tmp_path / "www")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "www")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code = (
            "import keras_vae\n"
            f"assert {str(site)!r} in keras_vae.__file__\n"
            "keras_vae.VAE.from_preset('vae_mnist_mini')\n"
            "try:\n    keras_vae.VAE.from_preset('vae_mnist')\n"
            "except keras_vae.presets.FetchError as error:\n    print(error)\n"
            "import os\n"
            f"os.environ['KERAS_VAE_ZOO'] = 'http://127.0.0.1:{server.server_port}'\n"
            "print(keras_vae.VAE.from_preset('vae_mnist').count_params())\n"
            "os.environ['KERAS_VAE_OFFLINE'] = '1'\n"
            "print(keras_vae.VAE.from_preset('vae_mnist').count_params())\n"
        )
        told = run(site, code)
        server.shutdown()
    assert "KERAS_VAE_ZOO=https://" in told[0]
    assert told[1:] == [str(presets.entries()["vae_mnist"].num_parameters)] * 2


@pytest.mark.slow
def test_the_wheel_of_weights_holds_every_preset_and_no_code_nor_picture(wheel_of_weights):
    assert wheel_of_weights.stat().st_size < MAX_BYTES_OF_WEIGHTS
    assert wheel_of_weights.name.startswith(f"keras_vae_zoo-{keras_vae.__version__}-")
    with zipfile.ZipFile(wheel_of_weights) as archive:
        inside = {n for n in archive.namelist() if n.startswith("keras_vae_zoo/")}
    entries = presets.entries().items()
    needed = {f"keras_vae_zoo/{name}/{file}" for name, entry in entries for file in entry.files}
    assert needed <= inside
    assert {Path(name).suffix for name in inside} == {".json", ".safetensors", ".toml"}


@pytest.mark.slow
def test_with_both_wheels_every_preset_is_here_without_a_connection(site, wheel_of_weights):
    with zipfile.ZipFile(wheel_of_weights) as archive:
        archive.extractall(site)
    code = (
        "import sys, keras_vae\n"
        f"assert {str(site)!r} in keras_vae.__file__\n"
        "def refuse(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo'):\n"
        "        raise AssertionError(event)\n"
        "sys.addaudithook(refuse)\n"
        "print(keras_vae.from_preset('vae_mnist').count_params())\n"
        "print(all(map(keras_vae.presets.is_here, keras_vae.presets.names())))\n"
        "found = [f for n in keras_vae.presets.names() for f in keras_vae.presets.verify(n)]\n"
        "print([f for f in found if f.problem])\n"
    )
    parameters = str(presets.entries()["vae_mnist"].num_parameters)
    assert run(site, code) == [parameters, "True", "[]"]
    assert not (site.parent / "home").exists()
