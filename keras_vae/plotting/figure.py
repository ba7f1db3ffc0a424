"""What all plots share: figures without a window, and files that are written atomically."""

import os
from pathlib import Path
from typing import Any

DPI = 100


def new_figure(width: int, height: int) -> Any:
    """Creates a matplotlib figure outside pyplot's global state.

    Args:
        width: Integer, in pixels.
        height: Integer, in pixels.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('Plotting needs matplotlib: pip install "keras-vae[plots]"') from error
    return Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Writes a figure to a file atomically, so that no other program ever reads half of it.

    Missing folders are created.

    Args:
        figure: `matplotlib.figure.Figure`.
        path: Path of the file; its suffix is the format.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, as only a rename within one file system is atomic.
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        figure.savefig(unfinished, dpi=DPI)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
