"""The single entry point for data: user input becomes arrays, or a stream that is checked."""

import contextvars
import functools
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_vae.arrays import available_memory
from keras_vae.arrays import is_array
from keras_vae.arrays import is_array_like
from keras_vae.arrays import is_frame
from keras_vae.arrays import to_numpy
from keras_vae.datasets import Batches
from keras_vae.models.base.data import streams
from keras_vae.models.base.data.checks import check_sample_weight
from keras_vae.models.base.data.parts import Parts
from keras_vae.models.base.data.parts import of_batch
from keras_vae.models.base.data.parts import of_x
from keras_vae.typing import Array

BATCH_SIZE = 32  # default for data sets of single examples, as in Keras
NAMES = ("x", "y")


class Received(NamedTuple):
    """User input after checking.

    Attributes:
        x: NumPy array, a tuple of two for prediction from pairs, or a data set as Keras takes it.
        y, sample_weight: NumPy arrays for an array x, or `None`.
        batches: The `Batches` that the user passed, or `None`.
        view: `View` of a data set whose batches are checked as they are read, or `None`.
        seen: NumPy array, x or its first batch.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    batches: Batches | None = None
    view: streams.View | None = None
    seen: Any = None

    @property
    def is_arrays(self) -> bool:
        """Whether x is an array, or a pair of them."""
        return self.batches is None and self.view is None

    @property
    def is_in_order(self) -> bool:
        """Whether Keras must not shuffle the batches, as it does for some data sets."""
        return self.batches is not None or (self.view is not None and self.view.is_in_order)

    def num_examples(self) -> int:
        """Returns the number of examples in arrays.

        Raises:
            ValueError: If x is a data set.
        """
        if not self.is_arrays:
            kind = type(self.x if self.view is None else self.view.source).__name__
            raise ValueError(
                f"`validation_split` divides arrays, but `x` is a {kind}. Give `validation_data` "
                "instead."
            )
        return len(self.x)

    def split(self, held_out: int) -> tuple["Received", "Received"]:
        """Splits off the last `held_out` examples, as Keras' `validation_split` does."""
        cut = len(self.x) - held_out

        def part(rows):
            parts = [None if a is None else a[rows] for a in self[:3]]
            return Received(*parts, seen=parts[0])

        return part(slice(cut)), part(slice(cut, None))

    @property
    def given(self) -> Any:
        """The data in the form of `validation_data`."""
        return Parts(*self[:3]).given if self.is_arrays else self.x

    def evaluated_by(self, model: Any, batch_size: int | None) -> tuple["Received", int | None]:
        """Returns the data that Keras evaluates or predicts from, and the batch size."""
        if not self.is_arrays:
            return self, None
        x, y, sample_weight, batch_size = model.evaluated(*self[:3], batch_size)
        return self._replace(x=x, y=y, sample_weight=sample_weight), batch_size


