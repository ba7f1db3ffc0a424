"""Bad input gets one clear error before the first step: the same class and text on every backend."""

import keras
import numpy as np
import pytest

import keras_vae

SHAPE = (6, 5, 1)
GOOD = np.random.default_rng(0).integers(0, 2, (8, *SHAPE)).astype("float32")


class Spy(keras_vae.VAE):
    """A VAE that counts how often its objective is run."""

    runs = 0

    def terms(self, x, y=None, training=False):
        Spy.runs += 1
        return super().terms(x, y, training)


@pytest.fixture(scope="module")
def model():
    networks = keras_vae.MLPEncoder(SHAPE, 2, (4,)), keras_vae.MLPDecoder(SHAPE, 2, (4,))
    model = Spy(*networks, seed=0)
    model.compile("adam")
    return model


def with_value(value, dtype="float32"):
    x = GOOD.astype(dtype)
    x[2, 3, 1, 0] = value
    return x


BAD = {
    "bytes": (
        with_value(255, "uint8"),
        "`{name}` holds values that the likelihood cannot have produced. Expected: values in "
        "[0, 1] (Bernoulli). Received: shape (8, 6, 5, 1), dtype uint8, values from 0 to 255; the "
        "first bad one is 255 at index (2, 3, 1, 0). 8-bit pictures must be divided by 255, and "
        "standardised data need a Gaussian likelihood.",
    ),
    "float bytes": (
        with_value(255.0),
        "`{name}` holds values that the likelihood cannot have produced. Expected: values in "
        "[0, 1] (Bernoulli). Received: shape (8, 6, 5, 1), dtype float32, values from 0 to 255; "
        "the first bad one is 255 at index (2, 3, 1, 0). 8-bit pictures must be divided by 255, "
        "and standardised data need a Gaussian likelihood.",
    ),
    "nan": (
        with_value(np.nan),
        "`{name}` holds 1 values that are not finite, the first (nan) at index (2, 3, 1, 0), in "
        "shape (8, 6, 5, 1), dtype float32. One of them would turn every weight into NaN: remove "
        "or repair these examples first.",
    ),
    "infinity": (with_value(np.inf), "`{name}` holds 1 values that are not finite, the first (inf)"),
    "channels": (
        np.repeat(GOOD, 3, axis=-1),
        "`{name}` has the wrong shape. Expected: (N, 6, 5, 1), the model's. Received: "
        "(8, 6, 5, 3), dtype float32. The pictures have 3 channels and the model takes 1: convert "
        "them, or build the networks with this shape as `input_shape`.",
    ),
    "no channel axis": (
        GOOD[..., 0],
        "`{name}` has the wrong shape. Expected: (N, 6, 5, 1), the model's. Received: (8, 6, 5), "
        "dtype float32. The channel axis is missing: add it with x[..., None].",
    ),
    "one example": (
        GOOD[0],
        "`{name}` has the wrong shape. Expected: (N, 6, 5, 1), the model's. Received: (6, 5, 1), "
        "dtype float32. It looks like one example: add the batch axis with x[None], (1, 6, 5, 1).",
    ),
    "empty": (
        GOOD[:0],
        "`{name}` is empty: it has shape (0, 6, 5, 1). Give at least one example, along the first "
        "axis.",
    ),
    "strings": (
        np.full((8, *SHAPE), "ink"),
        "`{name}` must hold numbers. Received: dtype <U3, shape (8, 6, 5, 1). Convert it to a "
        "float32 array.",
    ),
}

CALLS = {
    "fit": lambda model, x: model.fit(x, verbose=0),
    "evaluate": lambda model, x: model.evaluate(x, verbose=0),
    "predict": lambda model, x: model.predict(x, verbose=0),
    "reconstruct": lambda model, x: model.reconstruct(x),
    "log_likelihood": lambda model, x: model.log_likelihood(x, 2),
    "train_on_batch": lambda model, x: model.train_on_batch(x),
    "test_on_batch": lambda model, x: model.test_on_batch(x),
}


def refused(model, call, expected):
    """Asserts that `call` is refused with a text that begins as expected, before any step."""
    before, Spy.runs = model.get_weights(), 0
    with pytest.raises(ValueError, match="") as error:
        call()
    assert type(error.value) is ValueError
    assert str(error.value).startswith(expected)
    assert Spy.runs == 0
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", BAD)
def test_arrays(model, kind, call):
    x, text = BAD[kind]
    refused(model, lambda: CALLS[call](model, x), text.format(name="x"))


