"""Bad input: one `ValueError` before the first step, of the same content on every backend."""

import families
import keras
import numpy as np
import pytest
from families import OneBatch

import keras_vae
from keras_vae import VAE

X = families.BY_NAME["vae"].data()  # (8, 6, 5, 1), black and white
LABELS = np.arange(len(X))


class NoBatch(keras.utils.PyDataset):
    def __len__(self):
        return 0

    def __getitem__(self, index):
        raise IndexError


def spoiled(value, index=(2, 1, 0, 0)):
    x = X.copy()
    x[index] = value
    return x


# Of each error the words that say what is wrong and what to do, in their order.
RANGE = (
    "`{name}` … Expected: … [0, 1] … Bernoulli … Received: … (8, 6, 5, 1) … {dtype} … "
    "from {low} to {high} … {bad} at index {index} … divided by 255"
)
NOT_FINITE = "`{name}` … not finite … {value} … index (2, 1, 0, 0) … remove"
SHAPE = "`{name}` … shape … Expected: … (N, 6, 5, 1) … Received: {shape} … float32 … {advice}"
EMPTY = "`{name}` … empty … {shape}"
NO_BATCH = "`{name}` … empty … no batch"
NUMBERS = "`{name}` … numbers … Received: … {dtype} … {shape} … float32"
NO_DATA = "`{name}` … array … data set … Received: {kind}."
NO_PLACE = "`x` alone … `{label}` … (8,) … drop … conditional model"
RESHAPE = "Reshape … `input_shape`"
THREE_CHANNELS = "3 channels … takes 1 … `input_shape`"


def bytes_text(name):
    first = tuple(int(i) for i in np.argwhere(X == 1)[0])
    return RANGE.format(name=name, dtype="uint8", low=0, high=255, bad=255, index=first)


def floats_text(name):
    first = tuple(int(i) for i in np.argwhere(X == 1)[0])
    return RANGE.format(name=name, dtype="float32", low=0, high=255, bad=255, index=first)


def negative_text(name):
    first = tuple(int(i) for i in np.argwhere(X == 0)[0])
    return RANGE.format(name=name, dtype="float32", low=-1, high=1, bad=-1, index=first)


def text(template, **values):
    labels = {"x": "y", "validation_data[0]": "validation_data[1]"}
    return lambda name: template.format(name=name, label=labels[name], **values)


# What is wrong -> (the input, its error).
BAD_ARRAYS = {
    "bytes": ((255 * X).astype("uint8"), bytes_text),
    "floats to 255": (255 * X, floats_text),
    "from -1 to 1": (2 * X - 1, negative_text),
    "NaN": (spoiled(np.nan), text(NOT_FINITE, value="nan")),
    "infinity": (spoiled(np.inf), text(NOT_FINITE, value="inf")),
    "minus infinity": (spoiled(-np.inf), text(NOT_FINITE, value="-inf")),
    "three channels": (
        np.repeat(X, 3, axis=-1),
        text(SHAPE, shape=(8, 6, 5, 3), advice=THREE_CHANNELS),
    ),
    "no channel axis": (
        X[..., 0],
        text(
            SHAPE,
            shape=(8, 6, 5),
            advice="channel axis … x[..., None]",
        ),
    ),
    "one example": (
        X[0],
        text(
            SHAPE,
            shape=(6, 5, 1),
            advice="one example … x[None]",
        ),
    ),
    "flat": (X.reshape(8, 30), text(SHAPE, shape=(8, 30), advice=RESHAPE)),
    "transposed": (X.transpose(0, 2, 1, 3), text(SHAPE, shape=(8, 5, 6, 1), advice=RESHAPE)),
    "no example": (X[:0], text(EMPTY, shape=(0, 6, 5, 1))),
    "strings": (np.array([["a"]]), text(NUMBERS, dtype="<U1", shape=(1, 1))),
    "objects": (np.array([None, 1]), text(NUMBERS, dtype="object", shape=(2,))),
    "complex": (X + 1j, text(NUMBERS, dtype="complex64", shape=(8, 6, 5, 1))),
}
BAD_DATA = {
    "list of strings": (["a", "b"], text(NUMBERS, dtype="<U1", shape=(2,))),
    "empty list": ([], text(EMPTY, shape=(0,))),
    "nothing": (None, text(NO_DATA, kind="NoneType")),
    "a number": (3, text(NO_DATA, kind="int")),
    "a path": ("digits.npz", text(NO_DATA, kind="str")),
    "a dict": ({"x": X}, text(NO_DATA, kind="dict")),
    "data set without a batch": (NoBatch(), text(NO_BATCH)),
    "data set with labels": (OneBatch(X, LABELS), text(NO_PLACE)),
    "data set of bytes": (OneBatch((255 * X).astype("uint8")), bytes_text),
    "data set with NaN": (OneBatch(spoiled(np.nan)), text(NOT_FINITE, value="nan")),
    "data set without channels": (OneBatch(X[..., 0]), BAD_ARRAYS["no channel axis"][1]),
}


