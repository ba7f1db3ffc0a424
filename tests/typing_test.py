import typing

import keras

from keras_vae.typing import Seed
from keras_vae.typing import Weight


def test_weights_are_numbers_or_schedules_and_seeds_ints_or_generators():
    schedule = keras.optimizers.schedules.CosineDecay(1.0, 10)
    assert any(isinstance(schedule, t) for t in typing.get_args(Weight))
    assert any(isinstance(0.5, t) for t in typing.get_args(Weight))
    assert any(isinstance(keras.random.SeedGenerator(0), t) for t in typing.get_args(Seed))
    assert not any(isinstance("0", t) for t in typing.get_args(Seed))