@pytest.mark.parametrize("kind", BAD)
def test_validation_data_before_any_training(model, kind):
    x, text = BAD[kind]
    for data in (x, (x,), (x, None)):
        refused(
            model,
            lambda data=data: model.fit(GOOD, validation_data=data, verbose=0),
            text.format(name="validation_data[0]"),
        )


def batches(x):
    yield x[:4]
    yield x[4:]


class Sequence(keras.utils.PyDataset):
    def __init__(self, *data):
        super().__init__()
        self.data = data

    def __len__(self):
        return len(self.data[0]) // 4

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError
        return tuple(a[4 * index : 4 * index + 4] for a in self.data)


@pytest.mark.parametrize("kind", ["float bytes", "nan", "channels", "no channel axis"])
def test_the_first_batch_of_a_data_set(model, kind):
    x, text = BAD[kind]
    text = text.format(name="x").replace("(8, ", "(4, ")
    refused(model, lambda: model.fit(Sequence(x), verbose=0), text)
    refused(model, lambda: model.fit(batches(x), verbose=0), text)


def test_empty_data_sets(model):
    text = "`x` is empty: it yields no batch. Give at least one."
    refused(model, lambda: model.fit(Sequence(GOOD[:0]), verbose=0), text)
    refused(model, lambda: model.fit(iter(()), verbose=0), text)
    refused(model, lambda: model.evaluate(Sequence(GOOD[:0]), verbose=0), text)


LABELS = np.arange(8)


@pytest.mark.parametrize(
    ("call", "name", "shape"),
    [
        (lambda m: m.fit(GOOD, LABELS, verbose=0), "y", "(8,)"),
        (lambda m: m.evaluate(GOOD, LABELS, verbose=0), "y", "(8,)"),
        (lambda m: m.train_on_batch(GOOD, LABELS), "y", "(8,)"),
        (lambda m: m.fit(Sequence(GOOD, LABELS), verbose=0), "y", "(4,)"),
        (
            lambda m: m.fit(GOOD, validation_data=(GOOD, LABELS), verbose=0),
            "validation_data[1]",
            "(8,)",
        ),
    ],
)
def test_labels_where_none_belong(model, call, name, shape):
    text = (
        f"Spy is trained on `x` alone, and `{name}` was given (shape {shape}). Labels have no "
        "place in it: drop them, e.g. with `dataset.map(lambda x, y: x)`, or use a conditional "
        "model."
    )
    refused(model, lambda: call(model), text)


def test_x_as_its_own_target_is_no_label(model):
    model.fit(GOOD, GOOD, verbose=0)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1e-9])
def test_validation_split(model, fraction):
    refused(
        model,
        lambda: model.fit(GOOD, validation_split=fraction, verbose=0),
        f"`validation_split={fraction}` of 8 examples leaves nothing for one of the two parts.",
    )
    refused(
        model,
        lambda: model.fit(Sequence(GOOD), validation_split=0.5, verbose=0),
        "`validation_split` divides arrays, and `x` is a Sequence. Give `validation_data` instead.",
    )


@pytest.mark.parametrize("number", [0, -3, 1.5, "all", None])
def test_number_of_samples(model, number):
    refused(
        model,
        lambda: model.sample(number),
        f"`num_samples` must be a positive int. Received: {number!r}.",
    )


def test_condition_of_an_unconditional_model(model):
    refused(model, lambda: model.sample(1, condition=[3]), "Spy has no `condition`")


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5])
def test_seeds(model, seed):
    text = (
        "`seed` must be an integer from 0 to 2147483647, the range that TensorFlow, JAX and torch "
        f"all take. Received: {seed!r}."
    )
    refused(model, lambda: model.sample(1, seed=seed), text)
    refused(model, lambda: model.log_likelihood(GOOD, 2, seed=seed), text)


def test_unknown_preset(model):
    refused(
        model,
        lambda: keras_vae.VAE.from_preset("vae_mnist_minni"),
        "There is no preset 'vae_mnist_minni', neither by name nor as a folder. Did you mean "
        "'vae_mnist_mini'? Known names: ",
    )
