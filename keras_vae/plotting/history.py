"""Training curves."""

import math
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from keras_vae.plotting.figure import new_figure
from keras_vae.plotting.figure import save

_COLUMNS = 3
_PANEL_WIDTH = 360  # pixels
_PANEL_HEIGHT = 270
_CONSTANT = 1e-5  # relative change below which a curve is constant

# A metric's unit is that of the first pair whose words occur in its name, else nats.
_UNITS = (
    ("bits_per_dim", "bits/dim"),
    ("active_units", "units"),
    ("perplexity", "codes"),
    ("usage", "fraction"),
    ("accuracy", "fraction"),
    ("codebook", "squared distance"),
    ("commitment", "squared distance"),
    ("mse", ""),
    ("weight", ""),
    ("beta", ""),
    ("learning_rate", ""),
)


def curves(
    history: Mapping[str, Sequence[float]],
    path: str | os.PathLike[str],
    title: str | None = None,
) -> None:
    """Plots each metric of a training run over the epochs, for training and validation.

    Args:
        history: Dict from the name of a metric to its values, one per epoch, as
            `model.fit(...).history`. The metrics `x` and `val_x` share a panel, with the last value
            of each in its legend. If a metric was computed only every few epochs, those epochs are
            inferred.
        path: Path of the file to write; its suffix is the format.
        title: Optional string, a line of text above the plot.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `history` holds no values.

    Example:

    ```python
    history = model.fit(train, validation_data=test, epochs=20).history
    curves(history, "curves.png")
    ```
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    num_epochs = max((len(values) for values in history.values()), default=0)
    if not num_epochs:
        raise ValueError(f"`history` holds no values to plot. Received: {history}")
    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = new_figure(columns * _PANEL_WIDTH, rows * _PANEL_HEIGHT + (30 if title else 0))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        _draw(panel, name, history, num_epochs)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    if title:
        figure.suptitle(title, fontsize=12)
    save(figure, path)


def unit(name: str) -> str:
    """Returns the unit of a metric, by its name: nats for a cost."""
    return next((unit for words, unit in _UNITS if words in name), "nats")


def _draw(panel: Any, name: str, history: Mapping[str, Sequence[float]], num_epochs: int) -> None:
    for key, label, style in (
        (name, "training", {"color": "tab:blue"}),
        (f"val_{name}", "validation", {"color": "tab:orange", "linestyle": "--"}),
    ):
        if values := history.get(key):
            every = num_epochs // len(values)
            epochs = [every * (i + 1) for i in range(len(values))]
            marker = "o" if len(values) < 15 else None
            text = f"{label}: {values[-1]:.4g}"
            panel.plot(epochs, values, label=text, marker=marker, markersize=3, **style)
    _widen_where_constant(panel)
    panel.set_title(name.replace("_", " "), fontsize=10)
    panel.set_xlabel("epoch", fontsize=9)
    panel.set_ylabel(unit(name), fontsize=9)
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.tick_params(labelsize=8)
    panel.grid(color="0.9", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(fontsize=8, frameon=False)


def _widen_where_constant(panel: Any) -> None:
    """Widens the range of a panel whose values differ only by rounding, to show a flat line."""
    low, high = panel.dataLim.intervaly
    if high - low < _CONSTANT * abs(high):
        panel.set_ylim(low - 0.1 * abs(high), high + 0.1 * abs(high))
