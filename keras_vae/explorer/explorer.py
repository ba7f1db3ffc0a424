"""The model's answers to the explorer's page, as plain numbers for JSON."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_vae import evaluation
from keras_vae import plotting
from keras_vae.batching import run_batches
from keras_vae.checks import check_choice
from keras_vae.conditions import LabelCondition
from keras_vae.plotting.walks import INTERPOLATIONS
from keras_vae.plotting.walks import interpolated
from keras_vae.typing import Array

NUM_EXAMPLES = 500  # that show where codes lie, as dots on the map
NUM_STEPS = 8
_NUM_DRAWS = 100
_EXTENT = 3.0  # range of a slider, in standard deviations of the codes


class Explorer:
    """Answers the page's requests to a model of pictures.

    Pictures are lists of H W C integers from 0 to 255, row by row, as in a canvas.

    Args:
        model: Model with an encoder and a decoder of pictures (H, W, 1 or 3) in [0, 1], without a
            condition or conditioned on labels.
        name: String, the name shown on the page.
        x: Array (N, H, W, C) of examples, preferably held-out ones, or `None` for samples of the
            model.
        labels: Integer array (N,), which a model conditioned on labels needs with x.

    Raises:
        ValueError: If the model is of another type, or if x does not fit it.

    Example:

    ```python
    explorer = Explorer(vae, "my VAE", data.test.x, data.test.y)
    explorer.encode(explorer.example(0)["picture"])["nats"]
    ```
    """

    def __init__(
        self, model: keras.Model, name: str = "", x: Array | None = None, labels: Array = None
    ) -> None:
        _check_model(model)
        self.model, self.name = model, name
        told = model.sample_condition
        self.num_classes = 0 if told is None else told.num_classes
        self.needs_label = told is not None and not told.can_be_absent
        self.has_data = x is not None
        if x is None:
            labels = np.arange(NUM_EXAMPLES) % self.num_classes if self.num_classes else None
            x = np.clip(_sampled(model, NUM_EXAMPLES, labels, seed=0), 0, 1)
        self.x = np.asarray(x[:NUM_EXAMPLES], "float32")
        self.labels = None if labels is None else np.asarray(labels[:NUM_EXAMPLES])
        self.is_binary = bool(np.isin(self.x, (0, 1)).all())
        model.check_inputs(self.x, self._told(self.labels))
        self.kind = self._kind()
        if self.kind == "latents":
            self._find_sliders()

    def describe(self) -> dict:
        """Returns the contents of the page: sizes, classes, sliders, dots and grids of codes."""
        height, width, channels = self.model.data_shape
        described = {
            "name": self.name,
            "family": type(self.model).__name__,
            "height": height,
            "width": width,
            "channels": channels,
            "kind": self.kind,
            "classes": self.num_classes,
            "needs_label": self.needs_label,
            "can_sample": self.model.can_sample,
            "can_walk": self.kind in ("latents", "codes"),
            "is_binary": self.is_binary,
            "has_data": self.has_data,
            "num_examples": len(self.x),
        }
        if self.kind == "latents":
            described |= {
                "sliders": self.sliders,
                "kl_is_known": self.kl is not None,
                "dots": np.round(self.means, 3).tolist(),
                "dot_labels": None if self.labels is None else self.labels.tolist(),
            }
        if self.kind == "codes":
            described["grids"] = [
                {"shape": list(shape), "num_embeddings": quantizer.num_embeddings}
                for shape, quantizer in zip(
                    self.model.code_shapes, evaluation.quantizers_of(self.model), strict=True
                )
            ]
        return described

    def example(self, number: Any) -> dict:
        """Returns a picture of the data, and its label."""
        if not isinstance(number, int):
            raise ValueError(f"The number of an example must be an integer. Received: {number!r}.")
        i = number % len(self.x)
        label = None if self.labels is None else int(self.labels[i])
        return {"picture": _to_bytes(self.x[i]), "label": label, "number": i}

    def sample(self, label: Any = None) -> dict:
        """Returns a new picture."""
        labels = self._label(label)
        return {"picture": _to_bytes(_sampled(self.model, 1, labels)[0])}

    def decode(self, z: Any, label: Any = None) -> dict:
        """Returns the picture for z, a list of D numbers."""
        (size,) = self._latent_shape("sliders")
        z = _numbers(z, "z", size, 1000)
        return {"picture": _to_bytes(self._decoded(z[None], self._own(label, 1))[0])}

    def decode_codes(self, codes: Any, label: Any = None) -> dict:
        """Returns the picture for codes, a list with a grid for each level."""
        if self.kind != "codes":
            raise ValueError(f"{type(self.model).__name__} has no codes.")
        shapes = self.model.code_shapes
        try:
            grids = [np.asarray(grid)[None] for grid in codes]
            are_whole = all(np.issubdtype(grid.dtype, np.integer) for grid in grids)
        except (TypeError, ValueError):  # not a list, or lists that differ in length
            grids, are_whole = [], False
        if len(grids) != len(shapes) or not are_whole:
            raise ValueError(
                f"The codes must be a list of {len(shapes)} grids of integers, of shape "
                f"{', '.join(map(str, shapes))}. Received: {str(codes)[:60]}."
            )
        given = self.model.for_user(grids)
        own = self._own(label, 1)
        return {"picture": _to_bytes(self.model.decode_indices(given, own)[0])}

    def encode(self, picture: Any, label: Any = None) -> dict:
        """Returns the posterior or codes of a picture, its reconstruction, and its nats.

        Args:
            picture: List of H W C integers from 0 to 255.
            label: Integer, the class, for a model conditioned on labels.

        Returns:
            Dict: `seen`, the picture as the model takes it; `reconstruction`; `nats` of log p(x),
            or `None` if the model has no likelihood, and `nats_are`: "exact", an "estimate" or a
            "bound"; `mean` and `std` for vectors z, or `codes`.
        """
        x = self._picture(picture)[None]
        own = self._own(label, 1)
        found: dict = {"seen": _to_bytes(x[0]), **self._nats(x, label)}
        if self.kind == "latents":
            mean, variance = self._inferred(x, own)
            found |= {"mean": mean[0].tolist(), "std": np.sqrt(variance[0]).tolist()}
            again = self._decoded(mean, own)
        elif self.kind == "codes":
            indices = self.model.indices_of(x, own)
            found["codes"] = [grid[0].tolist() for grid in indices]
            again = self.model.decode_indices(self.model.for_user(indices), own)
        else:
            again = self.model.reconstruct(x, own)
        return {**found, "reconstruction": _to_bytes(again[0])}

    def walk(self, first: Any, second: Any, how: Any = "linear", label: Any = None) -> dict:
        """Returns the pictures on the path from one to another, a list of `NUM_STEPS`."""
        check_choice("how", how, INTERPOLATIONS)
        x = np.stack([self._picture(first), self._picture(second)])
        self._latent_shape("a way between two pictures", any_rank=True)
        begin, end = self._inferred(x, self._own(label, 2))[0][:, None]
        z = interpolated(begin, end, NUM_STEPS, how)[0]
        pictures = self._decoded(z, self._own(label, NUM_STEPS))
        return {"pictures": [_to_bytes(picture) for picture in pictures]}

    def _kind(self):
        """The type of z: "latents", a vector of numbers; "codes"; or "other"."""
        if self.model.encode_gives == "codes":
            return "codes"
        if self.model.encode_gives not in ("posterior", "point"):
            return "other"
        inferred = self.model.encode(self.x[:1], *self._arrays(self._told(self.labels), 1))
        is_number = not getattr(inferred, "is_discrete", False)
        return "latents" if is_number and len(self.model.latent_shape) == 1 else "other"

    def _find_sliders(self):
        told = self._told(self.labels)
        self.means, variances = self._inferred(self.x, told)
        moved, centre = self.means.var(axis=0), self.means.mean(axis=0)
        spread = np.sqrt(moved + variances.mean(axis=0)) + 1e-3
        try:
            self.kl = evaluation.kl_per_dimension(self.model, self.x, told)
        except (ValueError, AttributeError):  # other priors have no closed form: use the Gaussian
            # nearest to all codes instead; points have no KL at all
            has_posterior = variances.min() > 0
            self.kl = -0.5 * np.log(variances / spread**2).mean(axis=0) if has_posterior else None
        order = np.argsort(-(moved if self.kl is None else self.kl), kind="stable")
        self.sliders = [
            {
                "dimension": int(j),
                "kl": None if self.kl is None else float(self.kl[j]),
                "low": float(centre[j] - _EXTENT * spread[j]),
                "high": float(centre[j] + _EXTENT * spread[j]),
                "start": float(self.means[0, j]),
            }
            for j in order
        ]

    def _latent_shape(self, what, any_rank=False):
        if self.kind == "latents" or (any_rank and self.kind == "codes"):
            return self.model.latent_shape
        raise ValueError(f"{type(self.model).__name__} has no z for {what}.")

    def _inferred(self, x, own):
        """Means and variances of q(z|x), arrays (N, *S of z)."""
        return plotting.latents(self.model, x, own)

    def _decoded(self, z, own):
        """The pictures for z (N, ...), compiled once and not at every move of a slider."""
        model = self.model

        def shown(z, *condition):
            return model.likelihood.point(model.decode(z, *condition))

        run = model.jitted_once(("explorer", "decode"), shown)
        return run_batches(run, np.asarray(z, "float32"), *model.conditions_for(own, len(z)))

    def _nats(self, x, label):
        kind, told = self.model.log_likelihood_is, self._label(label)
        if kind is None:
            return {"nats": None, "nats_are": None}
        own = {"num_samples": _NUM_DRAWS, "seed": 0} if kind == "estimate" else {}
        nats = float(self.model.log_likelihood(x, told, **own)[0])
        return {"nats": nats if np.isfinite(nats) else None, "nats_are": kind}

    def _told(self, labels):
        """Labels, for a model that takes them when it encodes and decodes."""
        return labels if self.model.condition is not None else None

    def _own(self, label, count):
        labels = self._told(self._label(label))
        return None if labels is None else np.repeat(labels, count)

    def _label(self, label):
        """Array (1,) of a class, or `None`, from the page's input."""
        if not self.num_classes or (label is None and not self.needs_label):
            return None
        is_class = isinstance(label, int) and not isinstance(label, bool)
        if not is_class or not 0 <= label < self.num_classes:
            raise ValueError(
                f"The label must be a class from 0 to {self.num_classes - 1}. Received: {label!r}."
            )
        return np.array([label], "int32")

    def _arrays(self, labels, count):
        return () if labels is None else (labels[:count],)

    def _picture(self, picture):
        """Float32 array (H, W, C) in [0, 1] from the page's input."""
        shape = self.model.data_shape
        values = _numbers(picture, "picture", int(np.prod(shape)), 255)
        if values.min() < 0:
            raise ValueError("A picture must hold numbers from 0 to 255. Received: one below 0.")
        x = (values / 255).astype("float32").reshape(shape)
        return (x >= 0.5).astype("float32") if self.is_binary else x


