"""What models that may be told something about each example share."""

import keras
import numpy as np
from keras import ops

from keras_vae.conditions.condition import Condition
from keras_vae.models.base.generative_model import GenerativeModel


class ConditionalModel(GenerativeModel):
    """A model p(x), or with a condition p(x|c).

    Args:
        condition: `Condition`, or `None` for an unconditional model.
        seed: int, or `None`; gives noise and the order of the batches.
    """

    sample_batch_size = 128  # draws made at once by `sample`, whatever their number

    def __init__(self, condition=None, seed=None, name=None, dtype=None):
        super().__init__(seed=seed, name=name, dtype=dtype)
        self.condition = _check_condition(condition)

    @property
    def sample_condition(self):
        """The `Condition` of what `sample` is told, or `None`."""
        return self.condition

    def check_condition(self, y, x, name="y"):
        if self.condition is None:
            return super().check_condition(y, x, name)
        return self.condition.check(y, len(x), name)

    def conditions_for(self, condition, num_examples):
        if self.condition is None:
            return super().conditions_for(condition, num_examples)
        return (self.condition.check_for(condition, num_examples),)

    def checked_inputs(self, x):
        if self.condition is None:
            return super().checked_inputs(x)
        if not isinstance(x, list | tuple) or len(x) != 2:
            x = (x, None)  # whose check says what is missing
        return self._checked(*x, names=("x", "condition"))

    def split_inputs(self, inputs):
        """Returns x and the conditions, `None` in an unconditional model, of what `call` is
        given."""
        return (inputs, None) if self.condition is None else inputs

    def embedded(self, condition=None, training=False):
        """Returns c, conditions as networks see them, (B, ...) float32; `None` without any.

        In training some are dropped, where the `Condition` says so.
        """
        if self.condition is None:
            return None
        if condition is None:
            self.condition.check(None, None)
        condition = as_input(condition)
        if training:
            condition = self.condition.drop(condition, self.noise.stream(training))
        return self.condition(condition)

    def given(self, y=None, training=False):
        return self.embedded(y, training)

    def symbolic_pair(self):
        given = () if self.condition is None else (self.condition.symbolic(),)
        return (*super().symbolic_pair(), *given)

    def drawn(self, draw, num_samples, conditions=(), seed=None, size=None):
        """Returns what `draw` gives, called on batches of one size, for `num_samples` examples.

        Args:
            draw: function of a batch of each of the conditions that returns a NumPy array.
            num_samples: int, N.
            conditions: tuple of arrays (N, ...).
            seed: int, or `None` for fresh noise.
            size: int, the size of the batches that `draw` gives.
        """
        size = size or self.sample_batch_size
        pieces = []
        with self.noise.seeded(seed):
            for start in range(0, num_samples, size):
                batch = [np.resize(c[start:], (size, *c.shape[1:])) for c in conditions]
                pieces.append(draw(*batch))
        return np.concatenate(pieces)[:num_samples]


def as_input(x):
    """Returns a tensor of x, or x itself where it is only the shape of one."""
    return x if isinstance(x, keras.KerasTensor) else ops.convert_to_tensor(x)


def _check_condition(condition):
    if condition is not None and not isinstance(condition, Condition):
        raise TypeError(
            "`condition` must be a condition layer such as keras_vae.LabelCondition(10). "
            f"Received: {condition!r}."
        )
    return condition
