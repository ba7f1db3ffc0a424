import copy
import pickle

import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

import keras_vae
from keras_vae.datasets import Batches

X = np.random.default_rng(0).integers(0, 2, (40, 6)).astype("float32")


def small_vae(seed=0):
    keras.utils.set_random_seed(0)
    networks = keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    model = keras_vae.VAE(*networks, seed=seed)
    model.compile(keras.optimizers.Adam(0.01))
    return model


class Recorder(Batches):
    """Batches that remember their order."""

    def on_epoch_begin(self):
        super().on_epoch_begin()
        self.orders = [*getattr(self, "orders", []), self._epoch[1].copy()]


def test_order_follows_the_updates_made_and_differs_between_epochs():
    data = Recorder(X, batch_size=10, seed=3)
    small_vae().fit(data, epochs=3, verbose=0)
    expected = [np.random.default_rng([3, updates]).permutation(40) for updates in (0, 4, 8)]
    np.testing.assert_array_equal(data.orders, expected)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_order_differs_between_epochs_that_share_one_update(policy):
    keras.config.set_dtype_policy(policy)
    model, data = small_vae(), Recorder(X, batch_size=10, seed=3)
    model.compile(keras.optimizers.SGD(0.01, gradient_accumulation_steps=12))
    model.fit(data, epochs=3, verbose=0)
    assert len({tuple(order) for order in data.orders}) == 3


def test_the_same_batches_serve_two_models_and_keep_their_own_clock():
    data = Recorder(X, batch_size=10, seed=3)
    small_vae().fit(data, epochs=2, verbose=0)
    small_vae().fit(data, epochs=2, verbose=0)
    np.testing.assert_array_equal(data.orders[:2], data.orders[2:])
    assert data.clock is None


def test_arrays_and_batches_with_the_models_seed_train_alike():
    by_array, by_batches = small_vae(seed=5), small_vae(seed=5)
    by_array.fit(X, batch_size=10, epochs=2, verbose=0)
    by_batches.fit(Batches(X, batch_size=10, seed=5), epochs=2, verbose=0)
    for a, b in zip(by_array.get_weights(), by_batches.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_split_takes_the_last_examples():
    model = small_vae()
    logs = model.fit(X, validation_split=0.25, batch_size=10, verbose=0).history
    expected = model.evaluate(X[30:], batch_size=10, return_dict=True, verbose=0)
    assert logs["val_elbo"][-1] == expected["elbo"]


def test_compile_takes_an_optimizer_only():
    model = small_vae()
    for argument in ("loss", "metrics", "weighted_metrics", "loss_weights"):
        with pytest.raises(TypeError, match=f"takes no '{argument}'"):
            model.compile("adam", **{argument: ["mse"]})


def test_compile_config_round_trip_keeps_the_optimizer():
    model = small_vae()
    again = small_vae()
    again.compile_from_config(model.get_compile_config())
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert again.optimizer.built


def test_check_inputs_gives_numpy():
    model = small_vae()
    (x,) = model.check_inputs(keras.ops.convert_to_tensor(X))
    np.testing.assert_array_equal(x, X)
    with pytest.raises(ValueError, match="wrong shape"):
        model.check_inputs(X[:, :5])


def test_a_model_fresh_from_a_preset_can_be_evaluated(tmp_path):
    model = small_vae()
    model.save_to_preset(tmp_path)
    fresh = keras_vae.VAE.from_preset(tmp_path)
    found = fresh.evaluate(X, batch_size=10, return_dict=True, verbose=0)
    assert found == model.evaluate(X, batch_size=10, return_dict=True, verbose=0)


def test_a_model_compiled_by_evaluate_alone_is_not_trained():
    networks = keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    model = keras_vae.VAE(*networks, seed=0)
    model.evaluate(X, verbose=0)
    for train in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match=r"must call `compile\(\)`"):
            train(X)
    model.compile("sgd")
    model.fit(X, verbose=0)


def test_a_weight_that_is_changed_counts_from_the_next_fit_on():
    model = small_vae()
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(X, batch_size=40, verbose=0)
    model.kl_weight = 0.0
    logs = model.fit(X, batch_size=40, verbose=0).history
    np.testing.assert_allclose(logs["loss"], logs["reconstruction"], rtol=1e-6)


