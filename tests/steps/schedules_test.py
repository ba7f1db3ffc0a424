import keras
import numpy as np
import pytest

from keras_vae.steps.schedules import CyclicAnnealing
from keras_vae.steps.schedules import LinearAnnealing
from keras_vae.steps.schedules import SigmoidAnnealing


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


@pytest.mark.parametrize(
    "schedule",
    [LinearAnnealing(7, 0.1, 2.0), SigmoidAnnealing(7, 3.0, 2.0), CyclicAnnealing(8, 2, 0.3, 2.0)],
    ids=lambda s: type(s).__name__,
)
def test_config_round_trip(schedule):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(again) is type(schedule)
    assert values(again, range(12)) == values(schedule, range(12))


@pytest.mark.parametrize("num_steps", [0, -5, 1.5, None])
def test_number_of_steps_is_checked(num_steps):
    for schedule in (LinearAnnealing, SigmoidAnnealing, CyclicAnnealing):
        with pytest.raises(ValueError, match="`num_steps` must be a positive integer"):
            schedule(num_steps)


def test_cycles_and_ramp_are_checked():
    with pytest.raises(ValueError, match="`num_cycles` must be a positive integer"):
        CyclicAnnealing(10, num_cycles=0)
    for ramp in (0, 1.5, -1):
        with pytest.raises(ValueError, match=r"`ramp` must lie in \(0, 1\]"):
            CyclicAnnealing(10, ramp=ramp)
