"""The base of models that may take a condition for each example."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import check_memory
from keras_vae.checks import check_count
from keras_vae.conditions.condition import Condition
from keras_vae.conditions.label_condition import LabelCondition
from keras_vae.models.base.generative_model import GenerativeModel
from keras_vae.typing import Array
from keras_vae.typing import Tensor


class ConditionalModel(GenerativeModel):
    """A model p(x), or with a condition p(x|c).

    Args:
        condition: `Condition`, or `None` for an unconditional model.
        seed: Integer, or `None`. Determines all noise and the order of the batches.
    """

    sample_batch_size = 128  # of `sample`, whatever the number of examples

    def __init__(
        self,
        condition: Condition | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(seed=seed, name=name, dtype=dtype)
        self.condition = _check_condition(condition)

    @property
    def sample_condition(self) -> Condition | None:
        """The `Condition` that `sample` takes, or `None`."""
        return self.condition

    @property
    def takes_pairs(self) -> bool:
        return self.sample_condition is not None

    @property
    def predicts_from_pairs(self) -> bool:
        return self.condition is not None

    @property
    def takes_labels(self) -> bool:
        return isinstance(self.sample_condition, LabelCondition)

    def check_condition(self, y: Array, x: Array, name: str = "y") -> Any:
        if self.condition is None:
            return super().check_condition(y, x, name)
        return self.condition.check(y, len(x), name)

    def conditions_for(self, condition: Array, num_examples: int) -> tuple:
        if self.condition is None:
            return super().conditions_for(condition, num_examples)
        return (self.condition.check_for(condition, num_examples),)

    def split_inputs(self, inputs: Any) -> tuple:
        """Splits the inputs of `call` into x and the conditions (`None` in an unconditional
        model)."""
        return (inputs, None) if self.condition is None else inputs

    def embedded(self, condition: Tensor = None, training: bool = False) -> Tensor:
        """Returns c, the conditions as the networks receive them, (B, ...) float32, or `None`.

        In training some are dropped if the `Condition` asks for it.
        """
        if self.condition is None:
            return None
        if condition is None:
            self.condition.check(None, None)
        condition = as_input(condition)
        if training:
            condition = self.condition.drop(condition, self.noise.stream(training))
        return self.condition(condition)

    def given(self, y: Array = None, training: bool = False) -> Tensor:
        return self.embedded(y, training)

    def symbolic_pair(self) -> tuple[keras.KerasTensor, ...]:
        given = () if self.condition is None else (self.condition.symbolic(),)
        return (*super().symbolic_pair(), *given)

    def check_num_samples(self, num_samples: int, size: tuple[int, int] | None = None) -> int:
        """Returns `num_samples` after checking it.

        Args:
            num_samples: Integer.
            size: (height, width) of the pictures, if the model does not fix it.

        Raises:
            ValueError: If it is not a positive integer, the model has no shape yet, or the samples
                do not fit into the available memory.
        """
        num_samples = check_count("num_samples", num_samples)
        if not self.built:
            raise ValueError(
                f"This {type(self).__name__} cannot sample yet: its networks do not determine the "
                "shape of the data. Train it, or call `model.build((None, *data_shape))` first."
            )
        shape = self.data_shape or ()
        check_memory("num_samples", num_samples, shape if size is None else (*size, *shape[2:]))
        return num_samples

    def drawn(
        self,
        draw: Callable,
        num_samples: int,
        conditions: tuple = (),
        seed: int | None = None,
        size: int | None = None,
    ) -> np.ndarray:
        """Returns `num_samples` examples from calls of `draw` on batches of one size.

        Args:
            draw: Function that takes a batch of each of `conditions` and returns a NumPy array.
            num_samples: Integer, N.
            conditions: Tuple of arrays (N, ...).
            seed: Integer, or `None` for fresh noise.
            size: Integer, the size of the batches that `draw` returns.
        """
        size = size or self.sample_batch_size
        pieces = []
        with self.noise.seeded(seed):
            for start in range(0, num_samples, size):
                batch = [np.resize(c[start:], (size, *c.shape[1:])) for c in conditions]
                pieces.append(draw(*batch))
        return np.concatenate(pieces)[:num_samples]


def as_input(x: Tensor) -> Tensor:
    """Returns x as a tensor, or x itself if it is symbolic."""
    return x if isinstance(x, keras.KerasTensor) else ops.convert_to_tensor(x)


def _check_condition(condition):
    if condition is not None and not isinstance(condition, Condition):
        raise TypeError(
            "`condition` must be a condition layer such as keras_vae.LabelCondition(10). "
            f"Received: {condition!r}."
        )
    return condition