def test_what_is_frozen_after_training_asks_for_compile():
    model = small_vae()
    model.fit(X, batch_size=40, verbose=0)
    model.encoder.trainable = False
    with pytest.raises(ValueError, match="Call `compile` again"):
        model.fit(X, batch_size=40, verbose=0)
    model.compile("sgd")
    before = model.encoder.get_weights()
    model.fit(X, batch_size=40, verbose=0)
    for a, b in zip(before, model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_trained_model_can_be_copied_and_goes_on(copied):
    model = small_vae()
    model.fit(X, batch_size=10, verbose=0)
    again = copied(model)
    for each in (model, again):
        each.fit(X, batch_size=10, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


SETTINGS = {  # of each, what is changed after the first fit, and what shows that it took effect
    "kl_weight": ("vae", lambda model: setattr(model, "kl_weight", 4.0)),
    "free_bits": ("annealed_vae", lambda model: setattr(model, "free_bits", 2.0)),
    "capacity": ("capacity_vae", lambda model: setattr(model, "capacity", 7.0)),
    "commitment_weight": ("vqvae", lambda model: setattr(model, "commitment_weight", 3.0)),
    "dropout of a part": ("cvae", lambda model: setattr(model.condition, "dropout", 0.99)),
    "end of a schedule": ("annealed_vae", lambda model: setattr(model.kl_weight, "end", 4.0)),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_changed_after_the_first_fit_takes_effect(setting):
    name, change = SETTINGS[setting]
    family = BY_NAME[name]

    def second_loss(before, after):
        model = family.compiled(keras.optimizers.SGD(0.0))
        before(model)
        model.fit(*family.pairs(), verbose=0, batch_size=8)
        after(model)
        return model.fit(*family.pairs(), verbose=0, batch_size=8).history["loss"][0]

    def leave(model):
        pass

    wanted = second_loss(change, leave)
    np.testing.assert_allclose(second_loss(leave, change), wanted, rtol=1e-5)
    assert abs(second_loss(leave, leave) - wanted) > 1e-3


def test_single_batches_follow_a_changed_setting():
    family = BY_NAME["iwae"]

    def loss(model):
        model.reset_metrics()
        model.noise.reset_evaluation()
        return model.test_on_batch(family.data(), return_dict=True)["loss"]

    model, other = family.compiled(), family.compiled()
    before = loss(model)
    model.num_samples = other.num_samples = 50
    assert loss(model) == pytest.approx(loss(other), rel=1e-6)
    assert abs(loss(model) - before) > 1e-3


def test_what_evaluate_compiled_stays_without_an_optimizer_in_a_file(tmp_path):
    model = BY_NAME["vae"].model()
    logs = model.evaluate(BY_NAME["vae"].data(), return_dict=True, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"call `compile\(\)`"):
        again.fit(BY_NAME["vae"].data(), verbose=0)
    found = again.evaluate(BY_NAME["vae"].data(), return_dict=True, verbose=0)
    assert found == pytest.approx(logs, rel=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "map"])
def test_networks_in_float32_of_a_model_in_mixed_precision(kind):
    if kind == "mlp":
        networks = (
            keras_vae.MLPEncoder((8, 8, 1), 2, (4,)),
            keras_vae.MLPDecoder((8, 8, 1), 2, (4,)),
        )
    else:
        networks = (
            keras_vae.ConvMapEncoder((8, 8, 1), 2, (4,), num_outputs=2),
            keras_vae.ConvMapDecoder((8, 8, 1), 2, (4,)),
        )
    x = np.random.default_rng(0).uniform(size=(3, 8, 8, 1)).astype("float32")
    mixed = keras_vae.VAE(*networks, seed=0, dtype="mixed_bfloat16")
    expected = keras_vae.VAE(*networks, seed=0).predict(x, verbose=0)
    np.testing.assert_allclose(mixed.predict(x, verbose=0), expected, atol=0.01)
    mixed.compile("adam")
    mixed.fit(x, verbose=0)


def test_a_codebook_alone_follows_its_means():
    family = BY_NAME["vqvae"]
    model = family.model()
    model.encoder.trainable = model.decoder.trainable = False
    model.compile("adam")
    networks = [ops.convert_to_numpy(v) for v in model.encoder.weights + model.decoder.weights]
    codebook = ops.convert_to_numpy(model.quantizer.codebook)
    model.fit(family.data(), epochs=2, verbose=0)
    assert not model.trainable_variables
    assert np.abs(ops.convert_to_numpy(model.quantizer.codebook) - codebook).max() > 1e-4
    for a, b in zip(networks, model.encoder.weights + model.decoder.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(b), a)


def test_a_quantizer_frozen_after_the_first_fit_stays():
    family = BY_NAME["vqvae"]
    model = family.compiled()
    model.fit(family.data(), verbose=0)
    model.quantizer.trainable = False
    before = ops.convert_to_numpy(model.quantizer.codebook)
    model.fit(family.data(), verbose=0)
    np.testing.assert_array_equal(ops.convert_to_numpy(model.quantizer.codebook), before)


@pytest.mark.parametrize("validation", [None, "x"])
def test_a_setting_changed_by_a_callback_is_told_of_schedules(validation):
    family = BY_NAME["vae"]
    model = family.compiled()
    anneal = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(model, "kl_weight", 0.1 * epoch)
    )
    held_out = validation and family.data()
    with pytest.raises(RuntimeError, match=r"`fit` ran.*schedule"):
        model.fit(family.data(), epochs=3, verbose=0, callbacks=[anneal], validation_data=held_out)
    model.fit(family.data(), verbose=0)


def test_so_is_one_that_changes_a_schedule_in_place():
    family = BY_NAME["annealed_vae"]
    model = family.compiled()
    raised = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(model.kl_weight, "end", 2.0 + epoch)
    )
    with pytest.raises(RuntimeError, match=r"`fit` ran.*schedule"):
        model.fit(*family.pairs(), epochs=3, verbose=0, callbacks=[raised])


