"""The running backend's train step, against Keras' own and against sums made by hand."""

import copy

import keras
import numpy as np
import pytest
from families import BY_NAME
from families import PICTURE
from families import VECTOR
from families import mlp
from keras import layers
from keras import ops
from states import largest_difference
from states import state

from keras_vae import VAE
from keras_vae import Autoencoder
from keras_vae import GaussianLikelihood
from keras_vae import GenerativeModel
from keras_vae import Term

X = np.random.default_rng(0).normal(size=(64, *VECTOR)).astype("float32")


class Oracle(VAE):
    """The same objective, trained by Keras' own step through `compute_loss`."""

    train_step = keras.Model.train_step

    def compile(self, optimizer):
        super().compile(optimizer)
        self._tracker.unlock()
        self._loss_tracker = keras.metrics.Mean(name="loss")  # which Keras' step updates

    def call(self, x, training=False):
        return self.terms(x, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        weights = {k: term.train for k, term in self.objective().items() if term.teaches}
        num_examples = ops.cast(ops.shape(x)[0], "float32")
        weigh = 1.0 if sample_weight is None else sample_weight
        cost = sum(w * ops.mean(y_pred[k] * weigh) for k, w in weights.items())
        loss = cost + sum(self.losses)
        names = self.term_means.names
        weights = [num_examples * float(name == "loss") for name in names]
        weights = ops.stack([ops.convert_to_tensor(w) for w in weights])
        self.term_means.update_state(loss * weights, weights)
        return loss


def regularised(data_shape):
    """Returns an encoder and a decoder with penalties on a kernel and on an activity."""
    x = keras.Input(data_shape)
    h = layers.Dense(6, "tanh", kernel_regularizer=keras.regularizers.L2(0.1))(x)
    h = layers.Dense(4, activity_regularizer=keras.regularizers.L2(0.3), name="activity")(h)
    encoder = keras.Model(x, [layers.Dense(2)(h), layers.Dense(2)(h)], name="encoder")
    return encoder, mlp(data_shape, 2)[1]


@pytest.mark.parametrize("weighed", [False, True])
def test_trains_as_the_default_step_does(weighed):
    found = []
    for model_class in (VAE, Oracle):
        keras.utils.set_random_seed(0)
        networks = regularised(VECTOR)
        model = model_class(*networks, GaussianLikelihood(), kl_weight=0.7, free_bits=0.2, seed=0)
        optimizer = keras.optimizers.Adam(
            1e-2, clipnorm=0.5, weight_decay=0.1, use_ema=True, ema_overwrite_frequency=3
        )
        model.compile(optimizer)
        weights = np.linspace(0, 2, len(X), dtype="float32") if weighed else None
        history = model.fit(X, batch_size=16, epochs=3, sample_weight=weights, verbose=0).history
        found.append((state(model), history["loss"]))
    (ours, our_loss), (theirs, their_loss) = found
    # Bit for bit on most machines; a compiler may fuse the two graphs differently on another CPU,
    # which costs the last bit.
    assert largest_difference(ours, theirs) <= 1e-6
    np.testing.assert_allclose(our_loss, their_loss, rtol=1e-6)


# Optimizers.


def autoencoder(optimizer, dtype_policy="float32"):
    """Returns a model without noise."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(dtype_policy)
    model = Autoencoder(*mlp(VECTOR), GaussianLikelihood(), seed=0)
    model.compile(optimizer)
    return model


def step(optimizer, x=X, batch_size=64):
    """Returns the change that one epoch makes, as one vector, and the weights before."""
    model = autoencoder(optimizer)
    before = flat(model)
    model.fit(x, batch_size=batch_size, shuffle=False, verbose=0)
    return flat(model) - before, before


def flat(model):
    weights = [ops.convert_to_numpy(v).ravel() for v in model.trainable_variables]
    return np.concatenate(weights).astype("float64")


@pytest.fixture(scope="module")
def gradient():
    """The gradient of the mean cost of X."""
    change, _ = step(keras.optimizers.SGD(1.0))
    return -change


@pytest.mark.parametrize("optimizer", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_accumulating_four_batches_of_16_is_one_of_64(optimizer):
    whole, _ = step(optimizer(0.1))
    parts, _ = step(optimizer(0.1, gradient_accumulation_steps=4), batch_size=16)
    assert np.abs(whole).max() > 1e-3
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_global_clipnorm_and_loss_scale_factor(gradient):
    norm = np.linalg.norm(gradient)
    assert norm > 0.1
    change, _ = step(keras.optimizers.SGD(1.0, global_clipnorm=0.1))
    np.testing.assert_allclose(change, -gradient * 0.1 / norm, atol=1e-6)
    # The cost is scaled before the gradient, and the gradient back: nothing changes.
    change, _ = step(keras.optimizers.SGD(1.0, loss_scale_factor=1024.0))
    np.testing.assert_allclose(change, -gradient, atol=1e-6)


def test_clipnorm_of_each_variable():
    model = autoencoder(keras.optimizers.SGD(1.0, clipnorm=1e-3))
    before = model.get_weights()
    model.train_on_batch(X)
    changes = [np.linalg.norm(a - b) for a, b in zip(model.get_weights(), before, strict=True)]
    clipped = [c for c in changes if c > 0]
    assert len(clipped) == len(changes) - 2  # the log-variance of the encoder is not used
    np.testing.assert_allclose(clipped, 1e-3, rtol=1e-3)


def test_weight_decay(gradient):
    change, before = step(keras.optimizers.SGD(0.5, weight_decay=0.2))
    # Decayed by learning rate times weight decay (decoupled), then moved.
    np.testing.assert_allclose(change, -0.5 * gradient - 0.5 * 0.2 * before, atol=1e-6)


def test_exponential_moving_average_of_two_updates():
    first, _ = step(keras.optimizers.SGD(1.0), X[:32])
    both, _ = step(keras.optimizers.SGD(1.0), batch_size=32)
    averaged = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.75)
    change, _ = step(averaged, batch_size=32)
    # It begins at the weights after the first update, and replaces them when `fit` ends.
    np.testing.assert_allclose(change, 0.75 * first + 0.25 * both, atol=1e-6)


def test_sgd_in_half_precision_moves_as_in_float32(gradient):
    model = autoencoder(keras.optimizers.SGD(1.0), "mixed_float16")
    before = flat(model)
    for _ in range(20):  # a step that overflows is skipped and halves the scale
        model.train_on_batch(X)
        if int(model.optimizer.iterations) == 1:
            break
    change = flat(model) - before
    assert np.linalg.norm(change + gradient) < 0.02 * np.linalg.norm(gradient)


# Costs.


def test_regularisers_count_in_training_and_not_in_evaluation():
    keras.utils.set_random_seed(0)
    model = Autoencoder(*regularised(VECTOR), GaussianLikelihood(), seed=0)
    model.compile(keras.optimizers.SGD(0.0))
    x = X[:8]
    kernel = ops.convert_to_numpy(model.encoder.layers[1].kernel)
    activity = keras.Model(model.encoder.input, model.encoder.get_layer("activity").output)
    squares = np.sum(np.square(ops.convert_to_numpy(activity(x))))
    penalty = 0.1 * np.sum(np.square(kernel)) + 0.3 * squares / len(x)
    for _ in range(2):
        logs = model.train_on_batch(x, return_dict=True)
        np.testing.assert_allclose(logs["loss"], logs["reconstruction"] + penalty, rtol=1e-5)
        logs = model.test_on_batch(x, return_dict=True)
        np.testing.assert_allclose(logs["loss"], logs["reconstruction"], rtol=1e-6)


def test_a_frozen_part_stays_and_the_rest_moves():
    keras.utils.set_random_seed(0)
    model = VAE(*mlp(PICTURE), seed=0)
    model.encoder.trainable = False
    model.compile(keras.optimizers.AdamW(1e-2, weight_decay=0.5))
    encoder, decoder = model.encoder.get_weights(), model.decoder.get_weights()
    model.fit(BY_NAME["vae"].data(), batch_size=4, verbose=0)
    assert all(map(np.array_equal, encoder, model.encoder.get_weights()))
    assert not any(map(np.array_equal, decoder, model.decoder.get_weights()))


# Two groups of weights.


@keras.saving.register_keras_serializable(package="keras_vae_tests")
class Tug(GenerativeModel):
    """Two numbers g and c that pull on s = c g x: g descends s, c descends s^2 / 2."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.generator = layers.Dense(1, use_bias=False, name="generator")
        self.critic = layers.Dense(1, use_bias=False, name="critic")

    def known_shape(self):
        return (None, 1)

    def call(self, x, training=False):
        return self.critic(self.generator(x))

    def objective(self):
        return {"score": Term(evaluate=1.0), "size": Term(group="critic")}

    def terms(self, x, c=None, training=False):
        score = ops.cast(self(x), "float32")[:, 0]
        return {"score": score, "size": ops.square(score) / 2}

    def numbers(self):
        return [float(ops.convert_to_numpy(p.kernel)[0, 0]) for p in (self.generator, self.critic)]


def two_optimizers():
    return {"main": keras.optimizers.SGD(1.0), "critic": keras.optimizers.SGD(0.1)}


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize(
    "make, rates",
    [(lambda: keras.optimizers.SGD(1.0), (1.0, 1.0)), (two_optimizers, (1.0, 0.1))],
    ids=["one", "two"],
)
def test_each_group_descends_its_own_cost_only(make, rates, policy):
    keras.config.set_dtype_policy(policy)
    model = Tug(seed=0)
    model.compile(make())
    model.generator.kernel.assign([[0.5]])
    model.critic.kernel.assign([[2.0]])
    x = np.array([[0.1], [0.3]], "float32")  # small enough for float16 at the initial loss scale
    mean, mean_square = 0.2, 0.05
    g, c = 0.5, 2.0
    for _ in range(3):
        logs = model.train_on_batch(x, return_dict=True)
        score, size = c * g * mean, (c * g) ** 2 * mean_square / 2
        np.testing.assert_allclose([logs["score"], logs["size"]], [score, size], rtol=1e-2)
        np.testing.assert_allclose(logs["loss"], score + size, rtol=1e-2)
        # d mean(s) / dg = c mean(x), d mean(s^2 / 2) / dc = c g^2 mean(x^2), at the same time
        g, c = g - rates[0] * c * mean, c - rates[1] * c * g**2 * mean_square
        tolerance = 1e-6 if policy == "float32" else 1e-2
        np.testing.assert_allclose(model.numbers(), [g, c], atol=tolerance)
    assert int(model.optimizer.iterations) == 3


@pytest.mark.parametrize("frozen", ["generator", "critic"])
def test_a_frozen_group_stays_and_the_other_descends(frozen):
    model = Tug(seed=0)
    getattr(model, frozen).trainable = False
    model.compile(keras.optimizers.SGD(1.0))
    model.generator.kernel.assign([[0.5]])
    model.critic.kernel.assign([[2.0]])
    model.train_on_batch(np.array([[0.1], [0.3]], "float32"))
    g, c = (0.5, 2.0 - 2.0 * 0.5**2 * 0.05) if frozen == "generator" else (0.5 - 2.0 * 0.2, 2.0)
    np.testing.assert_allclose(model.numbers(), [g, c], rtol=1e-6)


def test_a_variable_in_no_group_is_named():
    class Forgetful(Tug):
        def objective(self):
            return {"score": Term(evaluate=1.0, group="generator"), "size": Term(train=0.0)}

    model = Forgetful(seed=0)
    model.compile(keras.optimizers.SGD(1.0))
    with pytest.raises(ValueError, match=r"leaves out \['.*critic/kernel'\]"):
        model.train_on_batch(np.ones((2, 1), "float32"))


def test_groups_train_through_fit_and_after_loading(tmp_path):
    x = np.ones((8, 1), "float32")
    whole, half = Tug(seed=0), Tug(seed=0)
    half.set_weights(whole.get_weights())
    for model in (whole, half):
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9))
    whole.fit(x, batch_size=4, epochs=4, verbose=0)
    half.fit(x, batch_size=4, epochs=2, verbose=0)
    half.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.fit(x, batch_size=4, epochs=4, initial_epoch=2, verbose=0)
    assert loaded.numbers() == whole.numbers()


