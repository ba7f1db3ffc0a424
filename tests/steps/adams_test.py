import keras
import pytest

from keras_vae.steps.adams import adams_of
from keras_vae.steps.adams import is_adam


class MyAdam(keras.optimizers.Adam):
    pass


@pytest.mark.parametrize("make", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_adam_with_and_without_weight_decay(make):
    optimizer = make()
    assert is_adam(optimizer)
    assert adams_of(optimizer) == [optimizer]


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(amsgrad=True),
        keras.optimizers.Nadam,
        keras.optimizers.SGD,
        MyAdam,
    ],
)
def test_other_rules(make):
    assert not is_adam(make())
    assert adams_of(make()) == []


def test_within_a_scale_of_the_loss():
    inner = keras.optimizers.Adam()
    assert adams_of(keras.optimizers.LossScaleOptimizer(inner)) == [inner]
