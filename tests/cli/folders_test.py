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


def test_reconstructions_of_any_size(pictures, model):
    arguments = ["reconstruct", "any", "--data", "./photos", "--output", "copies", "--tile", "8"]
    assert main(arguments) == 0
    for name, size in SIZES.items():
        assert np.asarray(Image.open(f"copies/{name}.png")).shape == (*size, 3)


def test_what_does_not_fit(pictures, model, capsys):
    for arguments, cause in (
        (["encode", "any", "photos", "--output", "z.txt"], "must end in .npz"),
        (["encode", "any", "nowhere"], "There is no folder nowhere"),
        (["decode", "any", "photos/a.png"], "ends in .npz or .safetensors"),
        (["encode", "vae_mnist_mini", "photos"], "None of the pictures could be used"),
        (["reconstruct", "vae_mnist_mini", "--output", "copies"], "any size"),
    ):
        assert main(arguments) == 2
        assert cause in capsys.readouterr().err
    np.savez("other.npz", x=np.zeros(3))
    assert main(["decode", "any", "other.npz"]) == 2
    assert "holds no `latents/...`" in capsys.readouterr().err
