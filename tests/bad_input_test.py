"""Bad input: one `ValueError`, the same words on every backend, and no update made with it.

Each case is a call, and the key words of its error. What comes before the first step leaves the
weights bit for bit as they were; what comes late in a data set leaves them as the batches before
it made them.
"""

import functools

import families
import keras
import numpy as np
import pytest
from families import OneBatch

import keras_vae
from keras_vae import VAE
from keras_vae.datasets import Batches

X = families.BY_NAME["vae"].data()  # (8, 6, 5, 1), black and white
LABELS = families.BY_NAME["conditional_iwae"].pairs()[1]  # of 3 classes
CODES = families.BY_NAME["pixel_cnn"].data().astype("int32")


def with_value(array, value, index=2):
    array = np.array(array, np.result_type(array, np.min_scalar_type(value)))
    array[index] = value
    return array


def spoiled(value):
    return with_value(X, value, (2, 1, 0, 0)).astype("float32")


class NoBatch(keras.utils.PyDataset):
    def __len__(self):
        return 0

    def __getitem__(self, index):
        raise IndexError


class ByIndex:
    """A data set as torch has them: examples by their index, and no batches."""

    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        return X[index]


class Table:
    """A table with a column of words."""

    columns, dtypes, shape = ["a", "word"], {}, (2, 2)

    def items(self):
        return [("a", np.zeros(2)), ("word", np.array(["x", "y"]))]


NUMBERS, SHAPE, EMPTY, SUPPORT = "must hold numbers", "wrong shape", "is empty", "[0, 1]"
MOST = "at most 100,000,000"

