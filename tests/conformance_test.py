"""Every family of models against every promise."""

import functools
import json
import os
import shutil
import tempfile
from pathlib import Path

import families
import keras
import numpy as np
import pytest
from families import BATCH_SIZE
from families import BY_NAME
from families import CONFORMING
from keras import ops
from states import Snapshots
from states import assign_state
from states import largest_difference
from states import state
from workers import run_worker

from keras_vae.datasets import Batches
from keras_vae.models import EncoderDecoderModel
from keras_vae.models.saving.named_weights import named_variables

BACKEND = keras.config.backend()
EPOCHS, EPOCHS_BEFORE = 6, 3
DIFFERENT = ("vae", "factor_vae", "vqvae", "cvae")
OTHERS = tuple(f.name for f in CONFORMING if f.name not in DIFFERENT)
_temporary = tempfile.TemporaryDirectory()
FOLDER = Path(_temporary.name)

every_family = pytest.mark.parametrize("family", CONFORMING, ids=lambda f: f.name)
# Elsewhere, those that differ most: one optimizer, two, codes, and a condition.
every_family_somewhere = pytest.mark.parametrize(
    "family",
    [
        pytest.param(f, marks=[pytest.mark.one_backend] * (f.name not in DIFFERENT))
        for f in CONFORMING
    ],
    ids=lambda f: f.name,
)
load_model = functools.partial(keras.models.load_model, custom_objects=families.CUSTOM_OBJECTS)


@functools.cache
def trained(name):
    """Returns (model, history, states after each epoch) of a whole run, with validation.

    Tests must leave the model as it is: it is compiled once for all of them.
    """
    family, snapshots = BY_NAME[name], Snapshots()
    model = family.compiled()
    start = state(model)
    fit(model, family.pairs(), EPOCHS_BEFORE)
    model.save(FOLDER / f"{name}.keras")
    assign_state(model, start)
    held_out = {"validation_data": family.validation(), "callbacks": snapshots}
    history = fit(model, family.pairs(), EPOCHS, **held_out)
    return model, history, snapshots.states


def fit(model, pairs, epochs=1, **kwargs):
    options = {"batch_size": BATCH_SIZE, "verbose": 0, **kwargs}
    if "validation_data" in kwargs:
        options["validation_batch_size"] = BATCH_SIZE
    history = model.fit(*pairs, epochs=epochs, **options)
    return history.history


def evaluate(model, pairs, batch_size=BATCH_SIZE, **kwargs):
    return model.evaluate(*pairs, batch_size=batch_size, return_dict=True, verbose=0, **kwargs)


def mean_of(model, inputs):
    """Returns `model(inputs)`, computed outside of any compiled function."""
    return ops.convert_to_numpy(model(inputs))


def config_of(model):
    """Returns the model's config as a file holds it: lists in place of tuples."""
    return json.loads(json.dumps(model.get_config()))


def bound_of(model):
    """Returns the names of the terms that make the loss of evaluation, each with weight 1."""
    weights = {k: term.evaluate for k, term in model.objective().items() if term.evaluate}
    assert set(weights.values()) == {1.0}
    return list(weights)


def terms_of(model, pairs, training=False, batch_size=BATCH_SIZE):
    """Returns the terms of each example, NumPy, with the noise of `evaluate`, without its step;
    scalars of a batch once for each batch."""

    def terms(x, *y):
        return model.terms(x, model.given(*y, training=training), training)

    run = model.jitted(terms)
    model.noise.reset_evaluation()
    starts = range(0, len(pairs[0]), batch_size)
    batches = [run(*(a[i : i + batch_size] for a in pairs)) for i in starts]
    return {k: np.concatenate([np.atleast_1d(b[k]) for b in batches]) for k in batches[0]}


@pytest.fixture
def no_noise(monkeypatch):
    """Every draw is the middle one, so that costs do not depend on the shape of a batch."""
    for draw, middle in (("normal", 0.0), ("uniform", 0.5)):
        monkeypatch.setattr(
            keras.random,
            draw,
            lambda shape, *args, dtype=None, m=middle, **kwargs: ops.full(shape, m, dtype),
        )


@pytest.fixture
def as_before():
    """Gives a function that has a model's state restored after the test."""
    changed = []
    yield lambda model: changed.append((model, state(model)))
    for model, before in changed:
        assign_state(model, before)


# Training and evaluating.