def test_single_batches_of_a_model_without_a_shape_compile_once():
    encoder = keras.Sequential([keras.layers.Dense(2)])
    model = keras_vae.Autoencoder(encoder, keras.Sequential([keras.layers.Dense(6)]))
    model.compile("adam")
    assert not model.built
    model.train_on_batch(X)
    function = model.train_function
    model.train_on_batch(X)
    assert model.train_function is function


def test_a_setting_within_a_part_of_a_quantizer_takes_effect():
    family = BY_NAME["vqvae"]
    model = family.compiled(keras.optimizers.SGD(0.0))
    model.fit(*family.pairs(), batch_size=2, verbose=0)
    fresh, unchanged = copy.deepcopy(model), copy.deepcopy(model)  # compiled after the change
    for each in (model, fresh):
        each.quantizer.update.decay = 0.0
    for each in (model, fresh, unchanged):
        each.fit(*family.pairs(), batch_size=2, verbose=0)
    codes, expected, before = (
        ops.convert_to_numpy(each.quantizer.codebook) for each in (model, fresh, unchanged)
    )
    np.testing.assert_allclose(codes, expected, rtol=1e-5)
    assert np.abs(codes - before).max() > 1e-3


class Annealed(keras_vae.VAE):
    """A VAE whose objective makes its schedule anew at every call."""

    def objective(self):
        kl = keras_vae.Term(train=keras_vae.LinearAnnealing(10), evaluate=1.0)
        return {**super().objective(), "kl": kl}


def test_a_schedule_made_anew_in_the_objective_is_no_change():
    model, x = compiled(Annealed), X[:10]
    model.fit(x, epochs=2, verbose=0)
    model.train_on_batch(x)
    functions = model.train_function, model.jitted_once("key", ops.sum)
    model.train_on_batch(x)
    assert functions == (model.train_function, model.jitted_once("key", ops.sum))


class Measured(keras_vae.VAE):
    """A VAE with a metric of its own, which a subclass may name otherwise."""

    metric_name = "brightness"

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.brightness = keras.metrics.Mean(name=self.metric_name)

    def terms(self, x, c=None, training=False):
        self.brightness.update_state(ops.mean(x))
        return super().terms(x, c, training)


