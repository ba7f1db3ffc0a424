import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

from keras_vae.models.base.conditional_model import as_input


def test_embedded_conditions_are_what_networks_see():
    model = BY_NAME["cvae"].model()
    seen = ops.convert_to_numpy(model.embedded(np.array([2, 0])))
    np.testing.assert_array_equal(seen, [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(ValueError, match="A condition is missing"):
        model.embedded(None)
    assert BY_NAME["vae"].model().embedded(None) is None


def test_conditions_are_dropped_in_training_only():
    model, labels = BY_NAME["cvae"].model(), np.arange(400) % 3
    shown = ops.convert_to_numpy(model.given(ops.convert_to_tensor(labels), training=True))
    assert 0.15 < np.mean(shown.sum(axis=1) == 0) < 0.35  # a quarter, by its `dropout`
    np.testing.assert_array_equal(ops.convert_to_numpy(model.given(labels)), np.eye(3)[labels])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [1, 4, 6])
def test_draws_come_in_batches_of_one_size_each_with_its_condition(num_samples):
    model, sizes = BY_NAME["vae"].model(), []

    def draw(conditions):
        sizes.append(len(conditions))
        return 10 * conditions

    conditions = np.arange(num_samples)
    drawn = model.drawn(draw, num_samples, (conditions,), size=4)
    np.testing.assert_array_equal(drawn, 10 * conditions)
    assert sizes == [4] * -(-num_samples // 4)


def test_a_seed_gives_the_same_draws_and_leaves_the_streams_alone():
    model = BY_NAME["vae"].model()
    stream = model.noise.stream(training=False)
    before = ops.convert_to_numpy(stream.state)

    def draw():
        values = keras.random.normal((8,), seed=model.noise.stream(training=False))
        return ops.convert_to_numpy(values)

    first, second, other = (model.drawn(draw, 20, seed=seed, size=8) for seed in (3, 3, 4))
    assert first.shape == (20,)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[:8], first[8:16])
    np.testing.assert_array_equal(ops.convert_to_numpy(stream.state), before)


def test_shapes_stay_shapes():
    shape = keras.KerasTensor((None, 3))
    assert as_input(shape) is shape
    assert ops.is_tensor(as_input(np.zeros(3)))
