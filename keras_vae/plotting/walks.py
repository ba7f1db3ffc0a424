"""Walks through a latent space: decoded points of a plane, a line, or one dimension."""

import math
from statistics import NormalDist
from typing import Any

import keras
import numpy as np

from keras_vae.batching import map_batches
from keras_vae.checks import check_choice
from keras_vae.checks import check_count
from keras_vae.plotting.figure import Figure
from keras_vae.plotting.figure import PathLike
from keras_vae.plotting.figure import finish
from keras_vae.plotting.images import as_pictures
from keras_vae.plotting.images import draw_table
from keras_vae.typing import Array

INTERPOLATIONS = ("linear", "spherical")


def latent_grid(
    model: keras.Model,
    path: PathLike | None = None,
    size: int = 15,
    condition: Array = None,
    title: str | None = None,
) -> Figure:
    """Plots a two-dimensional latent space as a grid of decoded pictures.

    The points are quantiles of N(0, 1) in both dimensions, so each picture represents an equal
    fraction of the prior.

    Args:
        model: Model whose z has shape (2,).
        path: Path of a file to write; its suffix is the format.
        size: Integer, the number of pictures in a row and in a column.
        condition: In a conditional model, one condition for all pictures.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`, with z[0] increasing to the right and z[1] upwards.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If z has another shape, or if the model does not generate pictures.

    Example:

    ```python
    latent_grid(model, "plane.png")
    ```

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114), figure 4
    """
    if _latent_shape(model) != (2,):
        raise ValueError(
            f"`latent_grid` draws a plane: z must have shape (2,). Received: a model with z of "
            f"shape {_latent_shape(model)}. `traversals` draws any number of dimensions."
        )
    size = check_count("size", size)
    values = [NormalDist().inv_cdf((i + 0.5) / size) for i in range(size)]
    z = np.array([[(right, up) for right in values] for up in reversed(values)])
    pictures = decoded(model, z.reshape(-1, 2), condition)
    texts = [f"{value:+.2f}" for value in values]
    table = pictures.reshape(size, size, *pictures.shape[1:])
    return finish(draw_table(table, texts[::-1], texts, title or "z[0] →,  z[1] ↑"), path)


def traversals(
    model: keras.Model,
    x: Array,
    path: PathLike | None = None,
    example: int = 0,
    num_dimensions: int = 10,
    steps: int = 9,
    extent: float = 2.0,
    condition: Array = None,
    title: str | None = None,
) -> Figure:
    """Plots the effect of each latent dimension on one example: a row for each, which varies it.

    Dimension j goes from m_j - `extent` s_j to m_j + `extent` s_j, where m_j and s_j are the mean
    and the standard deviation of z_j over x, including the variance of q(z|x); all others keep the
    values of the example. The rows are sorted by the spread of the means of q(z_j|x) over x, which
    is 0 for unused dimensions.

    Args:
        model: Model whose z is one vector.
        x: Array (N, *S) of a few hundred examples.
        path: Path of a file to write; its suffix is the format.
        example: Integer, the index in x of the starting point.
        num_dimensions: Integer, the maximum number of rows.
        steps: Integer, the number of columns.
        extent: Positive float, in standard deviations.
        condition: In a conditional model, array (N, ...), the conditions.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If z is not a vector, if x or the condition does not fit the model, or if the
            model does not generate pictures.

    Example:

    ```python
    traversals(model, x_test[:500], "traversals.png")
    ```

    Reference:
        - [Higgins et al., 2017](https://openreview.net/forum?id=Sy2fzU9gl), figure 2
    """
    shape = _latent_shape(model)
    if len(shape) != 1:
        raise ValueError(
            f"`traversals` moves the dimensions of a vector z. Received: a model with z of shape "
            f"{shape}."
        )
    steps = check_count("steps", steps)
    num_dimensions = check_count("num_dimensions", num_dimensions)
    if not extent > 0:
        raise ValueError(f"`extent` must be a positive number. Received: {extent!r}.")
    means, variances = latents(model, x, condition)
    centre, moved = means.mean(axis=0), means.var(axis=0)
    spread = np.sqrt(moved + variances.mean(axis=0))
    dims = np.argsort(-moved)[:num_dimensions]
    distances = np.linspace(-extent, extent, steps)
    z = np.tile(means[example], (len(dims), steps, 1))
    for row, dim in enumerate(dims):
        z[row, :, dim] = centre[dim] + distances * spread[dim]
    own = None if condition is None else np.asarray(condition)[example]
    pictures = decoded(model, z.reshape(-1, *shape), own)
    table = pictures.reshape(len(dims), steps, *pictures.shape[1:])
    rows = [f"z[{dim}]" for dim in dims]
    return finish(draw_table(table, rows, [f"{d:+.1f} s" for d in distances], title), path)


