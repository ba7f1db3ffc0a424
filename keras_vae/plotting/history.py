"""Training curves."""

import math

from keras_vae.plotting.figure import new_figure
from keras_vae.plotting.figure import save

_COLUMNS = 3
_PANEL_WIDTH = 360  # pixels
_PANEL_HEIGHT = 270
_CONSTANT = 1e-5  # relative

# The first pair whose words occur in a metric's name tells its unit; all else is a cost in nats.
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


def curves(history, path, title=None):
    """Draws each metric of a training run over its epochs, validation beside training.

    Args:
        history: dict of metric name to its values, one an epoch, as `model.fit(...).history`.
            `val_x` is drawn beside `x`, with its last value; where it was taken every few epochs
            only, those epochs are inferred.
        path: the file to write; its suffix is the format.
        title: None, or a line of text above.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if there are no values.

    Example:

    ```python
    history = model.fit(train, validation_data=test, epochs=20).history
    curves(history, "curves.png")
    ```
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    num_epochs = max((len(values) for values in history.values()), default=0)
    if not num_epochs:
        raise ValueError(f"`history` holds no values to draw. Received: {history}")
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


def unit(name):
    """The unit that a metric's name carries; costs are in nats."""
    return next((unit for words, unit in _UNITS if words in name), "nats")


def _draw(panel, name, history, num_epochs):
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


def _widen_where_constant(panel):
    """Shows values that differ by rounding only as the constant that they are."""
    low, high = panel.dataLim.intervaly
    if high - low < _CONSTANT * abs(high):
        panel.set_ylim(low - 0.1 * abs(high), high + 0.1 * abs(high))