@every_family
def test_fit_with_validation(family):
    model, history, _ = trained(family.name)
    metrics = set(model.metrics_names)
    assert history.keys() == metrics | {f"val_{k}" for k in metrics}
    assert np.isfinite(list(history.values())).all()
    unmoved = [
        v.path
        for v, a, b in zip(
            model.weights, family.model().get_weights(), model.get_weights(), strict=True
        )
        if np.array_equal(a, b)
    ]
    unused = {"autoencoder": ["encoder/z_log_var/kernel", "encoder/z_log_var/bias"]}
    features = getattr(model, "features", None)
    measures = [features] if isinstance(features, keras.Layer) else []
    frozen = [v.path for part in [*getattr(model, "priors", []), *measures] for v in part.weights]
    # Its gradient is 0 while a hinge cost is on one side for all patches.
    unmoved = [path for path in unmoved if path != "discriminator/logits/bias"]
    assert unmoved == unused.get(family.name, frozen)


@every_family
def test_validation_loss_is_the_plain_bound(family):
    model, history, _ = trained(family.name)
    if "kl" in bound_of(model):
        np.testing.assert_allclose(history["val_loss"], -np.array(history["val_elbo"]), rtol=1e-6)
    bound = sum(np.array(history[f"val_{k}"]) for k in bound_of(model))
    np.testing.assert_allclose(history["val_loss"], bound, rtol=1e-6)


@every_family
def test_validation_does_not_change_training(family):
    _, _, states = trained(family.name)
    without = state(load_model(FOLDER / f"{family.name}.keras"))
    stream = {"evaluation_stream": without["evaluation_stream"]}
    assert largest_difference(without, {**states[EPOCHS_BEFORE - 1], **stream}) == 0.0


@every_family
def test_evaluate_is_repeatable_and_equals_validation(family):
    model, history, _ = trained(family.name)
    first, second = evaluate(model, family.pairs()), evaluate(model, family.pairs())
    assert first == second
    assert first == {k: history[f"val_{k}"][-1] for k in first}


@pytest.mark.first_case_elsewhere
@every_family
def test_evaluate_needs_no_optimizer_of_its_own(family):
    """As of a model that was read from a preset."""
    model = family.model()
    model.compile()
    expected = family.compiled().evaluate(*family.pairs(), verbose=0)
    np.testing.assert_array_equal(model.evaluate(*family.pairs(), verbose=0), expected)


@every_family_somewhere
def test_evaluate_returns_the_loss_and_then_the_metrics_in_order(family):
    model, _, _ = trained(family.name)
    values = model.evaluate(*family.pairs(), batch_size=BATCH_SIZE, verbose=0)
    logs = evaluate(model, family.pairs())
    assert values == [logs[k] for k in model.metrics_names]


@every_family_somewhere
def test_one_batch_at_a_time(family, as_before):
    model, pairs = trained(family.name)[0], family.pairs(BATCH_SIZE)
    as_before(model)
    updates = int(model.optimizer.iterations)
    for step in (model.train_on_batch, model.test_on_batch):
        logs = step(*pairs, return_dict=True)
        assert logs.keys() == set(model.metrics_names)
        assert np.isfinite(list(logs.values())).all()
    assert int(model.optimizer.iterations) == updates + 1


@every_family
def test_predict_is_the_mean_of_the_likelihood_without_noise(family):
    model, pairs = trained(family.name)[0], family.pairs()
    means = model.predict(family.inputs(), batch_size=BATCH_SIZE, verbose=0)
    np.testing.assert_allclose(means, mean_of(model, family.inputs()), rtol=1e-5, atol=1e-6)
    if isinstance(model, EncoderDecoderModel):
        assert means.shape == pairs[0].shape
        assert np.array_equal(means, model.reconstruct(*pairs, batch_size=BATCH_SIZE))


# On TensorFlow, tests of the families say more.
@(every_family_somewhere if BACKEND == "tensorflow" else every_family)
def test_a_seed_gives_the_same_draws_and_the_same_likelihoods(family):
    model, pairs = trained(family.name)[0], family.pairs(3)
    if getattr(model, "can_sample", False):
        condition = pairs[1:] if family.condition is not None else ()
        size = {"size": family.data_shape[:2]} if getattr(model, "is_of_any_size", False) else {}
        first, second = (model.sample(3, *condition, seed=1, **size) for _ in range(2))
        assert np.array_equal(first, second)
        assert len(first) == 3
    if getattr(model, "log_likelihood_is", None):
        first, second = (model.log_likelihood(*pairs, seed=1) for _ in range(2))
        assert np.array_equal(first, second)
        assert first.shape == (3,)
        assert np.isfinite(first).all()


