import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.layers.causal_attention import CausalAttention
from keras_vae.layers.positions import RotaryPositions

B, N, F = 2, 6, 8
POSITIONS = {"none": None, "rotary": RotaryPositions(base=100.0)}


def inputs(seed=0):
    return np.random.default_rng(seed).normal(size=(B, N, F)).astype("float32")


def attention(positions=None, **kwargs):
    layer = CausalAttention(2, positions, **kwargs)
    layer.build((None, N, F))
    return layer


def by_hand(layer, x):
    """Attention without positions, with loops over examples, heads and positions."""
    projections, mixing = (w.astype("float64") for w in layer.get_weights())
    q, k, v = np.split((x @ projections).reshape(B, N, 6, F // 2), 3, axis=2)
    seen = np.zeros((B, N, 2, F // 2))
    for b, i, h in np.ndindex(B, N, 2):
        weights = np.exp([q[b, i, h] @ k[b, j, h] / np.sqrt(F // 2) for j in range(i + 1)])
        seen[b, i, h] = weights / weights.sum() @ v[b, : i + 1, h]
    return seen.reshape(B, N, F) @ mixing


def stepwise(layer, x):
    cache, outputs = layer.start(B, N), []
    for i in range(N):
        y, cache = layer.step(cache, ops.cast(x[:, i], layer.compute_dtype), i)
        assert y.dtype == cache[0].dtype  # that of the policy
        outputs.append(ops.convert_to_numpy(ops.cast(y, "float32")))
    return np.stack(outputs, axis=1)


def test_agrees_with_loops():
    layer, x = attention(), inputs()
    expected = by_hand(layer, x)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-5)
    np.testing.assert_allclose(stepwise(layer, x), expected, atol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", POSITIONS)
def test_one_position_at_a_time_is_the_same(name):
    layer, x = attention(POSITIONS[name]), inputs()
    np.testing.assert_allclose(stepwise(layer, x), ops.convert_to_numpy(layer(x)), atol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", POSITIONS)
def test_each_position_sees_itself_and_all_before(name):
    layer, x = attention(POSITIONS[name]), inputs()
    before = ops.convert_to_numpy(layer(x))
    for j in range(N):
        moved = x.copy()
        moved[:, j] += 1
        changed = (ops.convert_to_numpy(layer(moved)) != before).any(axis=(0, 2))
        np.testing.assert_array_equal(changed, np.arange(N) >= j)


def test_without_positions_the_order_of_what_came_before_is_not_seen():
    x = inputs()
    swapped = x[:, [1, 0, *range(2, N)]]
    layer = attention()
    y, z = (ops.convert_to_numpy(layer(a))[:, 2:] for a in (x, swapped))
    np.testing.assert_allclose(y, z, atol=1e-6)
    layer = attention(RotaryPositions())
    y, z = (ops.convert_to_numpy(layer(a))[:, 2:] for a in (x, swapped))
    assert np.abs(y - z).max() > 1e-3


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_stays_near(dtype):
    x, layer = inputs(), attention()
    half = attention(dtype=f"mixed_{dtype}")
    half.set_weights(layer.get_weights())
    expected = ops.convert_to_numpy(layer(x))
    together = half(x)
    assert keras.backend.standardize_dtype(together.dtype) == dtype
    for y in (ops.convert_to_numpy(ops.cast(together, "float32")), stepwise(half, x)):
        np.testing.assert_allclose(y, expected, atol=0.05)


def test_bad_numbers_of_heads():
    with pytest.raises(ValueError, match=r"`num_heads`.*positive integer"):
        CausalAttention(0)
    with pytest.raises(ValueError, match=r"`num_heads`.*the 8 features"):
        CausalAttention(3).build((None, N, F))


def test_config_round_trip():
    layer = attention(RotaryPositions(base=7.0), dtype="mixed_bfloat16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert again.positions.base == 7.0