# What is wrong with an array -> (the array, words of the error).
BAD_ARRAYS = {
    "bytes": ((255 * X).astype("uint8"), [SUPPORT, "from 0 to 255", "divided by 255"]),
    "floats to 255": (255 * X, [SUPPORT, "divided by 255"]),
    "from -1 to 1": (2 * X - 1, [SUPPORT, "from -1 to 1"]),
    "NaN": (spoiled(np.nan), ["not finite", "nan at index (2, 1, 0, 0)"]),
    "infinity": (spoiled(np.inf), ["not finite", "inf at index (2, 1, 0, 0)"]),
    "minus infinity": (spoiled(-np.inf), ["not finite", "-inf"]),
    "three channels": (np.repeat(X, 3, axis=-1), [SHAPE, "3 channels, but the model takes 1"]),
    "no channel axis": (X[..., 0], [SHAPE, "x[..., None]"]),
    "one example": (X[0], [SHAPE, "x[None]"]),
    "flat": (X.reshape(8, 30), [SHAPE, "x.reshape(-1, 6, 5, 1)"]),
    "channels first": (np.moveaxis(X, -1, 1), [SHAPE, "x.transpose(0, 2, 3, 1)"]),
    "exchanged axes": (X.transpose(0, 2, 1, 3), [SHAPE, "x.transpose(0, 2, 1, 3)"]),
    "no example": (X[:0], [EMPTY, "(0, 6, 5, 1)"]),
    "a scalar": (np.float32(1), [EMPTY]),
    "strings": (np.array([["a"]]), [NUMBERS, "<U1"]),
    "objects": (np.array([{}, 1]), [NUMBERS, "object"]),
    "complex": (X + 1j, [NUMBERS, "complex64"]),
    "dates": (np.array(["2020-01-01"], "datetime64[D]"), [NUMBERS]),
    "missing values": (np.ma.masked_array(X, X > 0), ["masked", "filled"]),
    "ragged list": ([[1.0, 2.0], [3.0]], ["one array of numbers", "list of 2"]),
    "list of strings": (["a", "b"], [NUMBERS, "<U1"]),
    "empty list": ([], [EMPTY]),
    "a table with words": (Table(), ["not numbers", "'word'"]),
    "a dict of unknown keys": ({"left": X, "right": X}, ["unclear", "'left', 'right'"]),
    "a dict of bytes": ({"image": 255 * X}, [SUPPORT]),
}
# What is wrong with other data.
BAD_DATA = {
    "nothing": (lambda: None, ["must be an array", "NoneType"]),
    "a number": (lambda: 3, ["must be an array", "int"]),
    "a path": (lambda: "digits.npz", ["must be an array", "str"]),
    "no batch": (NoBatch, [EMPTY, "no batch"]),
    "an empty generator": (lambda: (x for x in ()), [EMPTY, "no batch"]),
    "a data set with labels": (lambda: OneBatch(X, LABELS), ["trained on `x` alone", "labels"]),
    "a data set of bytes": (lambda: OneBatch((255 * X).astype("uint8")), [SUPPORT]),
    "a data set with NaN": (lambda: OneBatch(spoiled(np.nan)), ["not finite"]),
    "a data set without channels": (lambda: OneBatch(X[..., 0]), [SHAPE, "x[..., None]"]),
    "a data set of four parts": (lambda: OneBatch(X, X, X, X), ["tuples of 4"]),
    "a data set of unknown keys": (lambda: iter([{"a": X, "b": X}]), ["unclear", "'a', 'b'"]),
    "batches with NaN": (lambda: Batches(spoiled(np.nan), batch_size=2), ["not finite"]),
    "batches of bytes": (lambda: Batches(255 * X, batch_size=2), [SUPPORT]),
}
ENTRIES = {
    "fit": lambda model, x: model.fit(x, verbose=0),
    "evaluate": lambda model, x: model.evaluate(x, verbose=0),
    "predict": lambda model, x: model.predict(x, verbose=0),
    "validation_data": lambda model, x: model.fit(X, validation_data=(x, None), verbose=0),
    "train_on_batch": lambda model, x: model.train_on_batch(x),
    "test_on_batch": lambda model, x: model.test_on_batch(x),
    "predict_on_batch": lambda model, x: model.predict_on_batch(x),
    "reconstruct": lambda model, x: model.reconstruct(x),
    "log_likelihood": lambda model, x: model.log_likelihood(x),
    "encode": lambda model, x: model.encode(x),
}
OF_DATA_SETS = ("fit", "evaluate", "predict", "validation_data")
TOO_FEW, NO_LABEL, NO_KIND = "one condition for each of the 8", "not labels", "wrong shape or type"
BAD_LABELS = {
    "3 of 3": (with_value(LABELS, 3), [NO_LABEL, "(3) at index 2", "`num_classes`"]),
    "minus one": (with_value(LABELS, -1), [NO_LABEL, "(-1)"]),
    "a half": (with_value(LABELS, 0.5), [NO_LABEL, "(0.5)", "whole number"]),
    "all a half": (np.full(8, 0.5), [NO_LABEL, "whole number", "ArrayCondition"]),
    "NaN": (with_value(LABELS, np.nan), [NO_LABEL, "nan"]),
    "soft": (np.full((8, 3), 0.5), [NO_LABEL, "[0.5 0.5 0.5]"]),
    "one too few": (LABELS[:7], [TOO_FEW, "Were some rows dropped"]),
    "none": (None, ["condition is missing"]),
    "words": (np.array(["a"] * 8), [NO_KIND, "np.unique"]),
    "of four": (np.zeros((8, 4)), [NO_KIND, "(8, 4)"]),
}
TOLD = {
    "fit": lambda model, c: model.fit(X, c, verbose=0),
    "fit of a pair": lambda model, c: model.fit([X, c], verbose=0),
    "fit of a data set": lambda model, c: model.fit(OneBatch(X, c), verbose=0),
    "evaluate": lambda model, c: model.evaluate(X, c, verbose=0),
    "predict": lambda model, c: model.predict((X, c), verbose=0),
    "validation_data": lambda model, c: model.fit(X, LABELS, validation_data=(X, c), verbose=0),
    "train_on_batch": lambda model, c: model.train_on_batch(X, c),
    "test_on_batch": lambda model, c: model.test_on_batch(X, c),
    "reconstruct": lambda model, c: model.reconstruct(X, c),
    "log_likelihood": lambda model, c: model.log_likelihood(X, c),
    "encode": lambda model, c: model.encode(X, c),
    "decode": lambda model, c: model.decode(np.zeros((8, 3)), c),
    "sample": lambda model, c: model.sample(8, c),
}

