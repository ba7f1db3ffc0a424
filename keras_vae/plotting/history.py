"""Training curves."""

import math
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from keras_vae.plotting.figure import Figure
from keras_vae.plotting.figure import PathLike
from keras_vae.plotting.figure import calm
from keras_vae.plotting.figure import finish
from keras_vae.plotting.figure import new_figure

_COLUMNS = 3
_PANEL_WIDTH = 360  # pixels
_PANEL_HEIGHT = 270
_CONSTANT = 1e-5  # relative change below which a curve is constant
_CUT = 10  # the first tenth of the epochs may lie outside of an axis

# A metric's unit is that of the first pair whose words occur in its name, otherwise nats.
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
    path: PathLike | None = None,
    title: str | None = None,
    held_out: str = "validation",
) -> Figure:
    """Plots each metric of a training run over the epochs, for training and held-out data.

    The axes show how training ended: if the first epochs lie far outside the range of the others,
    they are cut off, and the legend says so. If there are the terms of an ELBO, an additional panel
    shows how they make up the bound.

    Args:
        history: Dict from the name of a metric to its values, one per epoch, such as
            `model.fit(...).history`. The metrics `x` and `val_x` share a panel, with the last value
            of each in its legend. If a metric was computed only every few epochs, these epochs are
            inferred; if several intervals give the same number of values, the longest is assumed.
        path: Path of a file to write; its suffix is the format.
        title: Optional string, a line of text above the plot.
        held_out: String, the name of the data behind `val_x`, such as "test" for test data.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `history` holds no values.

    Example:

    ```python
    history = model.fit(train, validation_data=test, epochs=20).history
    curves(history, "curves.png", held_out="test")
    ```
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    num_epochs = max((len(values) for values in history.values()), default=0)
    if not num_epochs:
        raise ValueError(f"`history` holds no values to plot. Received: {history}")
    split = _elbo_split(history, held_out)
    num_panels = len(names) + (split is not None)
    columns = min(_COLUMNS, num_panels)
    rows = math.ceil(num_panels / columns)
    figure = new_figure(columns * _PANEL_WIDTH, rows * _PANEL_HEIGHT + (30 if title else 0))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for panel in panels[num_panels:]:
        panel.set_axis_off()
    if split is not None:
        whose, parts = split
        _draw_split(panels[len(names)], whose, parts, num_epochs)
    for panel, name in zip(panels, names, strict=False):
        _draw(panel, name, history, num_epochs, held_out)
    if title:
        figure.suptitle(title, fontsize=12)
    return finish(figure, path)


def unit(name: str) -> str:
    """Returns the unit of a metric, by its name: nats for a cost."""
    return next((unit for words, unit in _UNITS if words in name), "nats")


def _draw(panel, name, history, num_epochs, held_out):
    drawn = []
    for key, label, style in (
        (name, "training", {"color": "tab:blue"}),
        (f"val_{name}", held_out, {"color": "tab:orange", "linestyle": "--"}),
    ):
        if values := history.get(key):
            epochs = _epochs(values, num_epochs)
            marker = "o" if len(values) < 15 else None
            text = f"{label}: {values[-1]:.4g}"
            (line,) = panel.plot(epochs, values, label=text, marker=marker, markersize=3, **style)
            drawn.append(line)
    _show_the_end(panel, drawn, num_epochs)
    _dress(panel, name.replace("_", " "), unit(name))


def _epochs(values, num_epochs):
    """The epochs, counted from 1, after which values were computed."""
    every = num_epochs // len(values)
    return [every * (i + 1) for i in range(len(values))]


def _elbo_split(history, held_out):
    """Returns `(whose, {term: values})` for reconstruction and KL if they make up the bound, from
    held-out data if there are any."""
    for prefix, whose in (("val_", held_out), ("", "training")):
        parts = [history.get(prefix + name) for name in ("elbo", "reconstruction", "kl")]
        if all(parts) and len(set(map(len, parts))) == 1:
            elbo, reconstruction, kl = map(np.asarray, parts)
            is_whole = np.allclose(-elbo, reconstruction + kl, rtol=1e-3)
            is_stackable = reconstruction.min() >= 0 and kl.min() >= 0  # a density may be negative
            if is_whole and is_stackable:
                return whose, {"KL": kl, "reconstruction": reconstruction}
    return None


def _draw_split(panel, whose, parts, num_epochs):
    total = sum(parts.values())
    epochs = _epochs(total, num_epochs)
    labels = [f"{name}: {values[-1]:.4g}" for name, values in parts.items()]
    panel.stackplot(epochs, *parts.values(), labels=labels, colors=("#9ecae1", "#fdd0a2"))
    panel.plot(epochs, total, color="0.25", label=f"-elbo: {total[-1]:.4g}")
    panel.set_ylim(0, 1.15 * max(total[len(total) // _CUT :]))
    if len(epochs) > 1:
        panel.set_xlim(epochs[0], epochs[-1])
    _dress(panel, f"negative ELBO by term ({whose})", "nats")
    panel.legend(fontsize=8, framealpha=0.9, loc="lower right")


def _dress(panel, title, label):
    panel.set_title(title, fontsize=10)
    panel.set_xlabel("epoch", fontsize=9)
    panel.set_ylabel(label, fontsize=9)
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.tick_params(labelsize=8)
    calm(panel)
    panel.legend(fontsize=8, frameon=False)


def _show_the_end(panel, lines, num_epochs):
    """Sets the range of a panel.

    This is the range of the values after the first tenth of the epochs, if the full range is more
    than twice as wide; the legend then shows where a line starts. Values that differ only by
    rounding become a flat line.
    """
    low, high = panel.dataLim.intervaly
    late = np.concatenate(
        [y[x > num_epochs / _CUT] for x, y in (np.transpose(line.get_xydata()) for line in lines)]
    )
    late = late[np.isfinite(late)]
    if num_epochs >= _CUT and late.size:
        width = np.ptp(late)
        if high - low > 2 * width and width > _CONSTANT * np.abs(late).max():
            bottom, top = late.min() - 0.06 * width, late.max() + 0.06 * width
            panel.set_ylim(bottom, top)
            for line in lines:
                if not bottom <= (first := line.get_ydata()[0]) <= top:
                    line.set_label(f"{line.get_label()}, from {first:.4g}")
            return
    if high - low < _CONSTANT * abs(high):
        panel.set_ylim(low - 0.1 * abs(high), high + 0.1 * abs(high))