def receive(
    model: Any,
    x: Any,
    y: Array = None,
    sample_weight: Array = None,
    batch_size: int | None = None,
    names: tuple[str, str] = NAMES,
    for_prediction: bool = False,
) -> Received:
    """Checks the arguments of `fit`, `evaluate` or `predict` and returns them as `Received`.

    Arrays are checked completely. Of a data set the first batch is checked now, and every batch as
    it is read. A model that is not built yet is built.

    Args:
        model: A model with `FrontDoor`.
        x, y, sample_weight: What the user passed.
        batch_size: Integer, or `None`.
        names: The names of x and y in errors.
        for_prediction: Whether the data are for `call`, rather than for a training step.

    Raises:
        ValueError: If the data do not fit this model.
    """
    x = model.as_arrays(x)
    if not _is_stream(x):
        given = _arrays(model, of_x(x, model.takes_pairs, names[0], model.data_shape), y, names)
        given = _checked(model, given, names, for_prediction)
        weights = given.sample_weight if sample_weight is None else sample_weight
        weights = check_sample_weight(weights, len(given.x), "sample_weight")
        x = (given.x, given.y) if for_prediction and model.predicts_from_pairs else given.x
        y = None if for_prediction else given.y
        if weights is not None and y is None and not for_prediction:
            # Keras drops weights without targets. If a target may be another x, it is x itself:
            # otherwise TensorFlow would trace one step for both shapes, and lose their rank.
            y = given.x if model.can_denoise else np.zeros(len(given.x), "float32")
        return Received(x, y, weights, seen=given.x)
    for argument, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"`{argument}` cannot be given together with a dataset. Expected: a dataset of (x, "
                f"y) or (x, y, sample_weight), and no `{argument}`. Received: a {type(x).__name__}."
            )
    if isinstance(x, Batches) and not for_prediction and _is_plain(x):
        given = Parts(*x.data)
        if x.binarize:  # draws from probabilities, which `Batches` has checked, are 0 or 1
            given = given._replace(x=np.broadcast_to(np.float32(0), given.x.shape))
        if given.sample_weight is not None:
            check_sample_weight(given.sample_weight, len(given.x), "sample_weight")
        _checked(model, given, names)
        return Received(x, batches=x, seen=given.x)
    if isinstance(x, Batches) and for_prediction:
        x = x.in_order()  # so that predictions are in the order of the examples
    return _stream(model, x, batch_size, names, for_prediction)


def gathered(
    model: Any, x: Any, condition: Array = None, takes_pairs: bool | None = None, name: str = "x"
) -> tuple[Any, Any]:
    """Returns `(x, condition)` of arrays or a whole data set as NumPy arrays, not yet checked.

    A data set is read to its end, in its own order; `Batches` are read in that of their arrays.

    Args:
        model: A model with `FrontDoor`.
        x: Arrays, or a data set of x, or of (x, condition).
        condition: The user's condition, or `None`.
        takes_pairs: Whether x may include conditions; by default `model.takes_pairs`.
        name: The name of x in errors.

    Raises:
        ValueError: If x is none of these, may have no end, or does not fit into memory.
    """
    takes_pairs = model.takes_pairs if takes_pairs is None else takes_pairs
    x = model.as_arrays(x)
    if not _is_stream(x):
        given = of_x(x, takes_pairs, name, model.data_shape)
        _refuse_other_kinds(given.x, name)
    elif isinstance(x, Batches) and _is_plain(x) and not x.binarize:
        given = Parts(*x.data)
    else:
        in_order = x.in_order() if isinstance(x, Batches) else x
        given = _read(model, streams.elements(in_order, name), takes_pairs, name)
    array, y = to_numpy(given.x, name), given.y
    if y is not None and not takes_pairs:
        y = model.check_condition(y, array)
    return array, (y if condition is None else condition)


def unpacked(given: Any) -> tuple:
    """Returns `(x, y, sample_weight)` of `validation_data`, as Keras does; a longer list is x."""
    if isinstance(given, list | tuple) and len(given) > 3:
        return given, None, None
    return keras.utils.unpack_x_y_sample_weight(given)


# Whether the current call comes from within this library.

_IS_INSIDE = contextvars.ContextVar("keras_vae_is_inside", default=False)


def is_inside() -> bool:
    """Whether a step or compiled function of a model, whose data are checked, is running."""
    return _IS_INSIDE.get()