# Family -> {what is wrong: (a call, words of its error)}.
OTHERS = {
    "vae": {
        "labels in fit": (lambda m: m.fit(X, LABELS), ["trained on `x` alone", "`y`", "labels"]),
        "labels in evaluate": (lambda m: m.evaluate(X, LABELS), ["trained on `x` alone"]),
        "labels in validation": (
            lambda m: m.fit(X, validation_data=(X, LABELS)),
            ["`validation_data[1]`"],
        ),
        "a clean x with NaN": (lambda m: m.fit(X, spoiled(np.nan)), ["`y`", "not finite"]),
        "a clean x of bytes": (lambda m: m.fit(X, 255 * X), ["`y`", SUPPORT]),
        "y beside a data set": (lambda m: m.fit(OneBatch(X), X), ["`y` cannot be given together"]),
        "weights beside a data set": (
            lambda m: m.fit(OneBatch(X), sample_weight=np.ones(8)),
            ["`sample_weight` cannot be given together"],
        ),
        "class weights": (lambda m: m.fit(X, class_weight={0: 1.0}), ["`class_weight`", "VAE"]),
        "class weights of a batch": (
            lambda m: m.train_on_batch(X, class_weight={0: 1.0}),
            ["`class_weight`"],
        ),
        "a data set as a batch": (lambda m: m.train_on_batch(OneBatch(X)), ["one batch"]),
        "a split of a data set": (
            lambda m: m.fit(OneBatch(X), validation_split=0.5),
            ["`validation_split` divides arrays", "OneBatch"],
        ),
        **{
            f"a split of {fraction}": (
                functools.partial(
                    lambda m, fraction: m.fit(X, validation_split=fraction), fraction=fraction
                ),
                ["`validation_split", "one of the two parts empty"],
            )
            for fraction in (1.0, 1.5, -0.1, 0.01, "a", np.nan)
        },
        **{
            f"{name} weights": (
                functools.partial(lambda m, w: m.fit(X, sample_weight=w), w=w),
                ["`sample_weight`", "at least 0", "8 examples"],
            )
            for name, w in {
                "7": np.ones(7),
                "nested": np.ones((8, 1)),
                "NaN": np.full(8, np.nan),
                "negative": -np.ones(8),
            }.items()
        },
        **{
            f"a batch size of {size}": (
                functools.partial(lambda m, size: m.fit(X, batch_size=size), size=size),
                ["`batch_size` must be a positive integer", repr(size)],
            )
            for size in (0, -1, 2.5, "a", True)
        },
        "a batch size in evaluate": (lambda m: m.evaluate(X, batch_size=2.5), ["`batch_size`"]),
        "a batch size in predict": (lambda m: m.predict(X, batch_size=2.5), ["`batch_size`"]),
        "a batch size of Batches": (lambda m: Batches(X, batch_size=2.5), ["`batch_size`"]),
        **{
            f"a seed of {seed}": (
                functools.partial(lambda m, seed: m.sample(2, seed=seed), seed=seed),
                ["`seed`", "2147483647", repr(seed)],
            )
            for seed in (-1, 2**31, 1.5, "a", True)
        },
        **{
            f"{n} samples": (
                functools.partial(lambda m, n: m.sample(n), n=n),
                ["`num_samples` must be a positive integer", repr(n)],
            )
            for n in (0, -1, 1.5, None, "a")
        },
        "more samples than memory": (lambda m: m.sample(10**12), ["`num_samples=", "GB"]),
        "no draws": (lambda m: m.log_likelihood(X, num_samples=0), ["`num_samples`"]),
        "endless draws": (
            lambda m: m.log_likelihood(X, num_samples=10**12),
            ["`num_samples`", MOST],
        ),
        "endless draws of a score": (
            lambda m: m.score(X, num_samples=10**12),
            ["`num_samples`", MOST],
        ),
        "a list of batches": (lambda m: m.fit([X[:4], X[4:]]), [SHAPE, "x.reshape(-1, 6, 5, 1)"]),
        "a data set by index": (lambda m: m.fit(ByIndex()), ["ByIndex", "DataLoader"]),
        "a data set to decode": (
            lambda m: m.decode(OneBatch(np.zeros((2, 3)))),
            ["`z` must be an array", "OneBatch"],
        ),
        "an unknown proposal": (lambda m: m.log_likelihood(X, proposal="a"), ["`proposal`"]),
        "a condition": (lambda m: m.sample(2, condition=[1, 2]), ["no `condition`"]),
        "a generator to score": (lambda m: m.log_likelihood(x for x in X), ["read to its end"]),
        "z of another size": (lambda m: m.decode(np.zeros((2, 4))), ["`z`", SHAPE, "(N, 3)"]),
        "one z": (lambda m: m.decode(np.zeros(3)), ["`z`", "x[None]"]),
        "z with NaN": (lambda m: m.decode(np.full((2, 3), np.nan)), ["`z`", "not finite"]),
        "networks that do not fit": (
            lambda m: VAE(families.mlp((6, 5, 1))[0], families.mlp((6, 6, 1))[1]),
            ["decoder's output does not match the shape"],
        ),
        "no such preset": (lambda m: VAE.from_preset("no/such"), ["no preset 'no/such'"]),
        "no name": (lambda m: VAE.from_preset(None), ["`name_or_folder`", "None"]),
        "no name at all": (lambda m: keras_vae.from_preset(3), ["`name_or_folder`", "3"]),
    },
    "conditional_iwae": {
        "labels twice": (lambda m: m.fit([X, LABELS], LABELS), ["`y` was also given"]),
        "x with NaN": (lambda m: m.fit(spoiled(np.nan), LABELS), ["`x`", "not finite"]),
        "a dict without labels": (lambda m: m.fit({"x": X}), ["condition is missing"]),
        "a dict of two labels": (
            lambda m: m.fit({"x": X, "y": LABELS, "label": LABELS}),
            ["unclear", "'label'"],
        ),
    },
    "completing_cvae": {
        "another shape": (lambda m: m.reconstruct(X, X[:, :5]), [NO_KIND, "(8, 5, 5, 1)"]),
        "NaN": (lambda m: m.reconstruct(X, spoiled(np.nan)), ["not finite", "index 2"]),
        "class weights": (lambda m: m.fit(X, X, class_weight={0: 1}), ["`class_weight`"]),
    },
    "autoencoder": {
        "labels": (lambda m: m.fit(X, LABELS), ["trained on `x` alone"]),
        "NaN": (lambda m: m.encode(spoiled(np.nan)), ["not finite"]),
    },
    "iwae": {"a clean x": (lambda m: m.fit(X, X[::-1]), ["trained on `x` alone", "denoisers"])},
    "classifier": {
        "no targets": (lambda m: m.fit(X), ["predict y", "`y` is missing"]),
        "targets of 3": (lambda m: m.fit(X, with_value(LABELS, 3)), ["from 0 to 2"]),
        "one-hot targets": (lambda m: m.fit(X, np.eye(3)[LABELS]), ["argmax"]),
        "targets of NaN": (lambda m: m.fit(X, np.full(8, np.nan)), ["`y`", "not finite"]),
        "no targets to score": (lambda m: m.log_likelihood(X), ["`y` is missing"]),
        "features of NaN": (lambda m: m.features(spoiled(np.nan)), ["not finite"]),
    },
    "vqvae": {
        "codes of NaN": (lambda m: m.encode_indices(spoiled(np.nan)), ["not finite"]),
        "codes out of range": (lambda m: m.decode_indices(np.full((1, 3, 3), 4)), ["0 to 3"]),
        "codes of another shape": (lambda m: m.decode_indices(np.zeros((1, 3), int)), ["(N, 3"]),
        "a data set of codes": (
            lambda m: m.decode_indices(OneBatch(np.zeros((2, 3, 3), int))),
            ["`indices` must be an array", "OneBatch"],
        ),
        "codes of fractions": (lambda m: m.decode_indices(np.zeros((1, 3, 3))), ["integers"]),
        "a prior of NaN": (lambda m: m.fit_prior(spoiled(np.nan)), ["not finite"]),
        "a prior of a generator": (lambda m: m.fit_prior(x for x in X), ["read to its end"]),
        "no prior": (lambda m: m.sample(1), ["no prior"]),
        "draws of a bound": (lambda m: m.log_likelihood(X, num_samples=3), ["`num_samples`"]),
    },
    "pixel_cnn": {
        "codes of 2": (lambda m: m.fit(CODES + 2, LABELS), ["from 0 to 1"]),
        "a half": (lambda m: m.fit(CODES * 0.5, LABELS), ["from 0 to 1"]),
        "more samples than memory": (lambda m: m.sample(10**12, 0), ["`num_samples=", "GB"]),
    },
}


