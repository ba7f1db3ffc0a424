"""Data sets of every type as streams of batches that are checked as they are read."""

import contextlib
import copy
import itertools
import math
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_vae.arrays import to_numpy
from keras_vae.models.base.data import parts


def is_data_set(data: Any) -> bool:
    """Whether `data` yields batches or examples."""
    is_iterable = isinstance(data, keras.utils.PyDataset) or hasattr(data, "__iter__")
    return is_iterable and not isinstance(data, str | bytes | Mapping)


def is_used_up(data: Any) -> bool:
    """Whether `data` can be read only once: a generator, or another iterator."""
    return hasattr(data, "__next__")


def first_element(data: Any, name: str) -> tuple:
    """Returns `(element, data)`: the first element of a data set, and the data set with that
    element still in it.

    Raises:
        ValueError: If it yields nothing.
    """
    try:
        if isinstance(data, keras.utils.PyDataset):
            if data.num_batches == 0:
                raise IndexError
            return data[0], data
        if is_used_up(data):
            first = next(data)
            return first, itertools.chain([first], data)
        return next(iter(data)), data
    except (StopIteration, IndexError):
        raise ValueError(f"`{name}` is empty: it yields no batches. Give at least one.") from None


class View:
    """Turns the elements of a data set into checked batches in Keras' form.

    Args:
        source: The data set.
        parts_of: Function from an element of the data set to a `Parts`. It only rearranges tensors
            and does not read their values.
        check: Function of a `Parts` of NumPy arrays that raises `ValueError` if they are invalid.
        packed: Function from a `Parts` to the tuple that Keras receives.

    Attributes:
        is_in_order: Whether the batches are read one after the other, in the source's order.
        error: The error that stopped the stream, or `None`. Frameworks wrap errors raised in their
            threads and graphs; this is the original.
    """

    def __init__(self, source: Any, parts_of: Callable, check: Callable, packed: Callable):
        self.source = source
        self.parts_of, self.check, self.packed = parts_of, check, packed
        self.is_in_order = not isinstance(source, keras.utils.PyDataset)
        self.error: Exception | None = None

    def __call__(self, element: Any, index: int) -> tuple:
        """Returns the checked batch of an element, the `index`-th."""
        given = self.parts_of(element)
        self.check_parts(given, index)
        return self.packed(given)

    def check_parts(self, given: parts.Parts, index: int) -> None:
        """Checks one batch."""
        with self.watching():
            try:
                self.check(parts.Parts(*map(to_numpy, given, given._fields)))
            except ValueError as error:
                raise ValueError(f"In batch {index + 1} of the dataset: {error}") from None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Records the error that ends this context."""
        try:
            yield
        except (StopIteration, GeneratorExit):
            raise
        except Exception as error:
            self.error = self.error or error
            raise


@contextlib.contextmanager
def told_plainly(*views: View | None) -> Iterator[None]:
    """Within this context an error of a stream is raised unwrapped by the framework."""
    try:
        yield
    except Exception as error:
        for view in views:
            if view is not None and view.error is not None and view.error is not error:
                raise view.error from None
        raise


def checked(data: Any, view: View, batch_size: int | None) -> Any:
    """Returns a data set for Keras, whose batches are those of `view`.

    Args:
        data: `keras.utils.PyDataset`, `tf.data.Dataset`, torch `DataLoader`, or any iterable.
        view: `View`.
        batch_size: Integer, to batch a data set of single examples; `None` if it yields batches.
    """
    if isinstance(data, keras.utils.PyDataset) and batch_size is None:
        return _CheckedDataset(data, view)
    if hasattr(data, "element_spec"):
        return _checked_tf_data(data, view, batch_size)
    if _is_loader(data):
        return _checked_loader(data, view, batch_size)
    if is_used_up(data):
        return _generated(_batched(data, batch_size), view)
    return _Sequence(data, view, batch_size)


def elements(data: Any, name: str) -> Iterator[Any]:
    """Yields the elements of a data set, once.

    Raises:
        ValueError: If it may have no end.
    """
    if is_used_up(data) or _num_batches(data) == math.inf:
        raise ValueError(
            f"`{name}` must be read to its end here, but a {type(data).__name__} may have none. "
            "Give an array, or a dataset with a length, such as keras_vae.datasets.Batches."
        )
    return iter(data)


class _CheckedDataset(keras.utils.PyDataset):
    """Another `PyDataset`, whose batches are checked."""

    def __init__(self, data, view):
        super().__init__(data.workers, data.use_multiprocessing, data.max_queue_size)
        self.data, self.view = data, view

    @property
    def num_batches(self):
        return self.data.num_batches

    def __getitem__(self, index):
        with self.view.watching():
            element = self.data[index]
        return self.view(element, index)

    def on_epoch_begin(self):
        self.data.on_epoch_begin()

    def on_epoch_end(self):
        self.data.on_epoch_end()


class _Sequence(keras.utils.PyDataset):
    """An iterable with a length, restarted whenever the first batch is requested."""

    def __init__(self, data, view, batch_size):
        super().__init__(workers=0)
        if _num_batches(data) is None:
            raise ValueError(
                f"A {type(data).__name__} has no length, and Keras would not know where an epoch "
                "ends. Give a generator, `iter(data)`, with `steps_per_epoch`, or a "
                "keras.utils.PyDataset."
            )
        self.data, self.view, self.batch_size = data, view, batch_size
        self._batches: Iterator = iter(())

    @property
    def num_batches(self):
        count = _num_batches(self.data)
        return None if count == math.inf else math.ceil(count / (self.batch_size or 1))

    def __getitem__(self, index):
        if index == 0:
            self._batches = _batched(iter(self.data), self.batch_size)
        with self.view.watching():
            element = next(self._batches)
        return self.view(element, index)


def _generated(batches, view):
    """A generator of checked batches."""
    for index in itertools.count():
        with view.watching():
            element = next(batches, _END)
        if element is _END:
            return
        yield view(element, index)


_END = object()


def _checked_tf_data(data, view, batch_size):
    # The user's data set has already imported TensorFlow, whatever backend Keras uses.
    from keras_vae.steps import checked_tf_data

    counted = itertools.count()
    return checked_tf_data.mapped(
        data if batch_size is None else data.batch(batch_size),
        lambda element: tuple(view.parts_of(element)),
        lambda given: view.check_parts(parts.Parts(*given), next(counted)),
        lambda given: view.packed(parts.Parts(*given)),
    )


def _checked_loader(data, view, batch_size):
    """A copy of a `DataLoader`, including its workers and samplers, with checked batches."""
    kind = type(data)

    def batches(loader):
        elements = kind.__iter__(loader)
        return _generated(_batched(elements, batch_size), view)

    def length(loader):
        return math.ceil(kind.__len__(loader) / (batch_size or 1))

    loader = copy.copy(data)
    loader.__class__ = type(kind.__name__, (kind,), {"__iter__": batches, "__len__": length})
    return loader


def _is_loader(data):
    return any(
        kind.__name__ == "DataLoader" and "torch.utils.data" in kind.__module__
        for kind in type(data).__mro__
    )


def _batched(elements, batch_size):
    """Yields elements, or batches of elements that are single examples."""
    if batch_size is None:
        yield from elements
        return
    while examples := list(itertools.islice(elements, batch_size)):
        yield keras.tree.map_structure(lambda *values: _stacked(values), *examples)


def _stacked(values):
    stacked = np.stack([to_numpy(value) for value in values])
    # A torch tensor stays one, as Keras expects of a `DataLoader`.
    return values[0].new_tensor(stacked) if hasattr(values[0], "new_tensor") else stacked


def _num_batches(data):
    """Returns the number of elements, `math.inf` if endless, or `None` if unknown."""
    if hasattr(data, "element_spec"):
        return math.inf if int(data.cardinality()) == -1 else None
    if isinstance(data, keras.utils.PyDataset):
        return math.inf if data.num_batches is None else data.num_batches
    try:
        return len(data)
    except TypeError:  # a `DataLoader` of a data set without a length has the method
        return None