def inside(function: Callable) -> Callable:
    """Returns `function`, wrapped so that `is_inside()` is true within it."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        token = _IS_INSIDE.set(True)
        try:
            return function(*args, **kwargs)
        finally:
            _IS_INSIDE.reset(token)

    return call


def _is_stream(x):
    """Whether x is a data set, rather than an array, a table, or lists and dicts of them."""
    is_other = is_array(x) or is_frame(x) or isinstance(x, list | tuple | Mapping)
    return not is_other and streams.is_data_set(x)


def _is_plain(batches):
    """Whether a model takes what `Batches` yield as it is, without work at each batch."""
    return batches.pair is None and all(isinstance(part, np.ndarray) for part in batches.data)


def _arrays(model, given, y, names):
    _refuse_other_kinds(given.x, names[0])
    if y is not None and given.y is not None:
        raise ValueError(
            f"`{names[0]}` holds a pair, whose second part is `{names[1]}`, but `{names[1]}` was "
            "also given. Give it only once."
        )
    return given._replace(x=to_numpy(given.x, names[0]), y=given.y if y is None else y)


def _refuse_other_kinds(x, name):
    if not is_array_like(x):
        has_items = hasattr(x, "__getitem__") and hasattr(x, "__len__") and not isinstance(x, str)
        advice = " Wrap it: torch.utils.data.DataLoader(x, batch_size=32)." if has_items else ""
        raise ValueError(
            f"`{name}` must be an array with the examples along its first axis, or a dataset that "
            f"yields batches of them. Received: {type(x).__name__}.{advice}"
        )


def _checked(model, given, names, for_prediction=False):
    """Checks NumPy arrays, builds the model if necessary, and returns them with y as used."""
    model.check_and_build(given.x, names[0])
    if for_prediction and model.takes_pairs and not model.predicts_from_pairs:
        return given._replace(y=None)  # the targets, or the condition of a prior only
    return given._replace(y=model.check_condition(given.y, given.x, names[1]))


def _stream(model, data, batch_size, names, for_prediction):
    element, data = streams.first_element(data, names[0])

    def parts_of(element):
        return of_batch(element, model.takes_pairs, names[0])

    def check(given):
        # Checks that conditions have as many examples as x.
        _checked(model, given._replace(sample_weight=None), names, for_prediction)
        check_sample_weight(given.sample_weight, len(given.x), "sample_weight")

    def packed(given):
        if for_prediction:
            return ((given.x, given.y),) if model.predicts_from_pairs else (given.x,)
        return given.given

    first = parts_of(element)
    is_single = _is_single(model, first)
    if is_single:
        first = Parts(*(None if part is None else to_numpy(part)[None] for part in first))
    first = Parts(*map(to_numpy, first, (*names, "sample_weight")))
    check(first)
    view = streams.View(data, parts_of, check, packed)
    size = (batch_size or BATCH_SIZE) if is_single else None
    batches = data if isinstance(data, Batches) and not for_prediction else None
    checked = streams.checked(data, view, size)
    return Received(checked, batches=batches, view=view, seen=first.x)


def _is_single(model, given):
    """Whether a data set yields single examples: x has the shape of one."""
    if model.data_shape is None or is_frame(given.x):
        return False
    shape = np.shape(to_numpy(given.x))
    return len(shape) == len(model.data_shape) and all(
        d in (None, s) for s, d in zip(shape, model.data_shape, strict=True)
    )


def _read(model, elements, takes_pairs, name):
    """Returns all of a data set, in memory."""
    pieces, num_bytes, available = [], 0, available_memory()
    for element in elements:
        given = of_batch(element, takes_pairs, name)
        is_single = _is_single(model, given)
        arrays = map(to_numpy, given, (name, "y", "sample_weight"))
        piece = [a[None] if a is not None and is_single else a for a in arrays]
        num_bytes += piece[0].nbytes
        if available is not None and num_bytes > available:
            raise ValueError(
                f"`{name}` must be read to its end here, but does not fit into memory: "
                f"{num_bytes / 1e9:,.1f} GB were read, and {available / 1e9:,.1f} GB were "
                "available. Give it in parts."
            )
        pieces.append(piece)
    if not pieces:
        raise ValueError(f"`{name}` is empty: it yields no batches. Give at least one.")
    return Parts(
        *(
            None if parts[0] is None else np.concatenate(parts)
            for parts in zip(*pieces, strict=True)
        )
    )