def cases():
    """Yields (name, family, call, words)."""
    for wrong, (x, words) in BAD_ARRAYS.items():
        for entry, call in ENTRIES.items():
            if wrong == "empty list" and entry == "validation_data":
                continue  # no validation
            yield f"{wrong} in {entry}", "vae", functools.partial(_called, call, x), words
    for wrong, (make, words) in BAD_DATA.items():
        for entry in OF_DATA_SETS:
            if wrong == "nothing" and entry == "validation_data":
                continue
            call = functools.partial(_made, ENTRIES[entry], make)
            yield f"{wrong} in {entry}", "vae", call, words
    for wrong, (labels, words) in BAD_LABELS.items():
        for entry, call in TOLD.items():
            if labels is None and entry in ("fit of a pair", "fit of a data set"):
                continue
            told = [word for word in words if word != TOO_FEW or entry != "sample"]
            made = functools.partial(_called, call, labels)
            yield f"{wrong} in {entry}", "conditional_iwae", made, told
    for family, wrongs in OTHERS.items():
        for wrong, (call, words) in wrongs.items():
            yield f"{wrong} of {family}", family, call, words


def _called(call, x, model):
    return call(model, x)


def _made(call, make, model):
    return call(model, make())


CASES = list(cases())


@functools.cache
def compiled(family):
    return families.BY_NAME[family].compiled()


