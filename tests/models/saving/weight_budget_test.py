import threading

import keras
import pytest

from keras_vae.metrics.codebook_usage import CodebookUsage
from keras_vae.models.saving.weight_budget import weight_budget

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


def test_it_ends_with_the_context():
    before = keras.Layer.add_weight, keras.Layer.__init__, keras.Metric.add_variable
    with pytest.raises(ZeroDivisionError), weight_budget([]):
        raise ZeroDivisionError
    assert before == (keras.Layer.add_weight, keras.Layer.__init__, keras.Metric.add_variable)
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