def compiled(kind):
    model = kind(keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,)), seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    return model


def test_a_metric_of_a_subclass_is_in_dicts_and_lists():
    model = compiled(Measured)
    found = model.fit(X, batch_size=20, verbose=0).history["brightness"]
    assert found == pytest.approx([X.mean()], rel=1e-5)
    assert model.metrics_names == ["loss", "reconstruction", "kl", "elbo", "brightness"]
    assert model.evaluate(X, batch_size=20, verbose=0)[-1] == pytest.approx(X.mean(), rel=1e-5)
    assert float(model.test_on_batch(X)[-1]) == pytest.approx(X.mean(), rel=1e-5)


def test_a_metric_with_the_name_of_a_term():
    with pytest.raises(ValueError, match="'kl' of Named has the name of a quantity"):
        compiled(type("Named", (Measured,), {"metric_name": "kl"}))


def test_a_property_that_hides_the_models_metrics():
    hiding = type("Hiding", (Measured,), {"metrics": property(lambda self: [self.brightness])})
    with pytest.raises(ValueError, match="`metrics` of Hiding leaves out the model's own"):
        compiled(hiding)


class Doubling(keras_vae.VAE):
    """A VAE whose train step logs one more number."""

    def train_step(self, *args):
        found = super().train_step(*args)
        logs = found[0] if isinstance(found, tuple) else found
        logs = {**logs, "double": 2 * logs["loss"]}
        return (logs, *found[1:]) if isinstance(found, tuple) else logs


@pytest.mark.parametrize("data", [X, Batches(X, batch_size=20)], ids=["array", "batches"])
def test_what_an_own_train_step_logs_is_in_the_history(data):
    logs = compiled(Doubling).fit(data, epochs=2, verbose=0).history
    assert len(logs["double"]) == 2
    assert logs["double"][-1] > 0


@pytest.mark.parametrize("method", ["compute_loss", "compute_metrics"])
def test_what_the_train_step_never_calls_cannot_be_overridden_alone(method):
    body = {method: lambda self, *args, **kwargs: None}
    with pytest.raises(TypeError, match=f"Own overrides `{method}`, which its train step never"):
        compiled(type("Own", (keras_vae.VAE,), body))
    compiled(type("Own", (Doubling,), body))


def test_an_optimizer_is_not_shared_by_two_models():
    model, other = small_vae(), small_vae()
    other.compile(model.optimizer)
    model.fit(X, verbose=0)
    with pytest.raises(ValueError, match="The optimizer of VAE was built for another model"):
        other.fit(X, verbose=0)


def test_compiled_without_an_optimizer():
    model = small_vae()
    model.compile(None)
    for train in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="VAE was compiled without an optimizer"):
            train(X)


def test_a_callback_list_of_keras():
    model, seen = small_vae(), []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    given = keras.callbacks.CallbackList([callback], add_history=True, model=model)
    assert len(model.fit(X, epochs=2, callbacks=given, verbose=0).history["loss"]) == 2
    assert seen == [0, 1]


def test_sizes_of_batches_are_integers_of_any_kind():
    model = small_vae()
    model.fit(X, batch_size=np.int64(8), validation_data=X, validation_batch_size=np.int32(4))
    assert len(model.predict(X, np.int64(8), 0)) == 40
    assert model.evaluate(X, batch_size=np.int64(8), verbose=0) == model.evaluate(X, None, 8, 0)
    with pytest.raises(ValueError, match="`validation_batch_size` must be a positive integer"):
        model.fit(X, validation_data=X, validation_batch_size=2.5)


def test_arguments_have_the_places_that_keras_gives_them():
    model = small_vae()
    assert model.train_on_batch(X, None, None, None, True).keys() == {*model.metrics_names}
    assert model.test_on_batch(X, None, None, True).keys() == {*model.metrics_names}
    assert model.evaluate(X, None, 10, 0, None, 1) == model.evaluate(X[:10], verbose=0)
    assert len(model.predict(X, 10, 0, 1)) == 10