@pytest.fixture(scope="module")
def model():
    """Its weights must stay as they are: nothing here reaches a step."""
    model = families.BY_NAME["vae"].compiled()
    before = model.get_weights()
    yield model
    assert all(map(np.array_equal, before, model.get_weights()))
    assert int(model.optimizer.iterations) == 0


def error_of(function, *args, **kwargs):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  `assert_says` looks at its words
        function(*args, **kwargs)
    assert type(raised.value) is ValueError
    return str(raised.value)


def assert_says(message, expected):
    """Checks that a message has the key words of `expected`, which "…" divides, in their order."""
    rest = message
    for words in expected.split(" … "):
        _, found, rest = rest.partition(words)
        assert found, f"{words!r} is missing, or out of order, in: {message}"


every_bad_array = pytest.mark.parametrize("wrong", BAD_ARRAYS)
every_bad_input = pytest.mark.parametrize("wrong", [*BAD_ARRAYS, *BAD_DATA])


@every_bad_input
def test_fit_evaluate_and_predict(model, wrong):
    x, expected = {**BAD_ARRAYS, **BAD_DATA}[wrong]
    for method in (model.fit, model.evaluate, model.predict):
        assert_says(error_of(method, x, verbose=0), expected("x"))


def test_an_empty_generator(model):
    assert_says(error_of(model.fit, (x for x in ()), verbose=0), NO_BATCH.format(name="x"))


def test_a_loader_of_bare_tensors(model):
    torch = pytest.importorskip("torch")
    if keras.config.backend() == "torch":
        pytest.skip("the one backend where Keras takes them")
    loader = torch.utils.data.DataLoader(torch.from_numpy(X), batch_size=4)
    assert_says(error_of(model.fit, loader, verbose=0), "`x` … torch tensors … TensorDataset")


@every_bad_array
def test_reconstruct_log_likelihood_and_single_batches(model, wrong):
    x, expected = BAD_ARRAYS[wrong]
    for method in (
        model.reconstruct,
        model.log_likelihood,
        model.train_on_batch,
        model.test_on_batch,
        model.predict_on_batch,
    ):
        assert_says(error_of(method, x), expected("x"))


@every_bad_input
def test_validation_data(model, wrong):
    x, expected = {**BAD_ARRAYS, **BAD_DATA}[wrong]
    if wrong in ("nothing", "empty list"):
        return  # no validation
    expected = expected("validation_data[0]")
    assert_says(error_of(model.fit, X, validation_data=(x, None), verbose=0), expected)


def test_validation_data_without_a_tuple(model):
    found = error_of(model.fit, X, validation_data=spoiled(np.nan), verbose=0)
    assert_says(found, NOT_FINITE.format(name="validation_data[0]", value="nan"))


def test_labels(model):
    expected = NO_PLACE.format(label="y")
    for method in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        assert_says(error_of(method, X, LABELS), expected)
    found = error_of(model.fit, X, validation_data=(X, LABELS), verbose=0)
    assert_says(found, NO_PLACE.format(label="validation_data[1]"))


@pytest.mark.parametrize("fraction", [1.0, 1.5, -0.1, 0.01, "a"])
def test_validation_split(model, fraction):
    assert_says(
        error_of(model.fit, X, validation_split=fraction, verbose=0),
        f"`validation_split={fraction!r}` … 8 examples … `validation_data`",
    )


def test_validation_split_of_a_data_set(model):
    assert_says(
        error_of(model.fit, OneBatch(X), validation_split=0.5, verbose=0),
        "`validation_split` … OneBatch … `validation_data`",
    )


@pytest.mark.parametrize(
    "weights, received",
    [
        (np.ones(7), "shape (7,)"),
        (np.ones((8, 1)), "shape (8, 1)"),
        (np.full(8, np.nan), "shape (8,), with nan in it"),
        (-np.ones(8), "shape (8,), with -1.0 in it"),
    ],
)
def test_sample_weight(model, weights, received):
    expected = f"`sample_weight` … finite … at least 0 … 8 examples … Received: {received}."
    for method in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        assert_says(error_of(method, X, sample_weight=weights), expected)
    assert_says(error_of(model.fit, X, validation_data=(X, None, weights), verbose=0), expected)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_batch_size(model, batch_size):
    assert_says(
        error_of(model.fit, X, batch_size=batch_size, verbose=0),
        f"`batch_size` … at least 1 … Received: … {batch_size}",
    )


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, "a", True])
def test_seed(model, seed):
    expected = f"`seed` … 0 to 2147483647 … Received: {seed!r}."
    networks = families.mlp(families.PICTURE)
    assert_says(error_of(VAE, *networks, seed=seed), expected)
    assert_says(error_of(model.sample, 2, seed=seed), expected)
    assert_says(error_of(model.log_likelihood, X, num_samples=2, seed=seed), expected)


@pytest.mark.parametrize("num_samples", [0, -1, 1.5, None, "a"])
def test_num_samples(model, num_samples):
    expected = f"`num_samples` … positive integer … Received: {num_samples!r}."
    assert_says(error_of(model.sample, num_samples), expected)
    if num_samples is not None:  # the family's default
        assert_says(error_of(model.log_likelihood, X, num_samples=num_samples), expected)


