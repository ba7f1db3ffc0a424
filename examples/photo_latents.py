"""Latents of photographs: encode with a published autoencoder, decode, and see what is lost.

    python examples/photo_latents.py hf://madebyollin/taesd photo.jpg another.png
    python examples/photo_latents.py taef2.safetensors photo.jpg --tile 512

Prints the size of the latents, the error in dB and the time, and writes `samples.png`, the
photographs above their reconstructions. `--smoke` runs it on a synthetic picture with untrained
weights.
"""

import argparse
import time
from pathlib import Path

import keras_vae

import numpy as np
from PIL import Image


def untrained():
    """Returns a tiny autoencoder with random weights."""
    return keras_vae.Autoencoder(
        keras_vae.TinyEncoder(num_channels=8),
        keras_vae.TinyDecoder(num_channels=8),
        keras_vae.GaussianLikelihood(value_range=(0, 1)),
    )


def drawn(height=75, width=91):
    """Returns a picture (height, width, 3) of 8 bits: circles around the middle."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)[..., None]
    return (127 * (1 + np.sin(distance / [3, 5, 7]))).astype("uint8")


def peak_signal_to_noise(x, y):
    """Returns dB, for values in [0, 1]."""
    return -10 * np.log10(np.mean(np.square(x - y)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", help="hf://OWNER/NAME, a folder, a .safetensors")
    parser.add_argument("photographs", nargs="*", type=Path)
    parser.add_argument("--tile", type=int, help="pixels of the tiles of large photographs")
    parser.add_argument("--output", type=Path, default=Path("runs/photo_latents"))
    parser.add_argument("--smoke", action="store_true", help="no weights and no photographs needed")
    arguments = parser.parse_args()
    if not arguments.smoke and not arguments.photographs:
        parser.error("give a preset and at least one photograph, or --smoke")

    model = untrained() if arguments.smoke else keras_vae.from_preset(arguments.preset)
    low, high = model.likelihood.value_range  # the range of pixels that the model takes
    pictures = {"drawn": drawn()} if arguments.smoke else {}
    for path in arguments.photographs:
        pictures[str(path)] = np.asarray(Image.open(path).convert("RGB"))

    columns = []
    for name, picture in pictures.items():
        height, width, _ = picture.shape
        x = picture[None].astype("float32") / 255
        start = time.perf_counter()
        latents = model.latents(low + x * (high - low), tile=arguments.tile)
        y = (model.pictures(latents, tile=arguments.tile) - low) / (high - low)
        seconds = time.perf_counter() - start
        y = y[:, :height, :width]  # latents cover whole cells, and the picture may end within one
        print(
            f"{name}: {width} x {height} pixels, latents {latents.shape[1:]} with standard "
            f"deviation {latents.std():.2f}, PSNR {peak_signal_to_noise(x, y):.2f} dB, "
            f"{seconds / (height * width / 1e6):.1f} s a megapixel"
        )
        columns.append(np.concatenate([picture, np.rint(255 * y[0]).astype("uint8")]))

    tallest = max(len(column) for column in columns)
    sheet = [np.pad(c, ((0, tallest - len(c)), (0, 4), (0, 0))) for c in columns]
    arguments.output.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(sheet, axis=1)).save(arguments.output / "samples.png")


if __name__ == "__main__":
    main()
