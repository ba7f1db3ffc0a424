"""Files as small as the bound: digits compressed with a VAE, and read back bit for bit.

    python examples/lossless.py
    python examples/lossless.py --preset hierarchical_vae_mnist --data mnist --count 10000

Prints the size of the file next to the model's bound and the sizes that general compressors and
picture formats need, reads the file back, and writes `samples.kvz`. `--smoke` takes 100 digits.
Those of the first command come with the library. Needs keras-vae[codec].
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae.codecs import read_info
from keras_vae.codecs.comparison import general_sizes

import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="vae_mnist", help="a model of binarised digits")
    parser.add_argument("--data", default="mnist_mini", help="mnist_mini or mnist")
    parser.add_argument("--count", type=int, default=1000, help="how many test digits")
    parser.add_argument("--output", type=Path, default=Path("runs/lossless"))
    parser.add_argument("--smoke", action="store_true", help="100 digits, as a test")
    arguments = parser.parse_args()

    # Each pixel is drawn once, 0 or 1: a model of binary data says nothing about greys.
    digits = keras_vae.datasets.load(arguments.data, binarize="fixed").test.x
    digits = digits[: 100 if arguments.smoke else arguments.count]

    model = keras_vae.from_preset(arguments.preset)
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "samples.kvz"
    path.write_bytes(model.compress(digits, verbose=1))

    info = read_info(path.read_bytes())  # needs no model
    sizes = {f"keras_vae ({arguments.preset})": info.num_bytes}
    sizes.update(general_sizes(digits.astype("int32"), num_levels=2))
    for format_name, size in sizes.items():
        print(f"{format_name:<28}{size:>10,} bytes   {8 * size / digits.size:.4f} bits a pixel")
    print(f"The bound of the model is        {info.bound:.4f} bits a pixel.")

    again = model.decompress(path.read_bytes())  # here, or on another machine and backend
    if not np.array_equal(again, digits):
        raise SystemExit("The file gave other digits back.")
    print(f"{path} gave all {len(digits):,} digits back, bit for bit.")


if __name__ == "__main__":
    main()
