import keras
import numpy as np
from keras import ops

from keras_vae.layers.grid_attention import GridAttention
from keras_vae.layers.positions import RotaryPositions
from keras_vae.layers.transformer_block import TransformerBlock

B, H, W, F = 2, 2, 3, 4
V, HORIZONTAL = np.random.default_rng(0).normal(size=(2, B, H, W, F)).astype("float32")


def attention(**kwargs):
    layer = GridAttention(2, positions=RotaryPositions(), **kwargs)
    layer.build([(None, H, W, F)] * 2)
    return layer


def test_is_a_transformer_block_over_h_in_raster_order():
    layer, block = attention(), TransformerBlock(2, positions=RotaryPositions())
    block.build((None, H * W, F))
    block.set_weights(layer.get_weights())
    v, h = layer([V, HORIZONTAL])
    np.testing.assert_array_equal(ops.convert_to_numpy(v), V)
    expected = ops.convert_to_numpy(block(HORIZONTAL.reshape(B, H * W, F)))
    np.testing.assert_array_equal(ops.convert_to_numpy(h), expected.reshape(B, H, W, F))


def test_position_after_position_is_the_same():
    layer = attention()
    expected = ops.convert_to_numpy(layer([V, HORIZONTAL])[1])
    cache = layer.start(B)
    for i, (row, column) in enumerate(np.ndindex(H, W)):
        v, cache = layer.row(cache, ["a row"])
        assert v == "a row"
        h = ops.convert_to_tensor(HORIZONTAL[:, row, column])
        h, cache = layer.step(cache, h, i)
        np.testing.assert_allclose(ops.convert_to_numpy(h), expected[:, row, column], atol=1e-5)


def test_config_round_trip():
    layer = attention(dropout=0.1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
