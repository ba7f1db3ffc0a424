import keras
import numpy as np
import pytest
from keras import ops
from scipy import special

from keras_vae.layers.positions import RotaryPositions
from keras_vae.layers.transformer_block import TransformerBlock

BATCH, LENGTH, FEATURES, HEADS = 2, 5, 8, 2


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def tokens():
    return np.random.default_rng(0).normal(size=(BATCH, LENGTH, FEATURES)).astype("float32")


def perturbed(**options):
    block = TransformerBlock(HEADS, **options)
    block.build((None, LENGTH, FEATURES))
    rng = np.random.default_rng(1)
    for weight in block.weights:
        weight.assign(numpy(weight) + 0.3 * rng.normal(size=weight.shape))
    return block


def normalised(x, norm):
    x = x - x.mean(axis=-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)
    return x * numpy(norm.gamma) + numpy(norm.beta)


def attended(x, attention, turn):
    """Plain attention, a query and a head at a time."""
    split = np.split(x @ numpy(attention.projections.kernel), 3, axis=-1)
    queries, keys, values = (part.reshape(BATCH, LENGTH, HEADS, -1) for part in split)
    queries, keys = turn(queries), turn(keys)
    seen = np.zeros_like(values)
    for b, i, h in np.ndindex(BATCH, LENGTH, HEADS):
        scores = keys[b, : i + 1, h] @ queries[b, i, h] / np.sqrt(FEATURES // HEADS)
        seen[b, i, h] = special.softmax(scores) @ values[b, : i + 1, h]
    return seen.reshape(BATCH, LENGTH, FEATURES) @ numpy(attention.mixing.kernel)


def expected(block, x, turn):
    x = x + attended(normalised(x, block.norm_1), block.attention, turn)
    hidden = normalised(x, block.norm_2) @ numpy(block.dense_1.kernel) + numpy(block.dense_1.bias)
    hidden = hidden * special.ndtr(hidden)  # GELU
    return x + hidden @ numpy(block.dense_2.kernel) + numpy(block.dense_2.bias)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("positions", [None, RotaryPositions(10.0)])
def test_equals_a_plain_computation(positions):
    def turn(heads):
        if positions is None:
            return heads
        return numpy(positions.turn(ops.convert_to_tensor(heads), np.arange(LENGTH)))

    block, x = perturbed(positions=positions), tokens()
    np.testing.assert_allclose(numpy(block(x)), expected(block, x, turn), rtol=1e-4, atol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("positions", [None, RotaryPositions()])
def test_steps_give_what_all_positions_at_once_do(positions):
    block, x = perturbed(positions=positions), tokens()
    at_once, cache = numpy(block(x)), block.start(BATCH, LENGTH)
    for i in range(LENGTH):
        out, cache = block.step(cache, ops.convert_to_tensor(x[:, i]), i)
        np.testing.assert_allclose(numpy(out), at_once[:, i], rtol=1e-4, atol=1e-5)


def test_in_training_a_part_of_what_is_added_is_dropped_and_the_rest_scaled_up():
    block, x = TransformerBlock(HEADS, dropout=0.2), np.zeros((100, LENGTH, FEATURES), "float32")
    block.build(x.shape)
    block.attention.mixing.kernel.assign(np.zeros((FEATURES, FEATURES)))
    block.dense_2.kernel.assign(np.zeros((4 * FEATURES, FEATURES)))
    block.dense_2.bias.assign(np.ones(FEATURES))
    seed = keras.random.SeedGenerator(0)
    added = numpy(block(x, training=True, seed=seed))
    np.testing.assert_allclose(np.unique(added), [0, 1 / 0.8], rtol=1e-6)
    assert np.mean(added == 0) == pytest.approx(0.2, abs=0.03)
    assert not np.array_equal(added, numpy(block(x, training=True, seed=seed)))
    np.testing.assert_array_equal(numpy(block(x, training=False, seed=seed)), np.ones_like(added))


def test_half_precision_is_near_and_keeps_its_weights():
    block, half = perturbed(), TransformerBlock(HEADS, dtype="mixed_bfloat16")
    half.build((None, LENGTH, FEATURES))
    half.set_weights(block.get_weights())
    out = half(tokens(), training=True)
    assert keras.backend.standardize_dtype(out.dtype) == "bfloat16"
    assert {v.dtype for v in half.weights} == {"float32"}
    near = numpy(ops.cast(out, "float32"))
    np.testing.assert_allclose(near, numpy(block(tokens())), rtol=0.05, atol=0.1)


def test_arguments_are_checked():
    for dropout in (1.0, -0.1, None):
        with pytest.raises(ValueError, match="`dropout`"):
            TransformerBlock(HEADS, dropout=dropout)
    with pytest.raises(ValueError, match="`num_heads`"):
        TransformerBlock(3).build((None, LENGTH, FEATURES))


def test_config_round_trip():
    block = TransformerBlock(HEADS, 0.1, RotaryPositions(50.0), name="block", dtype="float16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(block))
    assert again.get_config() == block.get_config()
    assert again.attention.positions.base == 50.0
