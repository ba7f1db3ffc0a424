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

    def parts(self):
        return {} if self.condition is None else {"condition": self.condition}

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

    def embedded(self, condition):
        """Returns conditions as networks see them, (B, ...) float32, or `None`."""
        if self.condition is None:
            return None
        if condition is None:
            self.condition.check(None, None)
        return self.condition(as_input(condition))

    def shown(self, condition, training):
        """Returns the conditions as a step shows them: in training some may be dropped."""
        if self.condition is None or not training:
            return condition
        return self.condition.drop(condition, self.noise.stream(training))

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
