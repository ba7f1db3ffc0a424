"""Continues the training of saved models: resume_worker.py FOLDER EPOCHS_DONE EPOCHS FAMILY...

Reads `<family>.keras` from FOLDER, writes `<family>.npz` with `states.state`.
"""

import sys
from pathlib import Path

import families
import keras
import numpy as np
import states


def main(folder, epochs_done, epochs, *names):
    for name in names:
        family = families.BY_NAME[name]
        model = keras.models.load_model(
            folder / f"{name}.keras", custom_objects=families.CUSTOM_OBJECTS
        )
        model.fit(
            *family.pairs(),
            batch_size=families.BATCH_SIZE,
            epochs=epochs,
            initial_epoch=epochs_done,
            verbose=0,
        )
        np.savez(folder / f"{name}.npz", **states.state(model))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:4]), *sys.argv[4:])
