import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.layers.gated_convolution import CausalConvolution
from keras_vae.layers.gated_convolution import GatedConvolution
from keras_vae.layers.gated_convolution import gated

B, H, W, F, E = 2, 4, 5, 3, 2


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def convolved(x, kernel, bias, above, left):
    """The convolution by hand: row i sees rows i - above to i, column j from j - left on."""
    y = np.zeros((*x.shape[:3], kernel.shape[-1])) + bias
    for i, j, r, c in np.ndindex(*x.shape[1:3], *kernel.shape[:2]):
        row, column = i - above + r, j - left + c
        if row >= 0 and 0 <= column < x.shape[2]:
            y[:, i, j] += x[:, row, column] @ kernel[r, c]
    return y


def gate_by_hand(x):
    return np.tanh(x[..., :F]) / (1 + np.exp(-x[..., F:]))


def layer_with_weights(condition_shape=None, **kwargs):
    layer = GatedConvolution(**kwargs)
    layer.build([(None, H, W, F)] * 2 + ([condition_shape] if condition_shape else []))
    layer.set_weights([0.5 * drawn(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
    return layer


def by_hand(layer, v, h, c=None):
    """Equations 2 to 4, in NumPy."""
    w = {}
    for variable in layer.weights:
        name = variable.path.replace("/conv/", "/").split("/")[-2]
        w.setdefault(name, []).append(ops.convert_to_numpy(variable))
    a = convolved(v, *w["vertical"], above=1, left=1)
    if c is not None:
        a = a + c @ w["told"][0]
    b = convolved(h, *w["horizontal"], above=0, left=1) + a @ w["link"][0] + w["link"][1]
    return v + gate_by_hand(a), h + gate_by_hand(b) @ w["mixing"][0] + w["mixing"][1]


def stepwise(layer, v, h, c=None):
    """The same as `call`, by rows and columns."""
    cache, rows, pixels = layer.start(B), [], []
    for i in range(H):
        told = [] if c is None else [c[:, min(i, c.shape[1] - 1)][:, None]]
        row, cache = layer.row(cache, [ops.convert_to_tensor(a) for a in (v[:, i : i + 1], *told)])
        rows.append(ops.convert_to_numpy(row))
        for j in range(W):
            pixel = ops.convert_to_tensor(h[:, i, j])
            pixel, cache = layer.step(cache, pixel, i * W + j)
            pixels.append(ops.convert_to_numpy(pixel))
    return np.concatenate(rows, axis=1), np.stack(pixels, axis=1).reshape(h.shape)


def gate_of(x):
    return ops.convert_to_numpy(gated(ops.convert_to_tensor(x)))


def test_the_gate():
    x = np.array([[0.0, 1.0, 100.0, -100.0]], "float32")  # tanh of 0 and 1, sigmoid of +-100
    np.testing.assert_allclose(gate_of(x), [[0, 0]], atol=1e-6)
    x = np.array([[0.5, -1.0, 0.0, 2.0]], "float32")
    expected = [[np.tanh(0.5) / 2, np.tanh(-1.0) / (1 + np.exp(-2.0))]]
    np.testing.assert_allclose(gate_of(x), expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(("above", "left", "right"), [(2, 1, 1), (1, 2, 0), (0, 2, 0), (0, 0, 0)])
def test_convolution_by_hand(above, left, right):
    layer, x = CausalConvolution(2, above, left, right), drawn(B, H, W, F)
    layer.build(x.shape)
    layer.set_weights([drawn(*w.shape, seed=1) for w in layer.get_weights()])
    expected = convolved(x, *layer.get_weights(), above, left)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("condition", [None, (B, H, W, E), (B, 1, 1, E)])
def test_stacks_by_hand(condition):
    layer = layer_with_weights(condition)
    parts = [drawn(B, H, W, F, seed=7), drawn(B, H, W, F, seed=8)]
    parts += [] if condition is None else [drawn(*condition, seed=9)]
    for found, expected in zip(layer(parts), by_hand(layer, *parts), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(found), expected, atol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("condition", [None, (B, H, W, E), (B, 1, 1, E)])
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_row_by_row_and_column_by_column_is_the_same(condition, kernel_size):
    layer = layer_with_weights(condition, kernel_size=kernel_size)
    parts = [drawn(B, H, W, F, seed=7), drawn(B, H, W, F, seed=8)]
    parts += [] if condition is None else [drawn(*condition, seed=9)]
    for found, expected in zip(stepwise(layer, *parts), layer(parts), strict=True):
        np.testing.assert_allclose(found, ops.convert_to_numpy(expected), atol=1e-5)


def test_who_sees_whom():
    layer = layer_with_weights()
    v, h = drawn(B, H, W, F, seed=7), drawn(B, H, W, F, seed=8)
    before = [ops.convert_to_numpy(a) for a in layer([v, h])]

    def changed(stack):
        moved = [v.copy(), h.copy()]
        moved[stack][:, 1, 2] += 1
        after = [ops.convert_to_numpy(a) for a in layer(moved)]
        return [(a != b).any(axis=(0, 3)) for a, b in zip(after, before, strict=True)]

    around = np.zeros((H, W), bool)
    around[1:3, 1:4] = True  # the row itself and the one below, a column at each side
    np.testing.assert_array_equal(changed(0)[0], around)
    np.testing.assert_array_equal(changed(0)[1], around)
    right = np.zeros((H, W), bool)
    right[1, 2:4] = True
    np.testing.assert_array_equal(changed(1)[0], np.zeros((H, W), bool))
    np.testing.assert_array_equal(changed(1)[1], right)


def test_h_starts_as_it_is():
    v, h = drawn(B, H, W, F, seed=7), drawn(B, H, W, F, seed=8)
    np.testing.assert_array_equal(ops.convert_to_numpy(GatedConvolution()([v, h])[1]), h)


def test_dropout_in_training_only_and_of_what_is_added():
    layer, n = layer_with_weights(dropout=0.5), 300
    v, h = drawn(1, H, W, F, seed=7), drawn(1, H, W, F, seed=8)
    expected = [ops.convert_to_numpy(a) for a in layer([v, h])]
    many = [np.repeat(a, n, axis=0) for a in (v, h)]
    found = layer(many, training=True, seed=keras.random.SeedGenerator(0))
    all_v, all_h = (ops.convert_to_numpy(a) for a in found)
    np.testing.assert_allclose(all_v, np.repeat(expected[0], n, axis=0), atol=1e-6)
    error = all_h.std(axis=0) / np.sqrt(n)
    assert error.max() > 0
    assert (np.abs(all_h.mean(axis=0) - expected[1]) < 5 * error + 1e-5).all()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 4}, "`kernel_size` must be odd"),
        ({"kernel_size": 1}, "`kernel_size`.*at least 3"),
        ({"dropout": 1.0}, "`dropout`.*lie in"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        GatedConvolution(**arguments)


def test_config_round_trip():
    layer = GatedConvolution(5, 0.1, name="gated", dtype="mixed_bfloat16")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
