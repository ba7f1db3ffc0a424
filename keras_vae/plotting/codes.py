"""Plots of discrete codes: how often each is used, and where."""

import colorsys

import numpy as np
from keras import ops

from keras_vae.plotting.figure import Figure
from keras_vae.plotting.figure import PathLike
from keras_vae.plotting.figure import finish
from keras_vae.plotting.figure import new_panel
from keras_vae.plotting.images import as_pictures
from keras_vae.plotting.images import draw_pairs
from keras_vae.typing import Array

_UNEVEN = 20  # times the equal share; above, the other codes would vanish at the bottom
_GOLDEN = 0.6180339887498949  # turns of the hue between codes, which keeps hues far apart


def codebook_histogram(
    counts: Array, path: PathLike | None = None, title: str | None = None
) -> Figure:
    """Plots how often each code of a codebook is used, most frequent first.

    Args:
        counts: Array (K,), or (Q, K) for Q codebooks, as returned by `evaluation.codebook_usage`.
        path: Path of a file to write; its suffix is the format.
        title: Optional string that replaces the line with usage and perplexity.

    Returns:
        `matplotlib.figure.Figure`. The dashed line shows equal use of all codes.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If `counts` has another shape, is negative somewhere, or no code was used.

    Example:

    ```python
    codebook_histogram(keras_vae.evaluation.codebook_usage(model, x_test).counts, "codes.png")
    ```
    """
    counts = ops.convert_to_numpy(counts).astype("float64")
    counts = counts[None] if counts.ndim == 1 else counts
    is_right = counts.ndim == 2 and counts.size > 0 and np.all(counts >= 0)
    if not is_right or not np.all(counts.sum(axis=1) > 0):
        raise ValueError(
            "`counts` must be usage counts, (K,) or (Q, K), with at least one use of each "
            f"codebook. Received: shape {counts.shape}, sum {counts.sum()}."
        )
    shares = -np.sort(-counts / counts.sum(axis=1, keepdims=True), axis=1)
    num_codes = shares.shape[1]
    figure, panel = new_panel(680, 380)
    for number, share in enumerate(shares, start=1):
        surprise = -share * np.log(np.where(share > 0, share, 1))
        name = f"codebook {number}: " if len(shares) > 1 else ""
        text = f"{name}{np.mean(share > 0):.0%} used, perplexity {np.exp(surprise.sum()):.1f}"
        if len(shares) == 1:
            panel.bar(range(num_codes), share, width=1.0, color="tab:blue", label=text)
        else:
            panel.step(range(num_codes), share, where="mid", label=text)
    panel.axhline(1 / num_codes, color="0.3", linestyle="--", linewidth=1, label="equal use")
    if shares.max() * num_codes > _UNEVEN:
        panel.set_yscale("log")
    panel.set_xlim(-0.5, num_codes - 0.5)
    panel.set_xlabel(f"rank of the code, of {num_codes:,}")
    panel.set_ylabel("share of the positions")
    panel.legend(frameon=False, fontsize=9)
    if title:
        panel.set_title(title, fontsize=12)
    return finish(figure, path)


def code_maps(
    x: Array,
    indices: Array,
    num_embeddings: int,
    path: PathLike | None = None,
    columns: int = 8,
    title: str | None = None,
) -> Figure:
    """Plots pictures, with the map of its codes below each, and a colour for each code.

    Args:
        x: Array of N images, as for `image_grid`.
        indices: Integer array (N, h, w), or (N, h, w, Q) for several codebooks, of which the first
            is drawn, as returned by `model.encode_indices(x)`. Height and width of the pictures
            must be multiples of those of the maps.
        num_embeddings: Integer, K, the number of codes.
        path: Path of a file to write; its suffix is the format.
        columns: Integer, the number of pairs in a row.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If the arrays do not fit each other, or an index is not a code.

    Example:

    ```python
    code_maps(x_test[:8], model.encode_indices(x_test[:8]), 128, "maps.png")
    ```
    """
    pictures, indices = as_pictures(x, "x"), ops.convert_to_numpy(indices)
    indices = indices[..., 0] if indices.ndim == 4 else indices
    if indices.ndim != 3 or len(indices) != len(pictures):
        raise ValueError(
            "`indices` must be the codes (N, h, w) of the N pictures in `x`. Received: shapes "
            f"{indices.shape} and {pictures.shape}."
        )
    if not (indices.min() >= 0 and indices.max() < num_embeddings):
        raise ValueError(
            f"`indices` must be codes, from 0 to {num_embeddings - 1}. Received: from "
            f"{indices.min()} to {indices.max()}."
        )
    height, width = pictures.shape[1:3]
    factors = height // indices.shape[1], width // indices.shape[2]
    if (indices.shape[1] * factors[0], indices.shape[2] * factors[1]) != (height, width):
        raise ValueError(
            "The sides of the pictures must be multiples of those of their maps. Received: "
            f"{(height, width)} and {indices.shape[1:]}."
        )
    hues = np.arange(num_embeddings) * _GOLDEN % 1
    tones = (0.95, 0.7, 0.45)
    palette = np.array(
        [colorsys.hsv_to_rgb(hue, 0.75, tones[i % len(tones)]) for i, hue in enumerate(hues)]
    )
    maps = palette[indices].repeat(factors[0], axis=1).repeat(factors[1], axis=2)
    pictures = np.broadcast_to(pictures, maps.shape)
    return finish(draw_pairs(pictures, maps, ("data", "codes"), columns, title), path)
