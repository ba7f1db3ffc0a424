"""One of two workers of a `tf.distribute.MultiWorkerMirroredStrategy`; writes what it has found."""

import sys
from pathlib import Path

import shared_training
import tensorflow as tf


def main(folder):
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        shared_training.write(folder / f"{strategy.cluster_resolver.task_id}.npz")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