def error_of(call, model):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  its words are compared
        call(model)
    assert type(raised.value) is ValueError
    return str(raised.value)


def state_of(model):
    return [*model.get_weights(), int(model.optimizer.iterations)]


def test_there_are_enough():
    assert len(CASES) >= 120
    assert len({(family, name) for name, family, *_ in CASES}) == len(CASES)


@pytest.mark.parametrize("family", sorted({family for _, family, *_ in CASES}))
def test_bad_input_is_refused_and_changes_nothing(family):
    model, wrong = compiled(family), []
    before = state_of(model)
    for name, _, call, words in (case for case in CASES if case[1] == family):
        told = error_of(call, model)
        missing = [word for word in words if word not in told]
        if missing:
            wrong.append(f"{name}: no {missing} in {told!r}")
        if not all(map(np.array_equal, before, state_of(model))):
            wrong.append(f"{name}: the model was changed")
    assert not wrong, "\n".join(wrong)


# What goes wrong in the midst of a data set.

LATE = {
    "NaN": (spoiled(np.nan), None, ["not finite"]),
    "bytes": (255 * X, None, [SUPPORT]),
    "another shape": (X[:, :5], None, [SHAPE]),
    "a label that does not exist": (X, with_value(LABELS, 3), [NO_LABEL, "(3)"]),
    "NaN as a label": (X, with_value(LABELS.astype("float32"), np.nan), [NO_LABEL]),
    "too few labels": (X, LABELS[:7], [TOO_FEW]),
}


