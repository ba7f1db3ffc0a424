import keras
import numpy as np
import pytest
from families import VECTOR
from families import mlp

from keras_vae import VAE
from keras_vae import GaussianLikelihood
from keras_vae.schedules import CyclicAnnealing
from keras_vae.schedules import ExponentialAnnealing
from keras_vae.schedules import LinearAnnealing
from keras_vae.schedules import SigmoidAnnealing


def values(schedule, steps):
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in steps]


def test_linear_by_hand():
    schedule = LinearAnnealing(num_steps=10, start=0.2, end=1.2)
    np.testing.assert_allclose(values(schedule, [0, 5, 10, 1000]), [0.2, 0.7, 1.2, 1.2], rtol=1e-6)
    falling = LinearAnnealing(num_steps=4, start=1.0, end=0.0)
    np.testing.assert_allclose(values(falling, [0, 1, 4, 5]), [1.0, 0.75, 0.0, 0.0], atol=1e-7)


def test_sigmoid_by_hand():
    schedule = SigmoidAnnealing(num_steps=100, steepness=6.0, end=2.0)
    expected = [2 / (1 + np.exp(-6.0 * (2 * t / 100 - 1))) for t in (0, 25, 50, 75, 100, 300)]
    np.testing.assert_allclose(values(schedule, [0, 25, 50, 75, 100, 300]), expected, rtol=1e-5)


def test_cyclic_by_hand():
    # Two cycles of 10 updates: five that rise, five at the top; then the top for ever.
    schedule = CyclicAnnealing(num_steps=20, num_cycles=2, ramp=0.5, end=3.0)
    steps = [0, 1, 4, 5, 9, 10, 11, 15, 19, 20, 21, 1000]
    expected = [0, 0.6, 2.4, 3, 3, 0, 0.6, 3, 3, 3, 3, 3]
    np.testing.assert_allclose(values(schedule, steps), expected, atol=1e-5)


def test_exponential_by_hand():
    schedule = ExponentialAnnealing(rate=np.log(2) / 10, start=4.0, end=0.5)
    np.testing.assert_allclose(values(schedule, [0, 10, 20, 30, 40]), [4, 2, 1, 0.5, 0.5], 1e-6)
    with pytest.raises(ValueError, match=r"`rate`.*greater than 0"):
        ExponentialAnnealing(0.0)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "schedule",
    [
        LinearAnnealing(7, 0.1, 2.0),
        SigmoidAnnealing(7, 3.0, 2.0),
        CyclicAnnealing(8, 2, 0.3, 2.0),
        ExponentialAnnealing(0.1, 2.0, 1.0),
    ],
    ids=lambda s: type(s).__name__,
)
def test_config_round_trip(schedule):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(again) is type(schedule)
    assert values(again, range(12)) == values(schedule, range(12))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_steps", [0, -5, 1.5, None, True])
def test_number_of_steps_is_checked(num_steps):
    for schedule in (LinearAnnealing, SigmoidAnnealing, CyclicAnnealing):
        with pytest.raises(ValueError, match=r"`num_steps`.*positive integer"):
            schedule(num_steps)


def test_cycles_and_ramp_are_checked():
    with pytest.raises(ValueError, match=r"`num_cycles`.*positive integer"):
        CyclicAnnealing(10, num_cycles=0)
    for ramp in (0, 1.5, -1):
        with pytest.raises(ValueError, match=r"`ramp`.*lie in \(0, 1\]"):
            CyclicAnnealing(10, ramp=ramp)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_steps, num_cycles", [(10, 3), (49, 7), (1000, 7), (20, 6), (7, 3)])
def test_cycles_of_uneven_length_follow_the_formula(num_steps, num_cycles):
    found = values(CyclicAnnealing(num_steps, num_cycles), range(num_steps))
    # tau = mod(t, T/M) / (T/M) (equation 6), in whole numbers
    within = np.arange(num_steps) * num_cycles % num_steps / num_steps
    np.testing.assert_allclose(found, np.minimum(within / 0.5, 1), atol=1e-5)


# Inside a train step.

X = np.random.default_rng(0).normal(size=(4, *VECTOR)).astype("float32")


def vae(kl_weight, optimizer=None, **kwargs):
    model = VAE(*mlp(VECTOR), GaussianLikelihood(), kl_weight=kl_weight, seed=0, **kwargs)
    model.compile(optimizer or keras.optimizers.SGD(1e-3))
    return model


def weights_used(model, updates):
    """Returns the weight that each update gave to the KL term, read off its logs."""
    logs = [model.train_on_batch(X, return_dict=True) for _ in range(updates)]
    return [(log["loss"] - log["reconstruction"]) / log["kl"] for log in logs]


def test_read_from_the_iterations_inside_the_compiled_step_and_after_loading(tmp_path):
    model = vae(LinearAnnealing(4))
    np.testing.assert_allclose(weights_used(model, 3), [0.0, 0.25, 0.5], atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for again in (model, loaded):
        np.testing.assert_allclose(weights_used(again, 3), [0.75, 1.0, 1.0], atol=1e-5)


def test_a_schedule_of_keras_serves_as_a_weight():
    model = vae(keras.optimizers.schedules.PiecewiseConstantDecay([1, 3], [3.0, 2.0, 0.5]))
    np.testing.assert_allclose(weights_used(model, 5), [3.0, 3.0, 2.0, 2.0, 0.5], rtol=1e-4)


def test_accumulation_counts_one_step_an_update():
    optimizer = keras.optimizers.SGD(1e-3, gradient_accumulation_steps=2)
    model = vae(LinearAnnealing(2), optimizer)
    np.testing.assert_allclose(weights_used(model, 5), [0, 0, 0.5, 0.5, 1], atol=1e-5)


def test_evaluation_pays_no_heed_to_schedules():
    model = vae(LinearAnnealing(1000), capacity=LinearAnnealing(1000), free_bits=5.0)
    logs = model.evaluate(X, return_dict=True, verbose=0)
    np.testing.assert_allclose(logs["loss"], logs["reconstruction"] + logs["kl"], rtol=1e-6)


def test_before_compile_no_update_was_made():
    model = VAE(*mlp(VECTOR), GaussianLikelihood(), capacity=LinearAnnealing(4, start=7.0))
    terms = {k: keras.ops.convert_to_numpy(v) for k, v in model.terms(X, training=True).items()}
    np.testing.assert_allclose(terms["capacity"], np.abs(terms["kl"] - 7.0), rtol=1e-5)


def test_numbers_of_numpy_are_numbers():
    schedule = CyclicAnnealing(np.int64(20), num_cycles=np.int32(2))
    assert schedule.get_config() == CyclicAnnealing(20, num_cycles=2).get_config()
    assert all(type(v) in (int, float) for v in schedule.get_config().values())
