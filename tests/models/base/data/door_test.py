"""Good inputs of every kind x every entry: the same numbers as from NumPy arrays."""

import functools

import families
import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.datasets import Batches

FAMILY = families.BY_NAME["vae"]
X = FAMILY.data(10)  # (10, 6, 5, 1), black and white
LABELS = (np.arange(10) % 3).astype("int32")


class Dataset(keras.utils.PyDataset):
    def __init__(self, *parts, size=4):
        super().__init__()
        self.parts, self.size = parts, size

    def __len__(self):
        return -(-len(X) // self.size)

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return tuple(part[rows] for part in self.parts)


class Sized:
    """An iterable with a length that is no data set of any library."""

    def __init__(self, *parts):
        self.parts = parts

    def __len__(self):
        return len(X)

    def __iter__(self):
        return zip(*self.parts, strict=True)


def torch_of(x):
    return pytest.importorskip("torch").tensor(x)


def tf_of(*parts):
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices(parts)


def loader_of(*parts, **options):
    utils = pytest.importorskip("torch.utils.data")
    return utils.DataLoader(utils.TensorDataset(*map(torch_of, parts)), **options)


def endless_loader_of(x):
    """A `DataLoader` that has a method for its length, which fails."""
    utils = pytest.importorskip("torch.utils.data")
    kind = type("Examples", (utils.IterableDataset,), {"__iter__": lambda self: iter(torch_of(x))})
    return utils.DataLoader(kind(), batch_size=4)


def memmap_of(x, folder):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


def h5_of(x, folder):
    h5py = pytest.importorskip("h5py")
    return h5py.File(folder / "x.h5", "w").create_dataset("x", data=x)


# What holds the examples -> function of a folder. Arrays have no order of their own to keep.
ARRAYS = {
    "list": lambda folder: X.tolist(),
    "list of examples": lambda folder: list(X),
    "uint8": lambda folder: X.astype("uint8"),
    "bool": lambda folder: X.astype(bool),
    "float64": lambda folder: X.astype("float64"),
    "float16": lambda folder: X.astype("float16"),
    "backwards": lambda folder: X[::-1].copy()[::-1],
    "other bytes": lambda folder: X.astype(">f4"),
    "memmap": lambda folder: memmap_of(X, folder),
    "h5py": lambda folder: h5_of(X, folder),
    "tensor": lambda folder: keras.ops.convert_to_tensor(X),
    "torch with gradients": lambda folder: torch_of(X).requires_grad_() * 1,
    "tensorflow": lambda folder: pytest.importorskip("tensorflow").constant(X),
    "jax": lambda folder: pytest.importorskip("jax").numpy.asarray(X),
    "dict": lambda folder: {"image": X, "label": LABELS},
    "tuple": lambda folder: (X,),
}
# Of data sets, which come in an order, all have it that of X.
STREAMS = {
    "Batches": lambda: Batches(X, batch_size=4, shuffle=False),
    "Batches of dicts": lambda: Batches({"x": X}, batch_size=4, shuffle=False),
    "dataset": lambda: Dataset(X),
    "dataset of (x, x)": lambda: Dataset(X, X),
    "loader": lambda: loader_of(X, batch_size=4),
    "loader of examples": lambda: loader_of(X, batch_size=None),
    "loader without a length": lambda: endless_loader_of(X),
    "bare loader": lambda: pytest.importorskip("torch.utils.data").DataLoader(torch_of(X), 4),
    "tf.data": lambda: tf_of(X).batch(4),
    "tf.data of examples": lambda: tf_of(X),
    "tf.data of dicts": lambda: tf_of(X, LABELS).map(lambda x, y: {"x": x, "id": y}).batch(4),
    "iterable of examples": lambda: Sized(X),
    "iterable of batches": lambda: Dataset(X, size=4),
}
GENERATORS = {
    "generator": lambda: (batch for batch in Dataset(X)),
    "generator of arrays": lambda: (batch[0] for batch in Dataset(X)),
    "generator of dicts": lambda: ({"image": b[0], "label": b[0]} for b in Dataset(X)),
    "generator of examples": lambda: (x for x in X),
    "iterator": lambda: map(tuple, Dataset(X)),
    "weighed": lambda: ({"x": b[0], "sample_weight": np.ones(len(b[0]))} for b in Dataset(X)),
}


@functools.cache
def model():
    return FAMILY.compiled(keras.optimizers.SGD(0.0))


@functools.cache
def told():
    return families.BY_NAME["conditional_iwae"].compiled(keras.optimizers.SGD(0.0))


@functools.cache
def expected(entry):
    return ENTRIES[entry](X)


def logs(found):
    return np.array([found[key] for key in sorted(found)])


def fitted(x):
    """The mean loss of an epoch: noise comes in order, and does not depend on the batches."""
    model().noise.restart(1)
    history = model().fit(x, batch_size=4, shuffle=False, verbose=0).history
    return logs({name: values[-1] for name, values in history.items()})


ENTRIES = {
    "fit": fitted,
    "evaluate": lambda x: logs(model().evaluate(x, batch_size=4, return_dict=True, verbose=0)),
    "predict": lambda x: model().predict(x, batch_size=4, verbose=0),
    "reconstruct": lambda x: model().reconstruct(x),
    "encode": lambda x: np.asarray(model().encode(x).mean),
    "log_likelihood": lambda x: model().log_likelihood(x, num_samples=3, seed=0),
}


def is_as_from_numpy(entry, x):
    np.testing.assert_allclose(ENTRIES[entry](x), expected(entry), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("entry", ENTRIES)
def test_arrays_of_every_kind(entry, tmp_path):
    for make in ARRAYS.values():
        is_as_from_numpy(entry, make(tmp_path))


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("kind", STREAMS)
def test_data_sets_of_every_kind(entry, kind):
    is_as_from_numpy(entry, STREAMS[kind]())


@pytest.mark.parametrize("entry", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("kind", GENERATORS)
def test_generators_of_every_kind(entry, kind):
    is_as_from_numpy(entry, GENERATORS[kind]())


@pytest.mark.parametrize("entry", ["reconstruct", "encode", "log_likelihood"])
def test_generators_are_refused_where_all_is_read(entry):
    with pytest.raises(ValueError, match="must be read to its end"):
        ENTRIES[entry](x for x in X)


def validates_as_it_evaluates(data):
    logs = model().fit(X, validation_data=data, batch_size=4, verbose=0).history
    found = model().evaluate(X, batch_size=4, return_dict=True, verbose=0)
    for name, value in found.items():
        np.testing.assert_allclose(logs[f"val_{name}"][-1], value, rtol=1e-5)


@pytest.mark.parametrize("kind", STREAMS)
def test_validation_data(kind):
    validates_as_it_evaluates(STREAMS[kind]())


def test_validation_arrays_come_in_batches_of_the_same_size(tmp_path):
    for make in ARRAYS.values():
        validates_as_it_evaluates(make(tmp_path))


def test_single_batches():
    for x in (X.tolist(), X.astype("uint8"), {"x": X}, keras.ops.convert_to_tensor(X)):
        assert np.isfinite(model().train_on_batch(x)).all()
        assert np.isfinite(model().test_on_batch(x)).all()
        assert model().predict_on_batch(x).shape == X.shape
    with pytest.raises(ValueError, match="`x` must be one batch"):
        model().train_on_batch(Dataset(X))


PAIRS = {
    "list": lambda: [X, LABELS],
    "tuple of lists": lambda: (X.tolist(), LABELS.tolist()),
    "dict": lambda: {"x": X, "label": LABELS},
    "dataset": lambda: Dataset(X, LABELS),
    "dataset of pairs": lambda: Batches([X, LABELS], batch_size=4, shuffle=False),
    "tf.data": lambda: tf_of(X, LABELS).batch(4),
    "tf.data of dicts": lambda: tf_of(X, LABELS).map(lambda x, y: {"image": x, "label": y}),
    "loader": lambda: loader_of(X, LABELS, batch_size=4),
    "examples": lambda: Sized(X, LABELS),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_conditions_come_with_x(kind):
    make, model = PAIRS[kind], told()
    assert np.isfinite(model.fit(make(), verbose=0).history["loss"]).all()
    found = model.evaluate(make(), batch_size=4, return_dict=True, verbose=0)
    by_name = model.evaluate(X, LABELS, batch_size=4, return_dict=True, verbose=0)
    np.testing.assert_allclose(found["loss"], by_name["loss"], rtol=1e-5)
    reconstructed = model.reconstruct(X, LABELS)
    for again in (model.predict(make(), verbose=0), model.reconstruct(make())):
        np.testing.assert_allclose(again, reconstructed, rtol=1e-5, atol=1e-6)
    mean = model.encode(X, LABELS).mean
    np.testing.assert_allclose(np.asarray(model.encode(make()).mean), np.asarray(mean), rtol=1e-5)
    scores = [model.log_likelihood(*x, num_samples=3, seed=0) for x in ((make(),), (X, LABELS))]
    np.testing.assert_allclose(*scores, rtol=1e-5)


def test_tables_of_numbers():
    numbers = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")

    class Table:
        columns, dtypes, shape = list("abcd"), {}, numbers.shape

        def items(self):
            return zip(self.columns, numbers.T, strict=True)

    model = families.BY_NAME["sigma_vae"].compiled()
    model.fit(Table(), validation_data=Table(), verbose=0)
    np.testing.assert_array_equal(model.predict(Table(), verbose=0), model.predict(numbers))
    np.testing.assert_array_equal(
        np.asarray(model.encode(Table()).mean), np.asarray(model.encode(numbers).mean)
    )


def test_codes_and_their_prior_from_data_sets():
    model = families.BY_NAME["vqvae"].compiled()
    model.fit(Batches(X, batch_size=4), verbose=0)
    codes = model.encode_indices(X)
    np.testing.assert_array_equal(model.encode_indices(Dataset(X)), codes)
    prior = keras_vae.PixelCNN(
        codes.shape[1:], 4, filters=4, num_blocks=1, condition=keras_vae.LabelCondition(3)
    )
    pairs = Batches(X, LABELS, batch_size=4)
    model.fit_prior(pairs, prior=prior, validation_data=pairs, verbose=0)
    scores = model.log_likelihood(X, LABELS)
    np.testing.assert_allclose(model.log_likelihood(pairs), scores, rtol=1e-5)
    predicted = model.predict(X, verbose=0)
    np.testing.assert_allclose(model.predict(pairs, verbose=0), predicted, rtol=1e-5)
    assert np.isfinite(model.evaluate(pairs, verbose=0)).all()


def test_targets_and_class_weights():
    model = families.BY_NAME["classifier"].compiled(keras.optimizers.SGD(0.0))
    weights = {0: 2.0, 1: 0.0, 2: 1.0}
    weighed = model.fit(X, LABELS, class_weight=weights, shuffle=False, verbose=0).history["nll"]
    by_hand = np.array([weights[k] for k in LABELS])
    nll = -model.log_likelihood(X, LABELS)
    np.testing.assert_allclose(weighed, np.average(nll, weights=by_hand), rtol=1e-5)
    np.testing.assert_allclose(-model.log_likelihood(Dataset(X, LABELS)), nll, rtol=1e-5)
    assert model.predict(Dataset(X, LABELS), verbose=0).shape == (10, 3)


@pytest.mark.parametrize(
    "weights",
    [{0: -1.0}, {0: np.nan}, {0: np.inf}, {"a": 1.0}, {0.5: 1.0}, {0: "1"}, [1.0, 2.0, 3.0]],
    ids=str,
)
def test_class_weights_that_are_none(weights):
    model = families.BY_NAME["classifier"].compiled()
    before = model.get_weights()
    for train in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="must be a dict from integer labels to finite"):
            train(X, LABELS, class_weight=weights)
    with pytest.raises(ValueError, match="must be a dict from integer labels to finite"):
        model.fit(Dataset(X, LABELS), class_weight=weights)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_scores_of_shuffled_and_drawn_batches_come_in_order():
    scores = model().log_likelihood(X, num_samples=3, seed=0)
    shuffled = Batches(X, batch_size=4, seed=1)
    np.testing.assert_allclose(
        model().log_likelihood(shuffled, num_samples=3, seed=0), scores, rtol=1e-5
    )
    grey = Batches(X * 0.5, batch_size=4, binarize=True)
    first, again = (model().encode(grey).mean for _ in range(2))
    np.testing.assert_array_equal(np.asarray(first), np.asarray(again))


@keras.saving.register_keras_serializable(package="tests")
class Autoencoding(keras_vae.VAE):
    """A family of a user's, whose terms go through the doors."""

    def terms(self, x, c=None, training=False):
        posterior = self.encode(x)
        reconstruction = -self.decode(posterior.mean).log_prob(x)
        return {"reconstruction": reconstruction, "kl": 0 * reconstruction, "elbo": reconstruction}


def test_within_terms_the_doors_keep_gradients():
    model = Autoencoding(*families.mlp(families.PICTURE), seed=0)
    model.compile(keras.optimizers.SGD(0.1))
    before = [w.copy() for w in model.encoder.get_weights() + model.decoder.get_weights()]
    model.fit(X, verbose=0)
    after = model.encoder.get_weights() + model.decoder.get_weights()
    # The kernel of z_log_var has nothing to do with the mean.
    assert sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True)) >= 4


# Denoising.

NOISY = np.clip(X + 0.2 * np.random.default_rng(1).normal(size=X.shape), 0, 1).astype("float32")


def denoisers():
    yield families.BY_NAME["autoencoder"]
    yield families.BY_NAME["vae"]
    yield families.BY_NAME["vqvae"]


@pytest.mark.parametrize("family", denoisers(), ids=lambda family: family.name)
def test_a_denoiser_encodes_the_noisy_and_scores_the_clean(family):
    model = family.compiled(keras.optimizers.SGD(0.0))
    found = model.evaluate(NOISY, X, batch_size=10, return_dict=True, verbose=0)
    model.noise.reset_evaluation()
    tensor = keras.ops.convert_to_tensor
    terms = model.terms(tensor(NOISY), target=tensor(X))
    for name in ("reconstruction", "elbo"):
        if name in terms:
            by_hand = float(np.mean(keras.ops.convert_to_numpy(terms[name])))
            np.testing.assert_allclose(found[name], by_hand, rtol=1e-5)
    plain = model.evaluate(NOISY, batch_size=10, return_dict=True, verbose=0)
    assert abs(plain["reconstruction"] - found["reconstruction"]) > 1e-3
    for data in (Dataset(NOISY, X, size=10), Batches(NOISY, X, batch_size=10, shuffle=False)):
        logs = model.evaluate(data, return_dict=True, verbose=0)
        np.testing.assert_allclose(logs["reconstruction"], found["reconstruction"], rtol=1e-5)


def test_a_denoiser_learns_to_remove_noise():
    rng = np.random.default_rng(0)
    clean = np.tile(np.eye(4, dtype="float32"), (16, 2))  # one bit of 4, twice
    flipped = np.where(rng.random(clean.shape) < 0.15, 1 - clean, clean)
    networks = keras_vae.MLPEncoder((8,), 4, (16,)), keras_vae.MLPDecoder((8,), 4, (16,))
    model = keras_vae.Autoencoder(*networks, seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(flipped, clean, epochs=60, verbose=0, validation_data=(flipped, clean))
    wrong = np.abs(np.round(model.reconstruct(flipped)) - clean).mean()
    assert wrong < 0.5 * np.abs(flipped - clean).mean()


def test_pairs_of_the_same_train_as_one():
    weights = []
    for data in (Dataset(X), Dataset(X, X)):
        model = FAMILY.compiled()
        model.fit(data, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.one_backend
def test_all_other_families_refuse_to_denoise():
    for family in families.FAMILIES:
        is_one = isinstance(
            (model := family.model()), keras_vae.VAE | keras_vae.Autoencoder | keras_vae.VQVAE
        )
        x = family.data()
        if family.condition is not None or family.target is not None:
            assert not model.can_denoise
        elif not model.can_denoise:
            model.compile("sgd")
            with pytest.raises(ValueError, match=r"trained on `x` alone.*denoisers"):
                model.fit(x, x[::-1], verbose=0)
        else:
            assert is_one
