import threading

import keras
import pytest

from keras_vae.metrics.codebook_usage import CodebookUsage
from keras_vae.models.saving.weight_budget import weight_budget

pytestmark = pytest.mark.compiled_once

MANY, FEW = 2**24, 2**10  # more and less than what is spared


def dense(units, num_inputs=1):
    layer = keras.layers.Dense(units, use_bias=False)
    layer.build((None, num_inputs))
    return layer


def test_the_weights_of_the_file_may_be_made():
    with weight_budget([(2, MANY), (FEW,)]):
        assert dense(2, MANY).count_params() == 2 * MANY


def test_larger_weights_are_refused_before_they_are_made():
    with weight_budget([(2, FEW)]):
        dense(FEW, 2)
        with pytest.raises(ValueError, match=r"'dense_\d+'.*\(1024,"):
            dense(2**40, FEW)


def test_a_metric_with_a_number_for_each_code_counts():
    with weight_budget([]):
        CodebookUsage(2**20)
        with pytest.raises(ValueError, match=r"'usage'.*weight of shape"):
            CodebookUsage(2**30)


def test_many_small_weights_are_refused():
    with weight_budget([(1, 1)]):
        for _ in range(101):
            dense(1)
        with pytest.raises(ValueError, match="hold that many"):
            dense(1)


def test_many_layers_without_weights_are_refused():
    with weight_budget([]):
        for _ in range(1000):
            keras.layers.ReLU()
        with pytest.raises(ValueError, match="many more layers"):
            keras.layers.ReLU()


class Unrolled(keras.Operation):
    """Runs a recurrent layer step by step, as a model of a user's is when its terms are traced."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, x):
        return self.layer(x)


@pytest.mark.parametrize("num_steps", [20, 20_000])
def test_a_recurrent_layer_is_unrolled_so_far(num_steps):
    layer = keras.layers.GRU(2, unroll=True)
    layer.build((2, num_steps, 3))
    with weight_budget([]):
        if num_steps == 20:
            assert Unrolled(layer)(keras.KerasTensor((2, num_steps, 3))).shape == (2, 2)
            return
        with pytest.raises(Exception, match="called more than 4,000 times"):
            Unrolled(layer)(keras.KerasTensor((2, num_steps, 3)))


def test_as_many_layers_as_anyone_puts_into_a_sequential_model_are_called():
    def config_of(num_layers):
        start = keras.Input((4,))
        return keras.Sequential(
            [start, *[keras.layers.ReLU() for _ in range(num_layers)]]
        ).get_config()

    few, many = config_of(80), config_of(200)
    with weight_budget([]):
        keras.Sequential.from_config(few)
    with weight_budget([]), pytest.raises(ValueError, match="called more than 4,000 times"):
        keras.Sequential.from_config(many)


def replaced():
    kinds = keras.Layer.add_weight, keras.Layer.__init__, keras.Metric.add_variable
    return (*kinds, keras.Operation.__call__)


def test_it_ends_with_the_context():
    before = replaced()
    with pytest.raises(ZeroDivisionError), weight_budget([]):
        raise ZeroDivisionError
    assert before == replaced()
    dense(MANY)


def test_other_threads_are_free():
    made = []
    with weight_budget([]):
        thread = threading.Thread(target=lambda: made.append(dense(MANY)))
        thread.start()
        thread.join()
    assert made[0].count_params() == MANY


def test_a_scalar_counts():
    with weight_budget([]):
        assert keras.Layer().add_weight().shape == ()
        assert keras.Layer().add_weight((3,)).shape == (3,)
