import keras
import pytest
from optimizers import OTHERS

from keras_vae.steps.adams import adams_of
from keras_vae.steps.adams import is_adam


@pytest.mark.parametrize("make", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_adam_with_and_without_weight_decay(make):
    optimizer = make()
    assert is_adam(optimizer)
    assert adams_of(optimizer) == [optimizer]


@pytest.mark.parametrize("name", OTHERS)
def test_other_rules(name):
    assert not is_adam(OTHERS[name]())
    assert adams_of(OTHERS[name]()) == []


def test_within_a_scale_of_the_loss():
    inner = keras.optimizers.Adam()
    assert adams_of(keras.optimizers.LossScaleOptimizer(inner)) == [inner]
