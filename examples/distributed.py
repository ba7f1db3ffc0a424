"""A VAE of digits on several devices or machines; the commands are in docs/many_devices.md.

    python examples/distributed.py                              # all devices of this machine
    torchrun --nproc-per-node 2 examples/distributed.py         # PyTorch: one process per device

Every process is given the same data, takes its share of each batch, and ends with the same weights.
The first writes the model and pictures.
"""

import argparse
import contextlib
import json
import os
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras


def join():
    """Sets up devices; returns `(context to make models in, whether this process is the first)`."""
    if keras.config.backend() == "torch":
        import torch

        if int(os.environ.get("WORLD_SIZE", 1)) > 1:  # set by `torchrun`
            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
            is_on_gpus = torch.cuda.is_available()
            torch.distributed.init_process_group("nccl" if is_on_gpus else "gloo")
        return contextlib.nullcontext(), int(os.environ.get("RANK", 0)) == 0
    if keras.config.backend() == "jax":
        if "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ:
            keras.distribution.initialize()
        if len(keras.distribution.list_devices()) > 1:
            shared = keras.distribution.DataParallel(auto_shard_dataset=False)
            keras.distribution.set_distribution(shared)
        place = int(os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", 0))
        return contextlib.nullcontext(), place == 0
    import tensorflow as tf

    if "TF_CONFIG" in os.environ:
        place = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        return tf.distribute.MultiWorkerMirroredStrategy().scope(), place == 0
    return tf.distribute.MirroredStrategy().scope(), True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mnist_mini")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", type=Path, default=Path("runs/distributed"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()

    scope, is_first = join()
    data = keras_vae.datasets.load(arguments.data, binarize="fixed")
    x, x_test = data.train.x, data.test.x
    if arguments.smoke:
        x, x_test, arguments.epochs = x[:207], x_test[:51], 1  # not all batches divide evenly

    with scope:
        vae = keras_vae.VAE(
            keras_vae.MLPEncoder(x.shape[1:], 8), keras_vae.MLPDecoder(x.shape[1:], 8), seed=0
        )
        vae.compile(keras.optimizers.Adam(1e-3))
    vae.fit(
        x,
        batch_size=100,  # of all devices together
        epochs=arguments.epochs,
        validation_data=x_test,
        verbose=2 if is_first else 0,
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    vae.save(arguments.output / "vae.keras")  # by the first process
    pictures = vae.sample(16, seed=0)  # the same in all processes
    if is_first:
        plotting.image_grid(pictures, arguments.output / "samples.png")
        print(f"Wrote {arguments.output}")


if __name__ == "__main__":
    main()