@every_family
def test_short_last_batch_weighs_by_its_size(family):
    model, pairs = trained(family.name)[0], family.pairs(BATCH_SIZE + 2)
    logs, terms = evaluate(model, pairs), terms_of(model, pairs)
    for name in bound_of(model):
        np.testing.assert_allclose(logs[name], terms[name].mean(), rtol=1e-5)
    bound = sum(terms[name] for name in bound_of(model))
    np.testing.assert_allclose(logs["loss"], bound.mean(), rtol=1e-5)


@pytest.mark.first_case_elsewhere
@every_family
def test_terms_do_not_change_when_the_batch_is_duplicated(family, no_noise, as_before):
    model, pairs = trained(family.name)[0], family.pairs()
    as_before(model)
    size = len(pairs[0])
    twice = [np.concatenate([a, a]) for a in pairs]
    before = state(model)
    once = terms_of(model, pairs, training=True, batch_size=size)
    assign_state(model, before)  # codebooks may have moved
    for name, value in terms_of(model, twice, training=True, batch_size=2 * size).items():
        if len(value) == 1:  # a cost of the whole batch, which may go by its size
            continue
        np.testing.assert_allclose(value, np.concatenate([once[name]] * 2), rtol=1e-5, atol=1e-6)


@every_family
def test_sample_weight_weighs_costs_and_logs(family):
    model, (x, *y) = trained(family.name)[0], family.pairs()
    weights = np.array([0, 1, 2, 3] * (len(x) // 4), "float32")
    terms = terms_of(model, (x, *y))
    bound = sum(terms[k] for k in bound_of(model))
    # Keras divides a weighted loss by the number of examples, and a weighted metric by the weights.
    for pairs in [(x, *y)] if y else [(x,), (x, x)]:
        logs = evaluate(model, pairs, sample_weight=weights)
        np.testing.assert_allclose(logs["loss"], np.mean(weights * bound), rtol=1e-5)
        for name in bound_of(model):
            weighted = np.average(terms[name], weights=weights)
            np.testing.assert_allclose(logs[name], weighted, rtol=1e-5)


def test_a_data_set_weighs_examples_by_giving_them_twice():
    # As Keras feeds no weights without targets: (x, x, weights).
    model, x = trained("vae")[0], BY_NAME["vae"].data()
    weights = np.linspace(0, 2, len(x), dtype="float32")
    data = Batches(x, x, weights, batch_size=BATCH_SIZE, shuffle=False)
    assert evaluate(model, (data,), None) == evaluate(model, (x,), sample_weight=weights)


def test_examples_of_weight_zero_teach_nothing():
    family = BY_NAME["vae"]
    model = family.compiled(keras.optimizers.SGD(0.1))
    before = model.get_weights()
    x = family.data()
    history = fit(
        model, (x,), sample_weight=np.zeros(len(x)), validation_data=(x, None, np.ones(len(x)))
    )
    assert history["loss"] == [0.0]
    assert history["val_loss"][0] > 0
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


# Data.


def as_dataset(pairs):
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices(pairs if len(pairs) > 1 else pairs[0])
    return data.batch(BATCH_SIZE)


def as_loader(pairs):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(*map(torch.from_numpy, pairs))
    return torch.utils.data.DataLoader(data, batch_size=BATCH_SIZE)


def as_py_dataset(pairs):
    class Slices(keras.utils.PyDataset):
        def __len__(self):
            return len(pairs[0]) // BATCH_SIZE

        def __getitem__(self, i):
            return tuple(a[i * BATCH_SIZE : (i + 1) * BATCH_SIZE] for a in pairs)

    return Slices()


def as_generator(pairs):
    for i in range(0, len(pairs[0]), BATCH_SIZE):
        yield tuple(a[i : i + BATCH_SIZE] for a in pairs)


KINDS = (as_dataset, as_loader, as_py_dataset, as_generator)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
# For every family elsewhere too, of those that a step is given in different ways.
every_kind_somewhere = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[pytest.mark.one_backend] * (kind in (as_loader, as_generator)))
        for kind in KINDS
    ],
    ids=lambda k: k.__name__,
)


@every_kind_somewhere
@every_family
def test_every_kind_of_data_gives_the_same_numbers(family, kind):
    model, pairs = trained(family.name)[0], family.pairs()
    assert evaluate(model, (kind(pairs),), batch_size=None) == evaluate(model, pairs)


@pytest.mark.parametrize("name", ["info_vae", "beta_tc_vae", "vqvae2"])
def test_arrays_and_data_sets_round_alike_whatever_the_weights(name):
    """Of sums of many numbers, the last digit hangs on whether a graph knows how many."""
    family = BY_NAME[name]
    model, pairs = family.compiled(), family.pairs()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        for w in model.trainable_weights:
            w.assign(w + 0.1 * rng.normal(size=w.shape))
        found = evaluate(model, (as_py_dataset(pairs),), batch_size=None)
        assert found == evaluate(model, pairs)


