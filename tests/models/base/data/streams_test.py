import keras
import numpy as np
import pytest

from keras_vae.models.base.data import streams
from keras_vae.models.base.data.parts import of_batch

X = np.arange(12, dtype="float32").reshape(6, 2)


class TwoBatches(keras.utils.PyDataset):
    begun = ended = 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index >= 2:
            raise IndexError
        return X[3 * index : 3 * index + 3]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


class NoBatch(TwoBatches):
    def __getitem__(self, index):
        raise IndexError


class NoLength(NoBatch):
    """Has batches, but says that it has none."""

    def __len__(self):
        return 0

    def __getitem__(self, index):
        return X


def view_of(data, limit=np.inf):
    def check(parts):
        assert isinstance(parts.x, np.ndarray)
        if parts.x.max() > limit:
            raise ValueError("too large")

    return streams.View(data, lambda e: of_batch(e, False), check, lambda parts: parts.given)


def read(data, batch_size=None, limit=np.inf):
    checked = streams.checked(data, view_of(data, limit), batch_size)
    if isinstance(checked, keras.utils.PyDataset):
        return [checked[i][0] for i in range(checked.num_batches)]
    return [np.asarray(batch[0]) for batch in checked]


def loader(x, **options):
    utils = pytest.importorskip("torch.utils.data")
    torch = pytest.importorskip("torch")
    return utils.DataLoader(torch.from_numpy(x), **options)


def tf_data(x):
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices(x)


KINDS = {
    "dataset": TwoBatches,
    "generator": lambda: (X[i : i + 3] for i in (0, 3)),
    "iterator": lambda: iter([X[:3], X[3:]]),
    "list": lambda: [X[:3], X[3:]],
    "loader": lambda: loader(X, batch_size=3),
    "tf.data": lambda: tf_data(X).batch(3),
}
SINGLE = {
    "generator": lambda: (x for x in X),
    "list": lambda: list(X),
    "loader": lambda: loader(X, batch_size=None),
    "tf.data": lambda: tf_data(X),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_every_kind(kind):
    data = KINDS[kind]()
    first, data = streams.first_element(data, "x")
    np.testing.assert_array_equal(first, X[:3])
    np.testing.assert_array_equal(np.concatenate(read(data)), X)  # the look took nothing


@pytest.mark.one_backend
@pytest.mark.parametrize("kind", SINGLE)
def test_single_examples_become_batches(kind):
    batches = read(SINGLE[kind](), batch_size=4)
    assert [len(batch) for batch in batches] == [4, 2]
    np.testing.assert_array_equal(np.concatenate(batches), X)


@pytest.mark.one_backend
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_batch_ends_the_stream_and_says_which_it_is(kind):
    data = KINDS[kind]()
    view = view_of(data, limit=6)
    with (  # noqa: PT012
        pytest.raises(ValueError, match="In batch 2 of the dataset: too large") as error,
        streams.told_plainly(view),
    ):
        checked = streams.checked(data, view, None)
        if isinstance(checked, keras.utils.PyDataset):
            [checked[i] for i in range(2)]
        else:
            list(checked)
    assert error.value is view.error
    assert type(error.value) is ValueError


def test_a_failure_of_the_data_set_itself_is_told_as_it_is():
    def broken():
        yield X
        raise OSError("the disk went away")

    data = broken()
    view = view_of(data)
    with pytest.raises(OSError, match="the disk"), streams.told_plainly(view):  # noqa: PT012
        try:
            list(streams.checked(data, view, None))
        except OSError as error:
            raise RuntimeError("as a framework wraps it") from error


@pytest.mark.one_backend
def test_a_loader_stays_a_loader_and_is_not_changed():
    data = loader(X, batch_size=3)
    checked = streams.checked(data, view_of(data), None)
    assert isinstance(checked, type(data))
    assert len(checked) == 2
    assert type(next(iter(checked))) is tuple
    assert type(next(iter(data))) is not tuple
    assert len(streams.checked(loader(X, batch_size=None), view_of(data), 4)) == 2


def test_epochs_of_a_dataset_are_told_to_it():
    data = TwoBatches(workers=3)
    checked = streams.checked(data, view_of(data), None)
    checked.on_epoch_begin()
    checked.on_epoch_end()
    assert (data.begun, data.ended, checked.workers) == (1, 1, 3)


def test_an_iterable_begins_anew_with_each_epoch():
    checked = streams.checked([X[:3], X[3:]], view_of([]), None)
    for _ in range(2):
        np.testing.assert_array_equal(checked[0][0], X[:3])
    np.testing.assert_array_equal(checked[1][0], X[3:])


def test_an_iterable_without_length():
    class Endless:
        def __iter__(self):
            return iter([X])

    with pytest.raises(ValueError, match="Endless has no length"):
        streams.checked(Endless(), view_of([]), None)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("data", [NoBatch(), NoLength(), iter(()), (x for x in ()), []])
def test_empty_data_sets(data):
    with pytest.raises(ValueError, match="`validation_data` is empty: it yields no batch"):
        streams.first_element(data, "validation_data")


def test_what_may_have_no_end_is_not_read_to_it():
    class Infinite(TwoBatches):
        @property
        def num_batches(self):
            return None

    for data in (Infinite(), (x for x in X)):
        with pytest.raises(ValueError, match="may have none"):
            streams.elements(data, "x")
    assert len(list(streams.elements(TwoBatches(), "x"))) == 2