def late_batches(wrong):
    """Yields two good batches and a bad one."""
    x, labels, _ = LATE[wrong]
    good = LABELS if labels is None else LABELS.astype(labels.dtype)
    yield X, good
    yield X, good
    yield x, good if labels is None else labels


class Late(keras.utils.PyDataset):
    def __init__(self, wrong, **options):
        super().__init__(**options)
        self.batches = list(late_batches(wrong))

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.batches[index]


def late_tf_data(wrong):
    tf = pytest.importorskip("tensorflow")
    *_, (x, labels) = batches = list(late_batches(wrong))
    spec = tf.TensorSpec((None, None, 5, 1), x.dtype), tf.TensorSpec((None,), labels.dtype)
    return tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=spec)


def late_loader(wrong):
    utils = pytest.importorskip("torch.utils.data")
    torch = pytest.importorskip("torch")
    batches = [[torch.from_numpy(np.ascontiguousarray(p)) for p in b] for b in late_batches(wrong)]
    return utils.DataLoader(batches, batch_size=None)


SOURCES = {
    "generator": late_batches,
    "dataset": Late,
    "workers": functools.partial(Late, workers=2),
    "tf.data": late_tf_data,
    "loader": late_loader,
    "batches": lambda wrong: Batches(
        np.zeros((12, 1)), batch_size=4, shuffle=False, pair=_Late(wrong)
    ),
}


class _Late:
    """Makes the batches of `Batches`, one after the other."""

    def __init__(self, wrong):
        self.wrong = wrong
        self.begun = iter(())

    def __call__(self, x, rng):
        try:
            return next(self.begun)
        except StopIteration:
            self.begun = late_batches(self.wrong)
            return next(self.begun)


@functools.cache
def trained_on(num_batches):
    """The weights after 0, 1 or 2 of the good batches."""
    model = families.BY_NAME["conditional_iwae"].compiled()
    for _ in range(num_batches):
        model.train_on_batch(X, LABELS)
    return model.get_weights()


@functools.cache
def late_model():
    model = families.BY_NAME["conditional_iwae"].compiled()
    return model, [v.numpy() if hasattr(v, "numpy") else np.array(v) for v in _state(model)]


def _state(model):
    return [keras.ops.convert_to_numpy(v) for v in (*model.variables, *model.optimizer.variables)]


def begun_anew():
    model, state = late_model()
    for variable, value in zip((*model.variables, *model.optimizer.variables), state, strict=True):
        variable.assign(value)
    return model


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("wrong", LATE)
def test_a_bad_batch_makes_no_update(wrong, source):
    model = begun_anew()
    data, words = SOURCES[source](wrong), LATE[wrong][2]
    told = error_of(lambda model: model.fit(data, shuffle=False, verbose=0), model)
    assert not [word for word in words if word not in told], told
    assert "of the dataset" in told
    made = int(model.optimizer.iterations)
    assert made <= 2
    for a, b in zip(model.get_weights(), trained_on(made), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("source", SOURCES)
def test_a_bad_batch_is_told_in_evaluation_and_validation_too(source):
    model = begun_anew()
    before = model.get_weights()
    for call in (
        lambda model: model.evaluate(SOURCES[source]("NaN"), verbose=0),
        lambda model: model.predict(SOURCES[source]("NaN"), verbose=0),
    ):
        assert "not finite" in error_of(call, model)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    data = SOURCES[source]("NaN")
    told = error_of(
        lambda model: model.fit(X, LABELS, validation_data=data, verbose=0, batch_size=8), model
    )
    assert "`validation_data[0]`" in told


def test_an_error_of_the_data_set_itself_comes_through():
    def broken():
        yield X, LABELS
        yield X, LABELS
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="the disk went away"):
        begun_anew().fit(broken(), verbose=0)


