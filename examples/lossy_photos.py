"""Rate and distortion of models with discrete codes, compared with JPEG and WebP.

    python examples/lossy_photos.py cifar10.npy --presets vqvae_cifar10
    python examples/lossy_photos.py digits.npy --presets vqvae_mnist rqvae_mnist fsq_vae_mnist

The file holds pictures (N, H, W, C), uint8. Each model compresses all of them into one file of
codes, with the prior that it was published with. JPEG and WebP get the pictures side by side as a
single large one, at several qualities, so that they too pay for only one header. Bits per pixel and
PSNR are printed, and plotted into `samples.png`. `--smoke` uses synthetic pictures and random
weights.
"""

import argparse
import io
from pathlib import Path

import keras_vae

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogFormatter
from PIL import Image

QUALITIES = (1, 5, 10, 20, 35, 50, 70, 85)


def drawn(count=24, size=16):
    """Returns pictures (N, size, size, 3), uint8: circles around different centres."""
    y, x = np.mgrid[:size, :size]
    places = np.random.default_rng(0).uniform(0, size, (count, 2, 1, 1))
    distance = np.hypot(y - places[:, 0], x - places[:, 1])[..., None]
    return (127 * (1 + np.sin(distance / [2, 3, 4]))).astype("uint8")


def untrained():
    """Returns a model of codes with random weights."""
    encoder = keras_vae.ConvMapEncoder((16, 16, 3), latent_dim=4, filters=(8,))
    decoder = keras_vae.ConvMapDecoder((16, 16, 3), latent_dim=4, filters=(8,))
    quantizer = keras_vae.VectorQuantizer(16)
    return keras_vae.VQVAE(encoder, decoder, quantizer, keras_vae.GaussianLikelihood())


def sheet_of(pictures):
    """Returns pictures side by side as one, H' x W' or H' x W' x 3, as many as fill a square."""
    side = int(len(pictures) ** 0.5)
    _, height, width, channels = pictures.shape
    grid = pictures[: side**2].reshape(side, side, height, width, channels)
    return grid.transpose(0, 2, 1, 3, 4).reshape(side * height, side * width, channels).squeeze()


def decibels_of(x, y):
    return -10 * np.log10(np.mean(np.square(x / 255.0 - y / 255.0)))


def of_format(sheet, kind, quality):
    """Returns bits per pixel and dB of a picture format."""
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, kind, quality=quality)
    again = Image.open(file).convert("L" if sheet.ndim == 2 else "RGB")
    pixels = sheet.shape[0] * sheet.shape[1]
    return 8 * len(file.getvalue()) / pixels, decibels_of(sheet, np.asarray(again))


def of_model(model, pictures):
    """Returns bits per pixel and dB of a file of codes."""
    data = model.compress(pictures.astype("float32") / 255)
    again = 255 * np.clip(model.decompress(data), 0, 1)
    pixels = np.prod(pictures.shape[:3])
    return 8 * len(data) / pixels, decibels_of(pictures, again)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="?", type=Path, help="a .npy of uint8 (N, H, W, C)")
    parser.add_argument("--presets", nargs="*", default=[], help="models of such pictures")
    parser.add_argument("--output", type=Path, default=Path("runs/lossy_photos"))
    parser.add_argument("--smoke", action="store_true", help="no pictures and no presets needed")
    arguments = parser.parse_args()
    if not arguments.smoke and arguments.pictures is None:
        parser.error("give a file of pictures, or --smoke")
    arguments.output.mkdir(parents=True, exist_ok=True)
    pictures = drawn() if arguments.smoke else np.load(arguments.pictures)
    models = {name: keras_vae.from_preset(name) for name in arguments.presets}
    models |= {"untrained": untrained()} if arguments.smoke else {}

    curves = {k: [of_format(sheet_of(pictures), k, q) for q in QUALITIES] for k in ("JPEG", "WebP")}
    points = {name: of_model(model, pictures) for name, model in models.items()}
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, curve in {**curves, **{k: [v] for k, v in points.items()}}.items():
        for rate, decibels in curve:
            print(f"{name:<20}{rate:8.3f} bits per pixel{decibels:8.2f} dB")
        axes.plot(*zip(*curve, strict=True), "o-" if len(curve) > 1 else "*", ms=7, label=name)
    axes.set(xlabel="bits per pixel", ylabel="PSNR, dB", xscale="log")
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
    axes.legend()
    figure.savefig(arguments.output / "samples.png", dpi=150)


if __name__ == "__main__":
    main()
