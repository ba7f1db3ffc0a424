"""Which files of the library one call passes through: how far a reader has to go.

python tests/support/touched_files.py
"""

import sys
import threading
from pathlib import Path

import keras_vae

PACKAGE = Path(keras_vae.__file__).parent


def touched_files(call):
    """Returns the files of keras_vae in which a function ran while `call()` did, sorted.

    What the imports of a file run does not count, nor do comprehensions and lambdas apart from
    the file that they stand in.
    """
    found = set()

    def trace(frame, event, argument):
        code = frame.f_code
        if event == "call" and code.co_name != "<module>":
            path = Path(code.co_filename)
            if PACKAGE in path.parents:
                found.add(str(path.relative_to(PACKAGE)))

    before = sys.getprofile()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        call()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    return sorted(found)


def main():
    import tempfile

    import numpy as np

    vae = keras_vae.VAE(keras_vae.MLPEncoder((4,), 2), keras_vae.MLPDecoder((4,), 2), seed=0)
    x = np.zeros((3, 4), "float32")
    shape, codes = (4, 4, 1), 3
    vqvae = keras_vae.VQVAE(
        keras_vae.ConvMapEncoder(shape, 2, (4,)),
        keras_vae.ConvMapDecoder(shape, 2, (4,)),
        keras_vae.VectorQuantizer(codes),
        prior=keras_vae.PixelCNN((2, 2), codes, filters=4, num_blocks=1),
        seed=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        vae.save_to_preset(folder)
        calls = {
            "VAE.terms(x)": lambda: vae.terms(x),
            "VAE.from_preset(folder)": lambda: keras_vae.VAE.from_preset(folder),
            "VQVAE.sample(2)": lambda: vqvae.sample(2, seed=0),
        }
        for name, call in calls.items():
            files = touched_files(call)
            print(f"{name}: {len(files)} files\n  {', '.join(files)}")


if __name__ == "__main__":
    main()
