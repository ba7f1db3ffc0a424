"""A batch that is not finite changes nothing, and is named: on the running backend."""

import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops
from states import largest_difference
from states import state

import keras_vae
from keras_vae import VAE
from keras_vae import NonFiniteError
from keras_vae import Term
from keras_vae.steps import guard

X = BY_NAME["vae"].data()


@keras.saving.register_keras_serializable(package="tests")
class Poisoned(VAE):
    """A VAE with a cost that is poisoned at one update: its value, or the gradient alone."""

    def __init__(self, encoder, decoder, at=2, what="value", **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.at, self.what = at, what

    def objective(self):
        return {**super().objective(), "poison": Term()}

    def terms(self, x, c=None, training=False):
        found = super().terms(x, c, training)
        zero = 0.0 * ops.abs(found["kl"])
        if not training:
            return {**found, "poison": zero}
        is_now = ops.cast(self.optimizer.iterations, "int32") == self.at
        if self.what == "value":
            poison = ops.where(is_now, np.float32("nan"), zero)
        else:  # 0, of infinite slope
            poison = ops.sqrt(ops.where(is_now, zero, zero + 1.0)) - ops.cast(
                ops.logical_not(is_now), "float32"
            )
        return {**found, "poison": poison}


def poisoned(what, optimizer=None, **kwargs):
    keras.utils.set_random_seed(0)
    of_vae = BY_NAME["vae"].model()
    model = Poisoned(of_vae.encoder, of_vae.decoder, what=what, seed=0, **kwargs)
    model.compile(optimizer or keras.optimizers.Adam(1e-2))
    return model


def after_two_updates(**kwargs):
    """Returns the state of a model that has made two updates, the third batch never seen."""
    model = poisoned(**kwargs)
    model.fit(X[:4], batch_size=2, shuffle=False, verbose=0)
    return state(model)


@pytest.mark.parametrize("what", ["value", "gradient"])
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.Adam(1e-2),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        lambda: keras.optimizers.Lion(1e-3, clipnorm=1.0),
    ],
)
def test_what_is_not_finite_changes_nothing(what, optimizer):
    model = poisoned(what, optimizer())
    with pytest.raises(NonFiniteError, match="batch 3 of epoch 1") as raised:
        model.fit(X, batch_size=2, epochs=2, shuffle=False, verbose=0)
    assert raised.value.names == ["poison" if what == "value" else "gradient"] or (
        what == "value" and raised.value.names == ["poison", "gradient"]
    )
    assert (raised.value.epoch, raised.value.batch) == (1, 3)
    expected = after_two_updates(what=what, optimizer=optimizer())
    streams = {k: expected[k] for k in ("training_stream", "evaluation_stream")}
    assert largest_difference({**state(model), **streams}, expected) == 0.0


def test_the_model_can_be_trained_on():
    model = poisoned("value")
    with pytest.raises(NonFiniteError):
        model.fit(X, batch_size=2, shuffle=False, verbose=0)
    model.at = -1
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(X, batch_size=2, shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_one_batch_at_a_time():
    model = poisoned("value")
    model.train_on_batch(X[:4])
    model.train_on_batch(X[:4])
    before = state(model)
    with pytest.raises(NonFiniteError, match="poison"):
        model.train_on_batch(X[:4])
    streams = {k: before[k] for k in ("training_stream", "evaluation_stream")}
    assert largest_difference({**state(model), **streams}, before) == 0.0


def test_a_learning_rate_that_diverges():
    model = BY_NAME["vae"].model()
    model.compile(keras.optimizers.SGD(1e10))
    with pytest.raises(NonFiniteError, match="learning rate"):
        model.fit(X, batch_size=4, epochs=40, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_a_gradient_whose_square_overflows_does_not_reach_an_optimizer_that_squares_it():
    encoder, decoder = keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    model = VAE(encoder, decoder, kl_weight=1e25, seed=0)
    model.compile(keras.optimizers.Adam(1e-3))
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match="gradient"):
        model.fit(np.ones((8, 6), "float32"), batch_size=4, verbose=0)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert all(np.isfinite(ops.convert_to_numpy(v)).all() for v in model.optimizer.variables)


def test_it_is_seen_within_an_epoch():
    """The epoch would be of 10,000 batches."""
    seen = []

    def batches():
        while True:
            seen.append(1)
            yield (X[:4],)

    model = poisoned("value")
    with pytest.raises(NonFiniteError, match="batch 3"):
        model.fit(batches(), steps_per_epoch=10_000, verbose=0)
    assert len(seen) < 100


def test_a_codebook_that_learns_without_gradients_stays():
    family = BY_NAME["vqvae"]
    model, x = family.compiled(keras.optimizers.SGD(1e20)), family.data()
    before = state(model)
    with pytest.raises(NonFiniteError):
        model.fit(x, batch_size=4, epochs=20, verbose=0)
    assert all(np.isfinite(v).all() for v in state(model).values())
    assert before.keys() == state(model).keys()


@pytest.mark.parametrize("name", ["x", "z_size", "a_size"])
def test_a_term_of_any_name_counts_and_names_come_in_the_order_of_the_objective(name):
    class Sized(VAE):
        def objective(self):
            return {**super().objective(), name: Term(train=0.1)}

        def terms(self, x, c=None, training=False):
            found = super().terms(x, c, training)
            return {**found, name: found["reconstruction"] * np.float32(np.inf)}

    of_vae = BY_NAME["vae"].model()
    model = Sized(of_vae.encoder, of_vae.decoder, seed=0)
    model.compile("sgd")
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match="no update had been made yet") as caught:
        model.fit(X, batch_size=4, verbose=0)
    assert caught.value.names == [name, "gradient"]
    with pytest.raises(NonFiniteError) as caught:
        model.fit(X, sample_weight=np.full(len(X), 3e38), batch_size=4, verbose=0)
    assert caught.value.names == ["reconstruction", "kl", name, "gradient"]
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_the_state_after_good_and_bad_batches():
    found, of_guard = ops.zeros(3, "int32"), guard.Guard()
    for is_finite in ([1, 1, 1, 0], [1, 0, 1, 1], [0, 1, 1, 1]):  # the last number is no reason
        found = of_guard.after(found, ops.cast(is_finite, "bool"))
    assert ops.convert_to_numpy(found).tolist() == [3, 2, 0b0010]
    with pytest.raises(NonFiniteError, match="'b' became NaN or infinite in batch 2 of epoch 5"):
        guard.check(ops.convert_to_numpy(found), ["a", "b", "gradient", "x"], epoch=4)
    guard.check(np.zeros(3, "int32"), ["a", "x"], epoch=0)


def test_it_is_public():
    assert keras_vae.NonFiniteError is guard.NonFiniteError
    assert issubclass(NonFiniteError, FloatingPointError)
