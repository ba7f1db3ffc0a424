import keras
import numpy as np

from keras_vae.networks import trunks


def test_sizes_halve_upwards_and_end_at_one():
    assert trunks.halved_sizes(28, 28, 2) == [(28, 28), (14, 14), (7, 7)]
    assert trunks.halved_sizes(33, 5, 4) == [(33, 5), (17, 3), (9, 2), (5, 1), (3, 1)]


def test_sizes_are_those_of_strided_convolutions():
    x = np.zeros((1, 33, 17, 1))
    for size in trunks.halved_sizes(33, 17, 6)[1:]:
        x = keras.layers.Conv2D(1, 3, 2, "same", data_format="channels_last")(x)
        assert tuple(x.shape[1:3]) == size


def visits():
    """A function for what a stage does, and the list of what it was given."""
    seen = []

    def refine(x, stage):
        seen.append((stage, x.shape[1:]))
        return x

    return refine, seen


def test_trunks_refine_every_stage_at_its_size():
    refine, seen = visits()
    trunks.halvings(keras.Input((7, 5, 1)), (4, 3), refine, kernel_size=3)
    assert seen == [(1, (4, 3, 4)), (2, (2, 2, 3))]
    refine, seen = visits()
    assert trunks.smallest_map((7, 5, 1), (3, 4)) == (2, 2, 3)
    trunks.doublings(keras.Input((2, 2, 3)), (3, 4), (7, 5, 1), refine, kernel_size=3)
    assert seen == [(1, (2, 2, 3)), (2, (4, 3, 4))]


def test_blocks_are_named_by_their_stage():
    x = keras.Input((3, 3, 2))
    y = trunks.residual_blocks(2, kernel_size=3, activation="relu")(x, stage=4)
    assert [layer.name for layer in keras.Model(x, y).layers[1:]] == ["block_4_1", "block_4_2"]


def test_gated_layers_multiply_half_of_their_values_by_the_sigmoid_of_the_rest():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, trunks.dense_layers(inputs, (2, 4), "glu"))
    x = h = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    for name, units in {"dense_1": 2, "dense_2": 4}.items():
        kernel, bias = model.get_layer(name).get_weights()
        h = h @ kernel + bias
        h = h[:, :units] / (1.0 + np.exp(-h[:, units:]))
    np.testing.assert_allclose(model.predict(x, verbose=0), h, rtol=1e-5, atol=1e-6)