@pytest.mark.parametrize("name", ["vae", "vqvae"])
def test_a_callback_may_use_the_model_after_a_batch(name, tmp_path):
    family = BY_NAME[name]
    x, found = family.data(), []

    def results(model):
        return {
            "reconstruction": model.reconstruct(x),
            "prediction": model.predict(x, verbose=0),
            "evaluation": model.evaluate(x, batch_size=len(x), verbose=0, return_dict=True),
        }

    def use(model):
        model.noise.reset_evaluation()
        found.append(results(model))
        copies = copy.deepcopy(model), keras.models.clone_model(model)
        copies[1].set_weights(model.get_weights())
        assert {c.weights_sha256() for c in copies} == {model.weights_sha256()}
        model.save(tmp_path / f"{len(found)}.keras")
        model.save_to_preset(tmp_path / str(len(found)))

    def go_on(model):
        model.train_on_batch(x)
        model.fit(x, batch_size=len(x), verbose=0)

    alone, used = family.compiled(), family.compiled()
    after_each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: use(used))
    for model, callbacks in [(alone, []), (used, [after_each])]:
        model.fit(x, batch_size=len(x) // 2, epochs=2, verbose=0, callbacks=callbacks)
    for a, b in zip(alone.get_weights(), used.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)

    loaded = keras.models.load_model(tmp_path / "3.keras")
    loaded.noise.reset_evaluation()
    keras.tree.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
        results(loaded),
        found[2],
    )
    preset = type(used).from_preset(tmp_path / "3")
    np.testing.assert_allclose(preset.reconstruct(x), found[2]["reconstruction"], atol=1e-5)
    again = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: go_on(used))
    used.fit(x, batch_size=len(x) // 2, verbose=0, callbacks=[again])
    assert used.optimizer.iterations == 10
    differences = [np.abs(f["reconstruction"] - found[3]["reconstruction"]).max() for f in found]
    assert differences[2] > 1e-6  # each is of the weights of its batch