@every_kind
@pytest.mark.parametrize("name", ["vae", "cvae"])
def test_every_kind_of_data_trains(kind, name, as_before):
    model, family = trained(name)[0], BY_NAME[name]
    as_before(model)
    updates, pairs = int(model.optimizer.iterations), family.pairs()
    validation = kind(pairs) if kind is not as_generator else family.validation()
    history = model.fit(kind(pairs), validation_data=validation, verbose=0).history
    # On TensorFlow Keras begins one step more where it cannot know the number of batches.
    assert int(model.optimizer.iterations) == updates + len(pairs[0]) // BATCH_SIZE
    assert np.isfinite(history["loss"] + history["val_loss"]).all()


def as_lists(x):
    return x.tolist()


def as_float64(x):
    return x.astype("float64")


def as_bytes(x):
    return x.astype("uint8")


def as_tensor(x):
    return ops.convert_to_tensor(x)


def as_torch_tensor(x):
    return pytest.importorskip("torch").from_numpy(x)


@pytest.mark.parametrize(
    "kind",
    [as_lists, as_float64, as_bytes, as_tensor, as_torch_tensor],
    ids=lambda k: k.__name__,
)
def test_every_kind_of_array_gives_the_same_numbers(kind, as_before):
    model, x = trained("vae")[0], BY_NAME["vae"].data()
    as_before(model)
    assert evaluate(model, (kind(x),)) == evaluate(model, (x,))
    assert evaluate(model, (kind(x), kind(x))) == evaluate(model, (x,))
    fit(model, (kind(x),))


# Saving and going on.


@functools.cache
def resumed(names):
    """Returns `{family: state}`: trained for half the epochs, saved, loaded by another process and
    trained for the other half."""
    for name in names:
        trained(name)
    run_worker("support/resume_worker", FOLDER, EPOCHS_BEFORE, EPOCHS, *names)
    return {name: dict(np.load(FOLDER / f"{name}.npz")) for name in names}


@every_family_somewhere
def test_resumed_run_equals_an_uninterrupted_one_exactly(family):
    _, _, states = trained(family.name)
    got = resumed(DIFFERENT if family.name in DIFFERENT else OTHERS)[family.name]
    stream = {"evaluation_stream": got["evaluation_stream"]}  # the resumed run had no validation
    assert largest_difference(got, {**states[-1], **stream}) == 0.0


@every_family_somewhere
def test_keras_file_keeps_everything(family, tmp_path):
    model, x = trained(family.name)[0], family.inputs()
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert largest_difference(state(loaded), state(model)) == 0.0
    assert config_of(loaded) == config_of(model)
    assert np.array_equal(mean_of(loaded, x), mean_of(model, x))


@pytest.mark.first_case_elsewhere
@every_family
def test_weights_file_keeps_weights_and_noise(family, tmp_path):
    model, x = trained(family.name)[0], family.inputs()
    model.save_weights(tmp_path / "model.weights.h5")
    other = family.model(seed=9)
    assert not np.array_equal(mean_of(other, x), mean_of(model, x))
    other.load_weights(tmp_path / "model.weights.h5")
    assert np.array_equal(mean_of(other, x), mean_of(model, x))
    for key in ("training_stream", "evaluation_stream"):
        a, b = (ops.convert_to_numpy(getattr(m.noise, key).state) for m in (model, other))
        assert np.array_equal(a, b)


@every_family_somewhere
def test_preset_keeps_the_model(family, tmp_path):
    model, x = trained(family.name)[0], family.inputs()
    with keras.saving.custom_object_scope(families.CUSTOM_OBJECTS):
        model.save_to_preset(tmp_path)
        loaded = type(model).from_preset(tmp_path)
    assert config_of(loaded) == config_of(model)
    assert np.array_equal(mean_of(loaded, x), mean_of(model, x))


@every_family_somewhere
def test_config_is_json_and_makes_the_same_model(family):
    model = family.model()
    config = config_of(model)
    with keras.saving.custom_object_scope(families.CUSTOM_OBJECTS):
        again = type(model).from_config(config)
    assert config == config_of(model)  # reading leaves it as it was
    assert config_of(again) == config
    shapes, expected = ({k: v.shape for k, v in named_variables(m).items()} for m in (again, model))
    assert shapes == expected