def test_training_before_compile():
    model = families.BY_NAME["vae"].model()
    assert "`compile()` before" in error_of(lambda model: model.fit(X), model)


def test_a_folder_that_is_no_preset(tmp_path):
    assert "no config.json" in error_of(lambda _: VAE.from_preset(str(tmp_path)), None)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: VAE(None, families.mlp((6, 5, 1))[1]), "`encoder` must be a `keras.Model`"),
        (lambda: VAE(families.mlp((6, 5, 1))[0], 3), "`decoder` must be a `keras.Model`"),
        (lambda: VAE(*families.mlp((6, 5, 1)), likelihood=3), "`likelihood` must be"),
        (lambda: VAE(*families.mlp((6, 5, 1)), prior=3), "`prior` must be"),
        (lambda: VAE(*families.mlp((6, 5, 1)), condition=3), "`condition` must be"),
        (lambda: compiled("vae").compile(loss="mse"), "takes no 'loss'"),
    ],
)
def test_arguments_of_another_kind(call, words):
    with pytest.raises(TypeError, match=r"Received|takes no") as raised:
        call()
    assert words in str(raised.value)


def test_an_encoder_that_returns_a_dict():
    inputs = keras.Input((4,))
    outputs = {name: keras.layers.Dense(2)(inputs) for name in ("z_mean", "z_log_var")}
    encoder, decoder = keras.Model(inputs, outputs), families.mlp((4,), 2)[1]
    told = error_of(lambda _: VAE(encoder, decoder), None)
    assert "'z_mean', 'z_log_var'" in told
    assert "must return" in told


def test_an_encoder_that_returns_one_map():
    shape = (8, 8, 1)
    encoder, decoder = keras_vae.ConvMapEncoder(shape, 2), keras_vae.ConvMapDecoder(shape, 2)
    told = error_of(lambda _: VAE(encoder, decoder), None)
    assert "(z_mean, z_log_var), each (B, D) or (B, h, w, D)" in told
    assert "Build it with `num_outputs=2`." in told


def test_an_encoder_that_returns_one_tensor():
    networks = [keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]) for _ in range(2)]
    told = error_of(lambda _: VAE(*networks), None)
    assert "It returned one tensor" in told
    assert "num_outputs" not in told


@pytest.mark.parametrize("kind", [dict, list])
def test_a_decoder_that_returns_more_than_a_tensor(kind):
    inputs, encoder = keras.Input((2,)), families.mlp((4,), 2)[0]
    layers = {name: keras.layers.Dense(4)(inputs) for name in ("mean", "log_scale")}
    decoder = keras.Model(inputs, layers if kind is dict else list(layers.values()))
    told = error_of(lambda _: VAE(encoder, decoder), None)
    assert "decoder of VAE must return one tensor" in told
    assert f"Received: a {kind.__name__} of 2" in told


def test_samples_of_a_model_without_a_shape():
    networks = [keras.Sequential([keras.layers.Dense(2)]) for _ in range(2)]

    @keras.saving.register_keras_serializable(package="tests")
    class Two(keras_vae.VAE):
        def infer(self, x, c=None, training=False):
            mean = self.encoder(x)
            return keras_vae.distributions.DiagonalGaussian(mean, 0 * mean)

    told = error_of(lambda _: Two(*networks).sample(2), None)
    assert "cannot sample yet" in told
    assert "build" in told


def test_bytes_under_a_learned_sigma_are_warned_of():
    model = families.BY_NAME["sigma_vae"].compiled(keras.optimizers.SGD(0.0))
    x = np.linspace(0, 255, 32).reshape(8, 4)
    with pytest.warns(UserWarning, match="8-bit images.*Divide the data by 255.*initial_sigma"):
        model.fit(x, verbose=0)