def interpolations(
    model: keras.Model,
    first: Array,
    second: Array,
    path: PathLike | None = None,
    steps: int = 8,
    how: str = "linear",
    condition: Array = None,
    title: str | None = None,
) -> Figure:
    """Plots paths from one example to another through the latent space, a row for each pair.

    The outermost pictures are the data; between them are the decoded points of the path, including
    the codes of both ends.

    Args:
        model: Model with an encoder and a decoder.
        first: Array (N, *S) of the examples on the left.
        second: Array (N, *S) of those on the right.
        path: Path of a file to write; its suffix is the format.
        steps: Integer of at least 2, the number of points on the path.
        how: `"linear"`, or `"spherical"`: along the great circle, with the length interpolated
            linearly, so that in many dimensions the path between z from N(0, I) does not leave the
            shell where such z lie.
        condition: In a conditional model, array (N, ...), the condition of each path.
        title: Optional string, a line of text above the plot.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If the shapes of `first` and `second` differ, if `steps` or `how` is invalid, if
            x or the condition does not fit the model, or if the model does not generate pictures.

    Example:

    ```python
    interpolations(model, x_test[:5], x_test[5:10], "ways.png", how="spherical")
    ```

    Reference:
        - [White, 2016](https://arxiv.org/abs/1609.04468), for spherical interpolation
    """
    if np.shape(first) != np.shape(second):
        raise ValueError(
            "`first` and `second` must have the same shape. Received: "
            f"{np.shape(first)} and {np.shape(second)}."
        )
    begin, end = (latents(model, x, condition)[0] for x in (first, second))
    z = interpolated(begin, end, steps, how)  # (N, steps, *S of z)
    given = None if condition is None else np.repeat(np.asarray(condition), steps, axis=0)
    pictures = as_pictures(decoded(model, z.reshape(-1, *z.shape[2:]), given), "pictures")
    table = pictures.reshape(len(z), steps, *pictures.shape[1:])
    data = [as_pictures(x, name)[:, None] for x, name in ((first, "first"), (second, "second"))]
    table = np.concatenate([data[0], table, data[1]], axis=1)
    between = [f"{share:.0%}" for share in np.linspace(0, 1, steps)]
    return finish(draw_table(table, (), ["data", *between, "data"], title), path)


def interpolated(first: Array, second: Array, steps: int, how: str = "linear") -> np.ndarray:
    """Returns the points on paths between pairs of codes.

    Args:
        first: Array (N, ...).
        second: Array (N, ...).
        steps: Integer of at least 2, the number of points, including both ends.
        how: `"linear"` or `"spherical"`, as for `interpolations`.

    Returns:
        Float64 array (N, steps, ...).

    Raises:
        ValueError: If `steps` is not an integer of at least 2, or if `how` is unknown.
    """
    steps = check_count("steps", steps, least=2)
    check_choice("how", how, INTERPOLATIONS)
    first, second = (np.asarray(end, "float64") for end in (first, second))
    shape = first.shape[1:]
    a, b = (end.reshape(len(end), 1, -1) for end in (first, second))
    share = np.linspace(0, 1, steps)[:, None]
    way = (1 - share) * a + share * b if how == "linear" else _great_circle(a, b, share)
    return way.reshape(len(first), steps, *shape)


def decoded(model: keras.Model, z: np.ndarray, condition: Array = None) -> np.ndarray:
    """Returns the mean of p(x|z) for z (N, ...), or, for nominal data, the mode."""
    conditions = model.conditions_for(condition, len(z))
    return map_batches(
        model,
        lambda z, *c: model.likelihood.point(model.decode(z, *c)),
        np.asarray(z, "float32"),
        *conditions,
        key="walk",
    )


def latents(model: keras.Model, x: Array, condition: Array = None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the codes of x, (N, ...), and the variances of q(z|x), or zeros if there is no q."""
    _latent_shape(model)

    def per_batch(x, *condition):
        found: Any = model.infer(x, model.embedded(*condition))
        if hasattr(found, "log_var"):
            return found.mean, keras.ops.exp(found.log_var)
        z = model.latent_mean(x, model.embedded(*condition))
        return z, keras.ops.zeros_like(z)

    return map_batches(model, per_batch, *model.check_inputs(x, condition), key="ends of walks")


def _latent_shape(model):
    shape = getattr(model, "latent_shape", None)
    if shape is None or model.encode_gives == "posteriors":
        raise ValueError(
            f"There is no single z to walk through in {type(model).__name__}. Expected: a built "
            "model with an encoder, a decoder and one level of latents, such as keras_vae.VAE."
        )
    return shape


def _great_circle(a, b, share):
    """(N, steps, D): directions and lengths change at constant rates. Ends without a direction, or
    with opposite ones, between which the path is not unique, are joined by a line."""
    lengths = [np.linalg.norm(end, axis=-1, keepdims=True) for end in (a, b)]
    is_long = (lengths[0] > 0) & (lengths[1] > 0)
    u, v = (e / np.where(n > 0, n, 1) for e, n in zip((a, b), lengths, strict=True))
    # Rounding may make the product of unit vectors exceed 1.
    angle = np.arccos(np.clip(np.sum(u * v, axis=-1, keepdims=True), -1, 1))
    is_turned = is_long & (np.sin(angle) > 1e-6)
    angle = np.where(is_turned, angle, math.pi / 2)  # any value that allows a division
    turned = (np.sin((1 - share) * angle) * u + np.sin(share * angle) * v) / np.sin(angle)
    length = (1 - share) * lengths[0] + share * lengths[1]
    return np.where(is_turned, length * turned, (1 - share) * a + share * b)
