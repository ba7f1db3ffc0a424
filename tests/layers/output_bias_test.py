import numpy as np
import pytest
from keras import ops

from keras_vae.layers.output_bias import OutputBias


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(5,), (3, 2, 4)])
def test_adds_one_number_to_every_number(shape):
    rng = np.random.default_rng(0)
    x, bias = rng.normal(size=(2, *shape)), rng.normal(size=shape)
    x, bias = x.astype("float32"), bias.astype("float32")
    layer = OutputBias()
    assert np.array_equal(ops.convert_to_numpy(layer(x)), x)
    layer.bias.assign(bias)
    assert np.array_equal(ops.convert_to_numpy(layer(x)), x + bias)


def test_one_number_per_channel_where_the_size_is_unknown():
    layer = OutputBias()
    layer.build((None, None, None, 4))
    assert layer.bias.shape == (1, 1, 4)


def test_config_round_trip():
    layer = OutputBias(name="bias", dtype="mixed_bfloat16")
    assert OutputBias.from_config(layer.get_config()).get_config() == layer.get_config()
