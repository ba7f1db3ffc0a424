from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_vae
from keras_vae.cli.main import main

pytestmark = pytest.mark.one_backend

SIZES = {"a.png": (13, 10), "deeper/b.png": (8, 20)}


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Pixels of two pictures in the folder `photos`, beside one that is none; presets `any`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos/deeper").mkdir(parents=True)
    rng, pixels = np.random.default_rng(0), {}
    for name, size in SIZES.items():
        pixels[name] = rng.integers(0, 256, (*size, 3), dtype="uint8")
        Image.fromarray(pixels[name]).save(tmp_path / "photos" / name)
    (tmp_path / "photos/broken.png").write_bytes(b"no picture")
    return pixels


@pytest.fixture
def model():
    shape = (None, None, 3)
    networks = (
        keras_vae.ConvMapEncoder(shape, 4, (5, 6), num_outputs=2),
        keras_vae.ConvMapDecoder(shape, 4, (6, 5)),
    )
    model = keras_vae.VAE(*networks, likelihood=keras_vae.GaussianLikelihood(), seed=0)
    model.save_to_preset("any")
    return model


def test_latents_of_each_picture_and_back(pictures, model, capsys):
    for output in ("z.npz", "z.safetensors"):
        assert main(["encode", "any", "photos", "--output", output]) == 0
        assert "skipped broken.png: " in capsys.readouterr().err
        folder = f"decoded_{output[2:]}"
        assert main(["decode", "any", output, "--output", folder]) == 0
        for name, pixels in pictures.items():
            expected = model.reconstruct(pixels[None].astype("float32") / 255)[0]
            levels = np.round(255 * np.clip(expected, 0, 1))
            found = np.asarray(Image.open(f"{folder}/{name}.png"))
            assert np.abs(found - levels).max() <= 1  # where rounding is a matter of the last bit
    with np.load("z.npz") as file:
        assert sorted(file) == [
            "latents/a.png",
            "latents/deeper/b.png",
            "sizes/a.png",
            "sizes/deeper/b.png",
        ]
        assert file["latents/a.png"].shape == (4, 3, 4)
        assert file["sizes/a.png"].tolist() == [13, 10]


def test_codes_of_each_picture(pictures, tmp_path):
    shape = (None, None, 3)
    networks = (
        keras_vae.ConvMapEncoder(shape, 4, (5, 6)),
        keras_vae.ConvMapDecoder(shape, 4, (6, 5)),
    )
    model = keras_vae.VQVAE(
        *networks, keras_vae.VectorQuantizer(8), likelihood=keras_vae.GaussianLikelihood(), seed=0
    )
    model.save_to_preset("codes")
    assert main(["encode", "codes", "photos"]) == 0
    with np.load("latents.npz") as file:
        expected = model.encode_indices(pictures["a.png"][None].astype("float32") / 255)[0]
        assert np.array_equal(file["latents/a.png"], expected)
    assert main(["decode", "codes", "latents.npz"]) == 0
    assert np.asarray(Image.open("decoded/a.png.png")).shape == (13, 10, 3)


def test_goes_on_where_it_was_interrupted(pictures, model, monkeypatch, tmp_path):
    original, seen = keras_vae.VAE.encode, []

    def encode(self, x, *arguments, **options):
        seen.append(x.shape[1:3])
        if len(seen) == 2:
            raise KeyboardInterrupt
        return original(self, x, *arguments, **options)

    monkeypatch.setattr(keras_vae.VAE, "encode", encode)
    assert main(["encode", "any", "photos"]) != 0
    assert not (tmp_path / "latents.npz").exists()
    assert main(["encode", "any", "photos"]) == 0
    assert seen == [(13, 10), (8, 20), (8, 20)]  # the first is not encoded again
    assert not (tmp_path / "latents.npz.parts").exists()


@pytest.mark.parametrize("changed", ["model", "tile", "picture"])
def test_an_interrupted_run_goes_on_only_with_what_it_was_made_of(
    pictures, model, monkeypatch, changed
):
    original, arguments = keras_vae.VAE.encode, ["encode", "any", "photos"]

    def encode(self, x, *arguments, **options):
        if x.shape[1:3] == (8, 20):
            raise KeyboardInterrupt
        return original(self, x, *arguments, **options)

    monkeypatch.setattr(keras_vae.VAE, "encode", encode)
    assert main(arguments) != 0
    monkeypatch.setattr(keras_vae.VAE, "encode", original)
    if changed == "model":
        model.set_weights([1.1 * w for w in model.get_weights()])
        model.save_to_preset("any")
    elif changed == "tile":
        arguments += ["--tile", "8"]
    else:
        Image.fromarray(255 - pictures["a.png"]).save("photos/a.png")
    assert main(arguments) == 0
    assert main([*arguments, "--output", "other.npz"]) == 0  # of nothing that was there
    with np.load("latents.npz") as found, np.load("other.npz") as expected:
        assert sorted(found) == sorted(expected)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("command", ["decode", "reconstruct"])
def test_a_finished_run_is_not_taken_for_that_of_another_model(pictures, model, command):
    arguments = {
        "decode": ["decode", "any", "latents.npz", "--output", "copies"],
        "reconstruct": ["reconstruct", "any", "--data", "./photos", "--output", "copies"],
    }[command]
    assert main(["encode", "any", "photos"]) == 0
    assert main(arguments) == 0
    before = np.asarray(Image.open("copies/a.png.png"))
    model.set_weights([1.1 * w for w in model.get_weights()])
    model.save_to_preset("any")
    assert main(arguments) == 0
    assert (np.asarray(Image.open("copies/a.png.png")) != before).any()


def test_reconstructions_of_any_size(pictures, model):
    arguments = ["reconstruct", "any", "--data", "./photos", "--output", "copies", "--tile", "8"]
    assert main(arguments) == 0
    for name, size in SIZES.items():
        assert np.asarray(Image.open(f"copies/{name}.png")).shape == (*size, 3)


def test_what_does_not_fit(pictures, model, capsys):
    for arguments, cause in (
        (["encode", "any", "photos", "--output", "z.txt"], "must end in .npz"),
        (["encode", "any", "nowhere"], "There is no folder nowhere"),
        (["decode", "any", "photos/a.png"], "must end in .npz or .safetensors"),
        (["encode", "vae_mnist_mini", "photos"], "None of the pictures could be used"),
        (["reconstruct", "vae_mnist_mini", "--output", "copies"], "any size"),
    ):
        assert main(arguments) == 2
        assert cause in capsys.readouterr().err
    np.savez("other.npz", x=np.zeros(3))
    np.savez("sizeless.npz", **{"latents/a.png": np.zeros((4, 3, 4), "float32")})
    content = Path("sizeless.npz").read_bytes()
    Path("cut.npz").write_bytes(content[: len(content) // 2])
    Path("cut.safetensors").write_bytes(content)
    for name, cause in (
        ("other.npz", "holds no `latents/...`"),
        ("sizeless.npz", "without its `sizes/...`"),
        ("cut.npz", "cannot be read as an .npz file"),
        ("cut.safetensors", "cannot be read as safetensors"),
        ("absent.npz", "There is no file absent.npz"),
    ):
        assert main(["decode", "any", name]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert cause in line
