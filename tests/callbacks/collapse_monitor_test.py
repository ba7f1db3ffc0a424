import csv
import warnings

import keras
import numpy as np
import pytest
from families import BATCH_SIZE
from families import BY_NAME
from linear_gaussian import linear_gaussian_vae
from states import largest_difference
from states import state

from keras_vae import VAE
from keras_vae import GaussianLikelihood
from keras_vae import evaluation
from keras_vae.callbacks import CollapseMonitor
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Mixture

pytestmark = pytest.mark.compiled_once

JIT = keras.config.backend() == "jax"  # compiling takes longer than these few steps


def user_warnings(caught):
    return [str(w.message) for w in caught if w.category is UserWarning]


def fit(model, x, epochs, monitor):
    """Returns the history and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(x, epochs=epochs, callbacks=[monitor], verbose=0).history
    return history, user_warnings(caught)


@pytest.fixture
def healthy():
    """A VAE that is trained already, and data of it."""
    model, parameters = linear_gaussian_vae()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3)) @ parameters["weights"] + parameters["mean"]
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=JIT)
    return model, x.astype("float32")


def test_a_healthy_model_is_measured_and_left_in_peace(healthy):
    model, x = healthy
    monitor = CollapseMonitor(x)
    history, messages = fit(model, x, 3, monitor)
    assert messages == []
    assert history["active_units"] == [3, 3, 3]
    # What was measured in the middle of `fit` is what the trained model has.
    np.testing.assert_array_equal(monitor.active, evaluation.active_units(model, x))
    assert monitor.kl == pytest.approx(evaluation.kl_per_dimension(model, x).sum(), rel=1e-5)
    model.optimizer.learning_rate = 0.1  # the numbers move with the weights
    before = monitor.kl
    fit(model, x, 1, monitor)
    assert monitor.kl == pytest.approx(evaluation.kl_per_dimension(model, x).sum(), rel=1e-5)
    assert abs(monitor.kl - before) > 1e-3


def test_a_model_trained_with_a_huge_kl_weight_is_reported_once(healthy):
    encoder, decoder = healthy[0].encoder, healthy[0].decoder
    model = VAE(encoder, decoder, GaussianLikelihood(1.0), kl_weight=1000.0, seed=0)
    model.compile(keras.optimizers.Adam(0.05), jit_compile=JIT)
    x = healthy[1]
    monitor = CollapseMonitor(x)
    history, messages = fit(model, x, 12, monitor)
    assert history["active_units"][-1] == 0
    assert monitor.kl < 0.1
    assert len(messages) == 1
    for words in ("Posterior collapse after epoch", "nats", "LinearAnnealing", "`free_bits`"):
        assert words in messages[0]
    _, messages = fit(model, x, 1, monitor)  # a new run is told anew
    assert "3 of 3 latent units are inactive (0, 1, 2)" in messages[0]


def cut(model, units):
    """Makes units of a linear model forget x."""
    for name in ("z_mean", "z_log_var"):
        kernel, bias = model.encoder.get_layer(name).get_weights()
        kernel[:, units], bias[units] = 0, 0
        model.encoder.get_layer(name).set_weights([kernel, bias])


def test_inactive_units_are_told_of_at_the_end(healthy):
    model, x = healthy
    cut(model, [0, 2])
    model.optimizer.learning_rate = 0.0
    history, messages = fit(model, x, 2, CollapseMonitor(x))
    assert history["active_units"] == [1, 1]
    assert len(messages) == 1
    assert "2 of 3 latent units are inactive (0, 2)" in messages[0]
    assert "`latent_dim` closer to 1" in messages[0]


def test_the_thresholds_are_those_given(healthy):
    model, x = healthy
    model.optimizer.learning_rate = 0.0
    variance = np.var(keras.ops.convert_to_numpy(model.encode(x).mean), axis=0)
    history, _ = fit(model, x, 1, CollapseMonitor(x, threshold=np.sort(variance)[1] * 0.99))
    assert history["active_units"] == [2]
    kl = float(evaluation.kl_per_dimension(model, x).sum())
    assert fit(model, x, 1, CollapseMonitor(x, min_kl=kl * 0.99))[1] == []
    (message,) = fit(model, x, 1, CollapseMonitor(x, min_kl=kl * 1.01))[1]
    assert f"{kl:.3g} nats and 0 of 3 latent units are inactive, so" in message


def test_many_inactive_units_are_named_in_part():
    monitor = CollapseMonitor(np.zeros((1, 1)))
    monitor.active = np.zeros((2, 4), bool)
    assert monitor._inactive() == (
        "8 of 8 latent units are inactive ((0, 0), (0, 1), (0, 2), (0, 3), (1, 0), ...)"
    )


def test_every_other_epoch(healthy, tmp_path):
    model, x = healthy
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    monitor = CollapseMonitor(x, every=2)
    history = model.fit(x, epochs=5, callbacks=[monitor], verbose=0).history
    assert len(history["active_units"]) == 2
    assert len(history["kl"]) == 5
    model.fit(x, epochs=1, callbacks=[CollapseMonitor(x), log], verbose=0)
    with open(tmp_path / "log.csv") as file:
        assert [row["active_units"] for row in csv.DictReader(file)] == ["3"]


def test_training_goes_on_as_without_it():
    family, states = BY_NAME["annealed_vae"], []
    x = family.data()
    for callbacks in ([], [CollapseMonitor(x[:5])]):
        model = family.compiled(jit_compile=JIT)
        model.fit(x, batch_size=BATCH_SIZE, epochs=3, callbacks=callbacks, verbose=0)
        states.append(state(model))
    assert largest_difference(*states) == 0.0


@pytest.mark.skipif(keras.config.backend() == "torch", reason="torch runs eagerly")
def test_it_is_compiled_once(healthy):
    model, x = healthy
    traces, encode = [], model.encode

    def counted(x, condition=None, training=False):
        traces.append(training)
        return encode(x, condition, training)

    model.encode = counted
    fit(model, x, 3, CollapseMonitor(x))
    assert traces.count(False) == 1


def test_a_prior_without_closed_form(healthy):
    model, x = healthy
    components = DiagonalGaussian(np.zeros((1, 3)), 0.0)  # the same N(0, I)
    monitor = CollapseMonitor(x)
    model.optimizer.learning_rate = 0.0
    fit(model, x, 1, monitor)
    exact = monitor.kl
    model.prior_given = lambda c=None: Mixture(np.zeros(1), components, batch_ndims=0)
    fit(model, x, 1, monitor)
    assert monitor.kl == pytest.approx(exact, abs=0.5)
    assert monitor.kl != exact


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"every": 0}, "`every`.*positive integer. Received: 0"),
        ({"every": 1.5}, "`every` must be"),
        ({"threshold": -0.1}, "`threshold`.*at least 0. Received: -0.1"),
        ({"min_kl": float("nan")}, "`min_kl` must be a number"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        CollapseMonitor(np.zeros((4, 6)), **arguments)


def test_data_of_another_model_is_refused_before_the_first_step(healthy):
    model, x = healthy
    with pytest.raises(ValueError, match=r"`x`.*shape"):
        model.fit(x, callbacks=[CollapseMonitor(np.zeros((4, 7)))], verbose=0)
    assert int(model.optimizer.iterations) == 0


def test_a_model_without_a_posterior_is_refused_before_the_first_step():
    family = BY_NAME["autoencoder"]
    model, x = family.compiled(), family.data()
    with pytest.raises(ValueError, match=r"Autoencoder has no q\(z\|x\)"):
        model.fit(x, callbacks=[CollapseMonitor(x)], verbose=0)
    assert int(model.optimizer.iterations) == 0