def _check_model(model):
    name = type(model).__name__
    shape = getattr(model, "data_shape", None)
    if not getattr(model, "can_reconstruct", False):
        raise ValueError(
            f"The explorer shows models that encode pictures and decode them. Received: a {name}."
        )
    if shape is None or len(shape) != 3 or None in shape or shape[-1] not in (1, 3):
        raise ValueError(
            "The explorer shows models of pictures of one size (height, width, 1 or 3). Received: "
            f"a {name} of data of shape {shape}."
        )
    condition = model.sample_condition
    if condition is not None and not isinstance(condition, LabelCondition):
        raise ValueError(
            "Of conditional models, the explorer shows those conditioned on class labels. "
            f"Received: a {name} conditioned on {condition.expected()}."
        )


def _sampled(model, count, labels, seed=None):
    """Samples, or reconstructions of blank pictures if a model has no prior to draw from."""
    if model.can_sample:
        return model.sample(count, labels, seed=seed)
    blank = np.zeros((count, *model.data_shape), "float32")
    return model.reconstruct(blank, None if model.condition is None else labels)


def _numbers(values, name, size, largest):
    """Float64 array (size,) of a list of numbers from a browser."""
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or len(values) != size or not all(map(_is_number, values)):
        what = f"a list of {len(values)}" if is_list else type(values).__name__
        raise ValueError(f"`{name}` must be a list of {size} numbers. Received: {what}.")
    array = np.asarray(values, "float64")
    if not np.abs(array).max() <= largest:
        raise ValueError(f"`{name}` must hold numbers up to {largest}. Received: a larger one.")
    return array


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to_bytes(picture):
    return np.round(255 * np.clip(picture, 0, 1)).astype("uint8").ravel().tolist()
