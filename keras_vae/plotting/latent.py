"""Pictures of a two-dimensional latent space."""

import numpy as np
from keras import ops

from keras_vae.plotting.figure import new_figure
from keras_vae.plotting.figure import save


def latent_scatter(z, path, y=None, title=None):
    """Draws where the examples lie in a latent space of two dimensions.

    Args:
        z: array (N, 2).
        path: the file to write; its suffix is the format.
        y: None, or array (N,) of at most 20 different labels, each drawn in a colour of its own.
        title: None, or a line of text above.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if `z` or `y` has another shape, or there are more labels than colours.

    Example:

    ```python
    latent_scatter(model.encode(data.test.x).mean, "latent.png", y=data.test.y)
    ```
    """
    z = ops.convert_to_numpy(z)
    labels = np.zeros(len(z)) if y is None else ops.convert_to_numpy(y)
    if z.ndim != 2 or z.shape[1] != 2 or labels.shape != z.shape[:1]:
        raise ValueError(
            "`z` must have shape (N, 2) and `y`, where given, shape (N,). "
            f"Received: shapes {z.shape} and {labels.shape}"
        )
    kinds = np.unique(labels)
    if len(kinds) > 20:
        raise ValueError(f"There are colours for 20 labels. Received: {len(kinds)}")
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


def _colours(count):
    import matplotlib

    return matplotlib.colormaps["tab10" if count <= 10 else "tab20"].colors
