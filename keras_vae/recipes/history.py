"""The curves of a run as a file, `epochs.csv`, with a line for each epoch."""

import csv
from pathlib import Path

from keras_vae.atomic_files import write_atomically


def read_history(path: str | Path) -> dict[str, list[float]]:
    """Returns `{name: values}` of an `epochs.csv`.

    Validation may run only every few epochs; its lists then hold only those values.
    """
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in (rows[0] if rows else ()) if name != "epoch"]
    columns = {name: [row[name] for row in rows] for name in names}
    return {k: [float(v) for v in values if v != "NA"] for k, values in columns.items()}


def keep_epochs(path: str | Path, num_epochs: int) -> None:
    """Drops the lines of an `epochs.csv` after the first `num_epochs` epochs, if there are any:
    epochs that an interrupted run will repeat."""
    path = Path(path)
    if path.exists():
        header, *lines = path.read_bytes().splitlines(keepends=True) or [b""]
        kept = [line for line in lines if int(line.split(b",")[0]) < num_epochs]
        write_atomically(path, b"".join([header, *kept]) if kept else b"")
