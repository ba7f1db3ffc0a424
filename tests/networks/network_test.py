import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks import network
from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder


def test_shapes_become_tuples_of_ints():
    assert network.check_shape("input_shape", [np.int64(7), 5, 3]) == (7, 5, 3)
    assert network.check_shape("input_shape", (9,)) == (9,)
    assert network.check_picture_shape("input_shape", (1, 1, 1)) == (1, 1, 1)


@pytest.mark.parametrize(
    "shape, fix",
    [
        (784, r"got 784. For vectors of N numbers write \(N,\)"),
        ((28, 28), r"got \(28, 28\). The channels lack: write \(28, 28, 1\)"),
        ((64, 28, 28, 1), "of 4 axes. Leave out the batch axis"),
        ((), "of 0 axes"),
        ((28, 0, 1), r"integer of at least 1, got \(28, 0, 1\)"),
        ((-1, 3, 1), "integer of at least 1"),
        ((None, 28, 1), "no size can be left open"),
        ((28.0, 28, 1), "integer of at least 1"),
    ],
)
def test_bad_shapes_name_the_argument_and_the_fix(shape, fix):
    with pytest.raises(ValueError, match="`input_shape` must be .*" + fix):
        network.check_shape("input_shape", shape)


def test_flat_vectors_are_sent_to_the_mlp():
    message = r"`output_shape` must be .* got the flat vector \(784,\).*MLPEncoder and MLPDecoder"
    with pytest.raises(ValueError, match=message):
        network.check_picture_shape("output_shape", (784,))


@pytest.mark.parametrize("value", [0, -3, 2.0, "8", None, True])
def test_counts_are_positive_integers(value):
    with pytest.raises(ValueError, match=f"`latent_dim` must be .* at least 1, got {value!r}"):
        network.check_count("latent_dim", value)


def test_lists_of_counts():
    assert network.check_counts("hidden_units", [np.int32(4), 2]) == (4, 2)
    assert network.check_counts("hidden_units", ()) == ()
    with pytest.raises(ValueError, match=r"`filters` must be a tuple .* got 32. .* \(32,\)"):
        network.check_counts("filters", 32)
    with pytest.raises(ValueError, match=r"`filters\[1\]` must be .* got 0"):
        network.check_counts("filters", (32, 0))
    with pytest.raises(ValueError, match=r"`filters` must name at least one stage, got \(\)"):
        network.check_stages("filters", ())


def test_sizes_halve_upwards_and_end_at_one():
    assert network.halved_sizes(28, 28, 2) == [(28, 28), (14, 14), (7, 7)]
    assert network.halved_sizes(33, 5, 4) == [(33, 5), (17, 3), (9, 2), (5, 1), (3, 1)]


def test_sizes_are_those_of_strided_convolutions():
    x = np.zeros((1, 33, 17, 1))
    for size in network.halved_sizes(33, 17, 6)[1:]:
        x = keras.layers.Conv2D(1, 3, 2, "same", data_format="channels_last")(x)
        assert tuple(x.shape[1:3]) == size


def output_at_zero_weights(decoder):
    for v in decoder.variables[:-1]:
        v.assign(np.zeros(v.shape))
    return ops.convert_to_numpy(decoder(np.ones((1, decoder.latent_dim))))[0]


@pytest.mark.parametrize("value", [-2.5, [1.0, 2.0, 3.0], np.arange(24.0).reshape(4, 2, 3)])
def test_output_bias_is_the_first_parameter_of_every_output(value):
    decoder = MLPDecoder((4, 2, 3), 2, hidden_units=(), num_parameters=2)
    decoder.get_layer("output_bias").bias.assign(np.full((4, 2, 6), 7.0))
    decoder.set_output_bias(value)
    y = output_at_zero_weights(decoder)
    assert np.array_equal(y[..., :3], np.broadcast_to(value, (4, 2, 3)))
    assert np.array_equal(y[..., 3:], np.full((4, 2, 3), 7.0))


def test_output_bias_of_flat_vectors():
    decoder = MLPDecoder((3,), 2, hidden_units=(), num_parameters=2)
    decoder.set_output_bias(ops.convert_to_tensor([1.0, 2.0, 3.0]))
    assert output_at_zero_weights(decoder).tolist() == [1, 2, 3, 0, 0, 0]


def test_bad_output_bias_raises():
    decoder = MLPDecoder((4, 2, 3), 2, hidden_units=())
    with pytest.raises(ValueError, match=r"`value` must be finite.*clip the mean"):
        decoder.set_output_bias(-np.inf)
    with pytest.raises(ValueError, match=r"broadcast to .* \(4, 2, 3\), got .*\(2,\)"):
        decoder.set_output_bias([1.0, 2.0])
    with pytest.raises(ValueError, match=r"x\.mean\(axis=0\)"):
        decoder.set_output_bias(np.zeros((1, 4, 2, 3)))


def test_variable_paths_do_not_depend_on_what_was_built_before():
    first, second = MLPEncoder((3,), 2), MLPEncoder((3,), 2)
    paths = [v.path for v in first.variables]
    assert paths == [v.path for v in second.variables]
    assert paths[0] == "encoder/dense_1/kernel"
    assert paths[-1] == "encoder/z_log_var/bias"


def test_frozen_network_stays_frozen():
    encoder = MLPEncoder((3,), 2)
    encoder.trainable = False
    assert not MLPEncoder.from_config(encoder.get_config()).trainable_variables


def test_policy_of_the_constructor_outlives_the_global_one():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        config = MLPEncoder((3,), 2).get_config()
    finally:
        keras.config.set_dtype_policy("float32")
    encoder = MLPEncoder.from_config(config)
    assert encoder.dtype_policy.name == "mixed_bfloat16"
    assert encoder.get_layer("dense_1").compute_dtype == "bfloat16"
    assert encoder.get_layer("z_mean").compute_dtype == "float32"


def test_numpy_integers_are_integers():
    two = np.int64(2)
    decoder = ConvDecoder([two, two, two], two, [two], two, num_parameters=two)
    assert decoder.output_shape == (None, 2, 2, 4)
    assert MLPDecoder([two], two, [two], num_parameters=two).output_shape == (None, 4)
    assert MLPEncoder([two], two, [two]).latent_dim == 2