def test_a_condition_where_there_is_none(model):
    expected = "no `condition` … conditional model"
    assert_says(error_of(model.sample, 2, condition=[1, 2]), expected)


def test_an_unknown_preset(tmp_path):
    known = ", ".join(keras_vae.presets.names()) or "none"
    assert_says(
        error_of(VAE.from_preset, "no/such/preset"), f"no preset 'no/such/preset' … {known}"
    )
    assert_says(error_of(VAE.from_preset, str(tmp_path)), f"{tmp_path} … config.json")


def test_training_before_compile():
    found = error_of(families.BY_NAME["vae"].model().fit, X)
    assert_says(found, "`compile()`")


def test_networks_that_do_not_fit():
    encoder, _ = families.mlp((6, 5, 1))
    _, decoder = families.mlp((6, 6, 1))
    assert_says(
        error_of(VAE, encoder, decoder), "decoder … Expected: … (6, 5, 1) … Received: … (6, 6, 1)"
    )


# Conditions.

LABELS_OF_3 = families.BY_NAME["conditional_iwae"].pairs()[1]
NO_LABEL = "`{name}` … {count} … ({value}) at index {index} … labels from 0 to 2 … `num_classes`"
MISSING = "missing … `{name}` … labels from 0 to 2 … Received: None … fit(x, condition)"
TOO_FEW = "`{name}` … each of the 8 examples … Received: 7 … (7,)"
NO_KIND = "`{name}` … labels from 0 to 2 … Received: … {shape} … {dtype}"


def labels_with(value, dtype="int32"):
    labels = LABELS_OF_3.astype(dtype)
    labels[[2, 5]] = value
    return labels


BAD_LABELS = {
    "3 of 3": (labels_with(3), NO_LABEL, {"count": 2, "value": 3, "index": 2}),
    "minus one": (labels_with(-1), NO_LABEL, {"count": 2, "value": -1, "index": 2}),
    "a half": (labels_with(0.5, "float32"), NO_LABEL, {"count": 2, "value": 0.5, "index": 2}),
    "NaN": (labels_with(np.nan, "float32"), NO_LABEL, {"count": 2, "value": "nan", "index": 2}),
    "soft": (np.full((8, 3), 0.5), NO_LABEL, {"count": 8, "value": "[0.5 0.5 0.5]", "index": 0}),
    "one too few": (LABELS_OF_3[:7], TOO_FEW, {}),
    "none": (None, MISSING, {}),
    "words": (np.array(["a"] * 8), NO_KIND, {"shape": (8,), "dtype": "<U1"}),
    "of four": (np.zeros((8, 4)), NO_KIND, {"shape": (8, 4), "dtype": "float64"}),
}
every_bad_label = pytest.mark.parametrize("wrong", BAD_LABELS)


@pytest.fixture(scope="module")
def conditional():
    """Its weights must stay as they are: nothing here reaches a step."""
    model = families.BY_NAME["conditional_iwae"].compiled()
    before = model.get_weights()
    yield model
    assert all(map(np.array_equal, before, model.get_weights()))
    assert int(model.optimizer.iterations) == 0


@every_bad_label
def test_conditions(conditional, wrong):
    labels, template, values = BAD_LABELS[wrong]
    for method in (conditional.fit, conditional.evaluate):
        assert_says(error_of(method, X, labels, verbose=0), template.format(name="y", **values))
    for method in (conditional.train_on_batch, conditional.test_on_batch):
        assert_says(error_of(method, X, labels), template.format(name="y", **values))
    expected = template.format(name="condition", **values)
    for method in (conditional.reconstruct, conditional.log_likelihood):
        assert_says(error_of(method, X, condition=labels), expected)
    assert_says(error_of(conditional.predict, (X, labels), verbose=0), expected)
    assert_says(error_of(conditional.sample, 8, condition=labels), expected)


@every_bad_label
def test_conditions_of_validation_data_and_data_sets(conditional, wrong):
    labels, template, values = BAD_LABELS[wrong]
    expected = template.format(name="validation_data[1]", **values)
    found = error_of(conditional.fit, X, LABELS_OF_3, validation_data=(X, labels), verbose=0)
    assert_says(found, expected)
    data = OneBatch(X) if labels is None else OneBatch(X, labels)
    assert_says(error_of(conditional.fit, data, verbose=0), template.format(name="y", **values))


def test_conditions_that_are_pictures():
    model = families.BY_NAME["completing_cvae"].model()
    expected = "finite numbers of shape (N, 6, 5, 1)"
    assert_says(
        error_of(model.reconstruct, X, condition=X[:, :5]),
        f"`condition` … Expected: {expected} … Received: … (8, 5, 5, 1)",
    )
    assert_says(
        error_of(model.log_likelihood, X, condition=spoiled(np.nan)),
        f"`condition` … not finite … index 2 … {expected}",
    )