@every_family_somewhere
def test_built_before_any_data(family):
    model, lines = family.model(), []
    assert model.built
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert f"{model.count_params():,}" in "\n".join(lines)
    assert all(layer.built for layer in model._flatten_layers())


def test_backup_and_restore_goes_on_exactly(tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == EPOCHS_BEFORE:
                raise KeyboardInterrupt

    family = BY_NAME["annealed_vae"]
    backup = keras.callbacks.BackupAndRestore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(family.compiled(), family.pairs(), EPOCHS, callbacks=[backup, Interrupt()])
    model = family.compiled()
    fit(model, family.pairs(), EPOCHS, callbacks=[backup])
    expected = trained(family.name)[2][-1]
    got = {**state(model), "evaluation_stream": expected["evaluation_stream"]}
    assert largest_difference(got, expected) == 0.0


# Precision and compilation.


def check_policy(family, policy):
    reference, pairs = trained(family.name)[0], family.pairs(BATCH_SIZE)
    expected = reference.predict(family.inputs(BATCH_SIZE), verbose=0)
    keras.config.set_dtype_policy(policy)
    model = family.compiled()
    model.set_weights(reference.get_weights())
    means = model.predict(family.inputs(BATCH_SIZE), verbose=0)
    terms = terms_of(model, pairs, training=True)
    np.testing.assert_allclose(means, expected, rtol=0.05, atol=0.02)
    costs = [v for name, v in terms.items() if not name.startswith(("usage", "perplexity"))]
    is_of_tokens = family.num_tokens is not None and means.dtype.kind == "i"
    assert {v.dtype.name for v in costs + [means] * (not is_of_tokens)} == {"float32"}
    losses = [model.train_on_batch(*pairs, return_dict=True)["loss"] for _ in range(12)]
    assert np.isfinite(losses).all()
    assert (
        int(model.optimizer.iterations) > 0
    )  # steps that overflow halve the scale and are skipped


# TensorFlow refuses operations on mixed types; JAX promotes them, as PyTorch does.
@(every_family if BACKEND == "tensorflow" else every_family_somewhere)
def test_mixed_float16(family):
    if family.name == "keras_example" and BACKEND == "tensorflow":
        pytest.skip("the example's own Sampling layer mixes types, which TensorFlow refuses")
    check_policy(family, "mixed_float16")


def test_mixed_bfloat16():
    check_policy(BY_NAME["conv_vae"], "mixed_bfloat16")


def weights_after_two_steps(family, optimizer=None, **compile_arguments):
    optimizer = keras.optimizers.SGD(0.1) if optimizer is None else optimizer
    model = family.compiled(optimizer, **compile_arguments)
    fit(model, family.pairs(), shuffle=False)
    return state(model)


@functools.cache
def reference_after_two_steps(name):
    return weights_after_two_steps(BY_NAME[name])


@pytest.mark.parametrize(
    "jit_compile",
    # torch.compile needs the better part of a minute
    [pytest.param(True, marks=[pytest.mark.slow] if BACKEND == "torch" else []), False],
)
def test_compiled_or_not(jit_compile):
    if jit_compile and BACKEND == "torch" and shutil.which(os.environ.get("CXX", "g++")) is None:
        pytest.skip("torch.compile writes C++, and there is no compiler")
    # Without noise: TensorFlow's differs between XLA and not. With Adam, for which the steps have
    # updates of their own; its epsilon keeps the signs of tiny gradients from deciding.
    got, expected = (
        weights_after_two_steps(
            BY_NAME["autoencoder"], keras.optimizers.Adam(1e-2, epsilon=1e-3), jit_compile=jit
        )
        for jit in (jit_compile, "auto")
    )
    assert largest_difference(got, expected) < 1e-6


def test_run_eagerly():
    got = weights_after_two_steps(BY_NAME["vae"], run_eagerly=True)
    assert largest_difference(got, reference_after_two_steps("vae")) < 1e-6


def test_steps_per_execution():
    if BACKEND == "torch":
        with pytest.raises(ValueError, match="steps_per_execution"):
            weights_after_two_steps(BY_NAME["vae"], steps_per_execution=2)
        return
    got = weights_after_two_steps(BY_NAME["vae"], steps_per_execution=2)
    assert largest_difference(got, reference_after_two_steps("vae")) == 0.0


# What does not belong.


@pytest.mark.parametrize("argument", ["loss", "metrics", "loss_weights", "weighted_metrics"])
def test_compile_takes_no_objective(argument):
    model = BY_NAME["vae"].model()
    with pytest.raises(TypeError, match=f"compile\\(\\) takes no '{argument}'"):
        model.compile("adam", **{argument: "mse"})
