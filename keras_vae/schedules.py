"""Schedules for the weights of loss terms: functions of the number of updates made so far.

They share the interface of `keras.optimizers.schedules.LearningRateSchedule`, so each of Keras'
own schedules can serve as a weight too. A schedule is evaluated at `optimizer.iterations` inside
the compiled step, so training resumes exactly where a saved model left off, and with gradient
accumulation each update counts as one step.
"""

from typing import Any
from typing import TypeAlias

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.checks import is_number
from keras_vae.typing import Tensor
from keras_vae.typing import Weight

Schedule: TypeAlias = keras.optimizers.schedules.LearningRateSchedule


@keras.saving.register_keras_serializable(package="keras_vae")
class LinearAnnealing(Schedule):
    """Moves linearly from `start` to `end`, then stays: w(t) = start + (end - start) min(t / T, 1).

    Args:
        num_steps: Integer, the number of updates T.
        start: Float, the weight before the first update.
        end: Float, the weight from update T on.

    Raises:
        ValueError: If `num_steps` is not a positive integer.

    Reference:
        - [Bowman et al., 2016](https://arxiv.org/abs/1511.06349), section 3.1
    """

    def __init__(self, num_steps: int, start: float = 0.0, end: float = 1.0) -> None:
        self.num_steps, self.start, self.end = check_count("num_steps", num_steps), start, end

    def __call__(self, step: Tensor) -> Tensor:
        progress = ops.minimum(ops.cast(step, "float32") / self.num_steps, 1.0)
        return self.start + (self.end - self.start) * progress

    def get_config(self) -> dict[str, Any]:
        return {"num_steps": self.num_steps, "start": self.start, "end": self.end}


@keras.saving.register_keras_serializable(package="keras_vae")
class SigmoidAnnealing(Schedule):
    """Rises along a logistic curve: w(t) = end * sigmoid(steepness (2t / T - 1)).

    Args:
        num_steps: Integer, the number of updates T; the weight at T / 2 is end / 2.
        steepness: Float; the weight at t = 0 is end * sigmoid(-steepness).
        end: Float, the weight approached in the limit.

    Raises:
        ValueError: If `num_steps` is not a positive integer.

    Reference:
        - [Bowman et al., 2016](https://arxiv.org/abs/1511.06349), section 3.1
    """

    def __init__(self, num_steps: int, steepness: float = 6.0, end: float = 1.0) -> None:
        self.num_steps = check_count("num_steps", num_steps)
        self.steepness, self.end = steepness, end

    def __call__(self, step: Tensor) -> Tensor:
        progress = ops.cast(step, "float32") / self.num_steps
        return self.end * ops.sigmoid(self.steepness * (2 * progress - 1))

    def get_config(self) -> dict[str, Any]:
        return {"num_steps": self.num_steps, "steepness": self.steepness, "end": self.end}


@keras.saving.register_keras_serializable(package="keras_vae")
class CyclicAnnealing(Schedule):
    """Rises linearly from 0 to `end` in each of several cycles, and stays at `end` after the last.

    A cycle takes T / num_cycles updates. The weight rises during the fraction `ramp` of it, and is
    constant for the rest.

    Args:
        num_steps: Integer, the number of updates T of all cycles together.
        num_cycles: Integer, the number of cycles.
        ramp: Float in (0, 1], the fraction of a cycle during which the weight rises.
        end: Float, the weight reached in each cycle.

    Raises:
        ValueError: If `num_steps` or `num_cycles` is not a positive integer, or if `ramp` does
            not lie in (0, 1].

    Reference:
        - [Fu et al., 2019](https://arxiv.org/abs/1903.10145), equation 6
    """

    def __init__(
        self, num_steps: int, num_cycles: int = 4, ramp: float = 0.5, end: float = 1.0
    ) -> None:
        self.num_steps = check_count("num_steps", num_steps)
        self.num_cycles = check_count("num_cycles", num_cycles)
        if not 0 < ramp <= 1:
            raise ValueError(f"`ramp` must lie in (0, 1]. Received: {ramp!r}.")
        self.ramp, self.end = ramp, end

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "float32")
        cycles_done = step * self.num_cycles / self.num_steps
        within = cycles_done - ops.floor(cycles_done)  # of the current cycle, in [0, 1)
        rising = self.end * ops.minimum(within / self.ramp, 1.0)
        return ops.where(step >= self.num_steps, ops.full_like(rising, self.end), rising)

    def get_config(self) -> dict[str, Any]:
        return {
            "num_steps": self.num_steps,
            "num_cycles": self.num_cycles,
            "ramp": self.ramp,
            "end": self.end,
        }


@keras.saving.register_keras_serializable(package="keras_vae")
class ExponentialAnnealing(Schedule):
    """Decays exponentially to a floor: w(t) = max(end, start * exp(-rate t)).

    It is meant for the temperature of Gumbel-softmax draws, which must not reach 0. (Keras' own
    `ExponentialDecay` has no floor.)

    Args:
        rate: Positive float, the rate per update: with 3e-5 the value halves in 23,000 updates.
        start: Float, the value before the first update.
        end: Float, the lowest value.

    Raises:
        ValueError: If `rate` is not greater than 0.

    Reference:
        - [Jang et al., 2017](https://arxiv.org/abs/1611.01144), section 4.2
    """

    def __init__(self, rate: float, start: float = 1.0, end: float = 0.5) -> None:
        if not rate > 0:
            raise ValueError(f"`rate` must be greater than 0. Received: {rate!r}.")
        self.rate, self.start, self.end = rate, start, end

    def __call__(self, step: Tensor) -> Tensor:
        return ops.maximum(self.start * ops.exp(-self.rate * ops.cast(step, "float32")), self.end)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "start": self.start, "end": self.end}


def check_weight(name: str, value: Any) -> Weight:
    """Returns `value`, a number as a float.

    Raises:
        ValueError: If `value` is neither a finite number of at least 0 nor a schedule.
    """
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if callable(value) or (is_number and value >= 0 and np.isfinite(value)):
        return float(value) if is_number else value
    raise ValueError(
        f"`{name}` must be a number of at least 0, or a schedule such as "
        f"keras_vae.LinearAnnealing(num_steps). Received: {value!r}."
    )


def check_temperature(value: Any) -> Weight:
    """Returns `value`, a number as a float.

    Raises:
        ValueError: If `value` is neither a finite number greater than 0 nor a schedule.
    """
    if callable(value):
        return value
    if not (is_number(value) and 0 < value < np.inf):
        raise ValueError(
            "`temperature` must be a finite number greater than 0, or a schedule such as "
            f"keras_vae.ExponentialAnnealing(rate). Received: {value!r}."
        )
    return float(value)
