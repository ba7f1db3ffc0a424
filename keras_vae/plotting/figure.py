"""What all pictures share: a figure that belongs to no window, and a file written whole."""

import os
from pathlib import Path

DPI = 100


def new_figure(width, height):
    """A matplotlib figure of `width` x `height` pixels, outside pyplot's global state.

    Raises:
        ImportError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('Plotting needs matplotlib: pip install "keras-vae[plots]"') from error
    return Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def save(figure, path):
    """Writes a figure to `path`, whose suffix is the format; folders are made where missing.

    The file appears whole or not at all: a program that shows it never reads half of it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, as only a rename within one file system is done at once.
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        figure.savefig(unfinished, dpi=DPI)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
