"""Histograms of values per example."""

import numpy as np
from keras import ops

from keras_vae.plotting.figure import Figure
from keras_vae.plotting.figure import PathLike
from keras_vae.plotting.figure import finish
from keras_vae.plotting.figure import new_panel
from keras_vae.typing import Array


def nats_histogram(
    nats: dict[str, Array],
    path: PathLike | None = None,
    label: str = "log p(x), nats",
    title: str | None = None,
) -> Figure:
    """Plots the distribution of values per example, such as log-likelihoods.

    Args:
        nats: Dict from a name, such as "test", to an array (N,) of numbers. All are drawn with the
            same bins, each as fractions of its own examples.
        path: Path of a file to write; its suffix is the format.
        label: String, the quantity and its unit.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`, with the mean of each in the legend.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If there are no numbers, or one is not finite.

    Example:

    ```python
    digits, noise = (model.log_likelihood(x, num_samples=100) for x in (x_test, x_noise))
    nats_histogram({"digits": digits, "noise": noise}, "nats.png")
    ```
    """
    arrays = {name: np.ravel(ops.convert_to_numpy(values)) for name, values in nats.items()}
    everything = np.concatenate([*arrays.values(), []])
    if not arrays or min(map(len, arrays.values())) == 0 or not np.isfinite(everything).all():
        raise ValueError(
            "`nats` must hold finite numbers under each name. Received: "
            f"{ {name: values.shape for name, values in arrays.items()} }."
        )
    bins = np.histogram_bin_edges(everything, bins=min(60, max(10, len(everything) // 20)))
    figure, panel = new_panel(680, 400)
    for name, values in arrays.items():
        weights = np.full(len(values), 1 / len(values))
        text = f"{name}: mean {values.mean():.4g}, {len(values):,} examples"
        panel.hist(values, bins, weights=weights, alpha=0.55, label=text)
    panel.set_xlabel(label)
    panel.set_ylabel("share of the examples")
    panel.legend(frameon=False, fontsize=9)
    if title:
        panel.set_title(title, fontsize=12)
    return finish(figure, path)
