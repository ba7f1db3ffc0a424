"""Schedules for the weights of terms: functions of the number of updates made so far.

They share the interface of `keras.optimizers.schedules.LearningRateSchedule`, so each of Keras'
own schedules serves as a weight too. A schedule is read inside the compiled step from
`optimizer.iterations`: it resumes exactly where a saved model left off, and gradient
accumulation counts one step an update.
"""

import keras
import numpy as np
from keras import ops

Schedule = keras.optimizers.schedules.LearningRateSchedule


def _check(num_steps, **others):
    for name, value in {"num_steps": num_steps, **others}.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {value!r}.")


@keras.saving.register_keras_serializable(package="keras_vae")
class LinearAnnealing(Schedule):
    """Rises from `start` to `end` along a line, then stays: w(t) = start + (end - start) t / T.

    Args:
        num_steps: int, T, in updates.
        start: float, the weight before the first update.
        end: float, the weight from update T on.

    Reference: Bowman et al. 2016, "Generating Sentences from a Continuous Space", section 3.1.
    """

    def __init__(self, num_steps, start=0.0, end=1.0):
        _check(num_steps)
        self.num_steps, self.start, self.end = num_steps, start, end

    def __call__(self, step):
        progress = ops.minimum(ops.cast(step, "float32") / self.num_steps, 1.0)
        return self.start + (self.end - self.start) * progress

    def get_config(self):
        return {"num_steps": self.num_steps, "start": self.start, "end": self.end}


@keras.saving.register_keras_serializable(package="keras_vae")
class SigmoidAnnealing(Schedule):
    """Rises along a logistic curve: w(t) = end * sigmoid(steepness (2t / T - 1)).

    Args:
        num_steps: int, T, in updates; the weight is end / 2 at T / 2.
        steepness: float; at t = 0 the weight is end * sigmoid(-steepness).
        end: float, the weight approached.

    Reference: Bowman et al. 2016, "Generating Sentences from a Continuous Space", section 3.1.
    """

    def __init__(self, num_steps, steepness=6.0, end=1.0):
        _check(num_steps)
        self.num_steps, self.steepness, self.end = num_steps, steepness, end

    def __call__(self, step):
        progress = ops.cast(step, "float32") / self.num_steps
        return self.end * ops.sigmoid(self.steepness * (2 * progress - 1))

    def get_config(self):
        return {"num_steps": self.num_steps, "steepness": self.steepness, "end": self.end}


@keras.saving.register_keras_serializable(package="keras_vae")
class CyclicAnnealing(Schedule):
    """Rises from 0 to `end` along a line in each of several cycles, and stays there after them.

    Within a cycle of T / num_cycles updates the first `ramp` of it is the line, the rest is flat.

    Args:
        num_steps: int, T, in updates, for all cycles together.
        num_cycles: int.
        ramp: float in (0, 1], the part of a cycle that rises.
        end: float, the weight reached.

    Reference: Fu et al. 2019, "Cyclical Annealing Schedule: A Simple Approach to Mitigating KL
    Vanishing", equation 6.
    """

    def __init__(self, num_steps, num_cycles=4, ramp=0.5, end=1.0):
        _check(num_steps, num_cycles=num_cycles)
        if not 0 < ramp <= 1:
            raise ValueError(f"`ramp` must lie in (0, 1]. Received: {ramp!r}.")
        self.num_steps, self.num_cycles, self.ramp, self.end = num_steps, num_cycles, ramp, end

    def __call__(self, step):
        step = ops.cast(step, "float32")
        cycles_done = step * self.num_cycles / self.num_steps
        within = cycles_done - ops.floor(cycles_done)  # (0..1) of the current cycle
        rising = self.end * ops.minimum(within / self.ramp, 1.0)
        return ops.where(step >= self.num_steps, ops.full_like(rising, self.end), rising)

    def get_config(self):
        return {
            "num_steps": self.num_steps,
            "num_cycles": self.num_cycles,
            "ramp": self.ramp,
            "end": self.end,
        }


@keras.saving.register_keras_serializable(package="keras_vae")
class ExponentialAnnealing(Schedule):
    """Falls exponentially, down to a floor: w(t) = max(end, start * exp(-rate t)).

    It is the temperature of Gumbel-softmax draws, which must not reach 0. (Keras' own
    `ExponentialDecay` has no floor.)

    Args:
        rate: float greater than 0, per update: 3e-5 takes 23,000 updates from 1 to 1/2.
        start: float, the value before the first update.
        end: float, the least value.

    Reference: Jang, Gu, Poole 2017, "Categorical Reparameterization with Gumbel-Softmax",
    section 4.2.
    """

    def __init__(self, rate, start=1.0, end=0.5):
        if not rate > 0:
            raise ValueError(f"`rate` must be greater than 0. Received: {rate!r}.")
        self.rate, self.start, self.end = rate, start, end

    def __call__(self, step):
        return ops.maximum(self.start * ops.exp(-self.rate * ops.cast(step, "float32")), self.end)

    def get_config(self):
        return {"rate": self.rate, "start": self.start, "end": self.end}


def check_weight(name, value):
    """Returns `value` where it is a number of at least 0, or a schedule.

    Raises:
        ValueError: it is neither.
    """
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if callable(value) or (is_number and value >= 0 and np.isfinite(value)):
        return float(value) if is_number else value
    raise ValueError(
        f"`{name}` must be a number of at least 0, or a schedule such as "
        f"keras_vae.LinearAnnealing(num_steps). Received: {value!r}."
    )
