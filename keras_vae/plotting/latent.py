"""Plots of a two-dimensional latent space."""

import os
from typing import Any

import numpy as np
from keras import ops

from keras_vae.plotting.figure import new_figure
from keras_vae.plotting.figure import save
from keras_vae.typing import Array


def latent_scatter(
    z: Array,
    path: str | os.PathLike[str],
    y: Array | None = None,
    title: str | None = None,
) -> None:
    """Plots the positions of examples in a two-dimensional latent space.

    Args:
        z: Array (N, 2).
        path: Path of the file to write; its suffix is the format.
        y: Optional array (N,) of at most 20 different labels, each drawn in its own colour.
        title: Optional string, a line of text above the plot.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `z` or `y` has another shape, or if there are more than 20 labels.

    Example:

    ```python
    latent_scatter(model.encode(data.test.x).mean, "latent.png", y=data.test.y)
    ```
    """
    z = ops.convert_to_numpy(z)
    labels = np.zeros(len(z)) if y is None else ops.convert_to_numpy(y)
    if z.ndim != 2 or z.shape[1] != 2 or labels.shape != z.shape[:1]:
        raise ValueError(
            "`z` must have shape (N, 2), and `y`, if given, shape (N,). "
            f"Received: shapes {z.shape} and {labels.shape}"
        )
    kinds = np.unique(labels)
    if len(kinds) > 20:
        raise ValueError(f"`y` must hold at most 20 different labels. Received: {len(kinds)}.")
    figure = new_figure(640, 560)
    figure.set_layout_engine("constrained")
    panel = figure.subplots()
    panel.set_prop_cycle(color=_colours(len(kinds)))
    for kind in kinds:
        rows = labels == kind
        panel.scatter(z[rows, 0], z[rows, 1], s=9, alpha=0.7, linewidths=0, label=str(kind))
    panel.set_xlabel("z[0]")
    panel.set_ylabel("z[1]")
    panel.set_aspect("equal", adjustable="datalim")
    panel.grid(color="0.9", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    if y is not None:
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=2)
    if title:
        panel.set_title(title, fontsize=12)
    save(figure, path)


def _colours(count: int) -> Any:
    import matplotlib

    return matplotlib.colormaps["tab10" if count <= 10 else "tab20"].colors
