"""Common parts of all plots: figures without a window, and atomic writing of files."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure
else:  # matplotlib is optional, and imported only to draw
    Figure: TypeAlias = Any

PathLike: TypeAlias = str | os.PathLike[str]

DPI = 100


def new_figure(width: int, height: int) -> Figure:
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


def new_panel(width: int, height: int) -> tuple[Figure, Any]:
    """Creates a figure with one panel, with a layout that fits its labels.

    Args:
        width: Integer, in pixels.
        height: Integer, in pixels.

    Returns:
        Tuple `(figure, axes)` of matplotlib's objects.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(width, height)
    figure.set_layout_engine("constrained")
    panel = figure.subplots()
    calm(panel)
    return figure, panel


def calm(panel: Any) -> None:
    """Draws a faint grid behind a panel, and removes its top and right borders."""
    panel.grid(color="0.9", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def finish(figure: Figure, path: PathLike | None) -> Figure:
    """Returns a figure, after saving it if there is a path."""
    if path is not None:
        save(figure, path)
    return figure


def save(figure: Figure, path: PathLike) -> None:
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
