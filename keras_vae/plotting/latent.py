"""Plots of latent spaces: the positions of examples, and the cost of each dimension."""

from typing import Any

import numpy as np
from keras import ops

from keras_vae.plotting.figure import Figure
from keras_vae.plotting.figure import PathLike
from keras_vae.plotting.figure import finish
from keras_vae.plotting.figure import new_panel
from keras_vae.typing import Array

_MOST_LABELS = 20  # the number of distinguishable colours
_MOST_NAMED = 32  # bars labelled with their dimension
_USED = 0.01  # nats; a dimension that costs less is unused


def latent_scatter(
    z: Array,
    path: PathLike | None = None,
    y: Array | None = None,
    title: str | None = None,
) -> Figure:
    """Plots the positions of examples in a latent space.

    With more than two dimensions, the first two principal components are drawn, and the axes state
    the fraction of the variance that they explain.

    Args:
        z: Array (N, D), D at least 2.
        path: Path of a file to write; its suffix is the format.
        y: Optional array (N,) of at most 20 different labels, each drawn in its own colour.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`.

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
    if z.ndim != 2 or z.shape[1] < 2 or labels.shape != z.shape[:1]:
        raise ValueError(
            "`z` must have shape (N, D) with D at least 2, and `y`, if given, shape (N,). "
            f"Received: shapes {z.shape} and {labels.shape}"
        )
    kinds = np.unique(labels)
    if len(kinds) > _MOST_LABELS:
        raise ValueError(
            f"`y` must hold at most {_MOST_LABELS} different labels. Received: {len(kinds)}."
        )
    names = ["z[0]", "z[1]"]
    if z.shape[1] > 2:
        z, shares = _principal_plane(z)
        words = ("first", "second")
        names = [
            f"{word} principal component, {share:.0%} of the variance"
            for word, share in zip(words, shares, strict=True)
        ]
    figure, panel = new_panel(680, 600)
    panel.set_prop_cycle(color=_colours(len(kinds)))
    for kind in kinds:
        rows = labels == kind
        panel.scatter(z[rows, 0], z[rows, 1], s=9, alpha=0.7, linewidths=0, label=str(kind))
    panel.set_xlabel(names[0])
    panel.set_ylabel(names[1])
    panel.set_aspect("equal", adjustable="datalim")
    if y is not None:
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=2)
    if title:
        panel.set_title(title, fontsize=12)
    return finish(figure, path)


def kl_per_dimension(kl: Array, path: PathLike | None = None, title: str | None = None) -> Figure:
    """Plots the cost of each latent dimension, highest first.

    Args:
        kl: Array in the shape of the latent, in nats, as returned by `evaluation.kl_per_dimension`.
        path: Path of a file to write; its suffix is the format.
        title: Optional string that replaces the line with the number of used dimensions.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `kl` is empty, or a value is negative or not a number.

    Example:

    ```python
    kl_per_dimension(keras_vae.evaluation.kl_per_dimension(model, x_test), "kl.png")
    ```
    """
    kl = np.ravel(ops.convert_to_numpy(kl)).astype("float64")
    if kl.size == 0 or not np.all(kl > -1e-3):  # rounding may make a zero slightly negative
        raise ValueError(f"`kl` must hold nats of at least 0. Received: {kl}.")
    order = np.argsort(-kl, kind="stable")
    figure, panel = new_panel(min(1100, 420 + 12 * len(kl)), 380)
    is_used = kl[order] >= _USED
    colours = np.where(is_used, "tab:blue", "0.8")
    panel.bar(range(len(kl)), kl[order], color=colours, width=0.85)
    if len(kl) <= _MOST_NAMED:
        panel.set_xticks(range(len(kl)), order)
        panel.set_xlabel("latent dimension, sorted")
    else:
        panel.set_xlabel("rank of the latent dimension")
    panel.set_xlim(-0.7, len(kl) - 0.3)
    panel.set_ylabel("KL to the prior, nats")
    used = f"{is_used.sum()} of {len(kl)} dimensions cost {_USED} nats or more"
    panel.set_title(title or f"{used}; together {kl.sum():.1f} nats", fontsize=11)
    panel.grid(visible=False, axis="x")
    return finish(figure, path)


def _principal_plane(z):
    """Returns the first two principal components of z (N, D), and their shares of the variance."""
    centred = z.astype("float64") - z.mean(axis=0, dtype="float64")
    _, scales, directions = np.linalg.svd(centred, full_matrices=False)
    variances = np.append(scales**2, 0.0)[:2]  # a single example has only one, which is 0
    plane = centred @ np.resize(directions, (max(2, len(directions)), z.shape[1]))[:2].T
    return plane, variances / max(np.sum(scales**2), np.finfo("float64").tiny)


def _colours(count: int) -> Any:
    import matplotlib

    return matplotlib.colormaps["tab10" if count <= 10 else "tab20"].colors
