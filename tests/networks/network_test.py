import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks import network
from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder
from keras_vae.networks.resnet import ResNetEncoder

ZOO = Path(__file__).parents[2] / "zoo"
ENCODERS = [
    lambda **kwargs: MLPEncoder((7, 5, 3), 2, (4,), **kwargs),
    lambda **kwargs: ConvEncoder((7, 5, 3), 2, (4, 3), **kwargs),
    lambda **kwargs: ResNetEncoder((7, 5, 3), 2, (4, 3), 1, **kwargs),
]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


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


def test_lists_of_counts():
    assert network.check_counts("hidden_units", [np.int32(4), 2]) == (4, 2)
    assert network.check_counts("hidden_units", ()) == ()
    with pytest.raises(ValueError, match=r"`filters` must be a tuple .* got 32. .* \(32,\)"):
        network.check_counts("filters", 32)
    with pytest.raises(ValueError, match=r"`filters\[1\]` must be .*Received: 0"):
        network.check_counts("filters", (32, 0))
    with pytest.raises(ValueError, match=r"`filters` must name at least one stage, got \(\)"):
        network.check_stages("filters", ())


@pytest.mark.parametrize("value", [0, 4, 2.0, True, None])
def test_encoders_have_one_to_three_outputs(value):
    with pytest.raises(ValueError, match=f"`num_outputs` must be .*(?:got|Received:) {value!r}"):
        network.check_num_outputs("num_outputs", value)


def test_checks_go_by_the_name_of_the_argument():
    config = network.checked(
        latent_dim=np.int64(2), condition_shape=None, activation=keras.ops.tanh
    )
    assert config == {"latent_dim": 2, "condition_shape": None, "activation": "tanh"}
    with pytest.raises(ValueError, match=r"`kernel_size` must be a positive integer\. Received: 0"):
        network.checked(latent_dim=2, kernel_size=0)


def test_heads_are_dense_layers_on_the_features():
    features = keras.Input((3,))
    for num_outputs, names in ((1, ["z"]), (2, ["z_mean", "z_log_var"])):
        outputs = network.encoder_heads(features, 2, num_outputs)
        model = keras.Model(features, outputs)
        kernels = [draw(3, 2, seed=i) for i in range(num_outputs)]
        for name, kernel in zip(names, kernels, strict=True):
            model.get_layer(name).set_weights([kernel, np.ones(2)])
        x = draw(4, 3)
        for y, kernel in zip(keras.tree.flatten(model(x)), kernels, strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(y), x @ kernel + 1, rtol=1e-5)


@pytest.mark.parametrize("make", ENCODERS)
def test_encoder_of_a_single_tensor(make, assert_round_trip, unreached):
    encoder = make(num_outputs=1)
    assert encoder.output_shape == (None, 2)
    assert encoder.variables[-2].path == "encoder/z/kernel"
    assert unreached(encoder) == []
    assert_round_trip(encoder)


@pytest.mark.parametrize("make", ENCODERS)
def test_features_are_what_the_heads_see(make, assert_round_trip):
    encoder, plain = make(num_outputs=3), make()
    plain.set_weights(encoder.get_weights())
    x = draw(4, 7, 5, 3)
    z_mean, z_log_var, features = (ops.convert_to_numpy(y) for y in encoder(x))
    for y, expected in zip((z_mean, z_log_var), plain(x), strict=True):
        assert np.array_equal(y, ops.convert_to_numpy(expected))
    kernel, bias = encoder.get_layer("z_mean").get_weights()
    np.testing.assert_allclose(features @ kernel + bias, z_mean, rtol=1e-5, atol=1e-6)
    assert_round_trip(encoder)


def test_an_encoder_of_vectors_gives_the_distribution_of_one_latent_given_another():
    inference = MLPEncoder((6,), latent_dim=4, hidden_units=(8,), name="z_1_given_z_2")
    assert [y.shape for y in inference(draw(3, 6))] == [(3, 4), (3, 4)]


def parts_of(preset):
    """Encoder and decoder from a preset's config, and that config."""
    config = json.loads((ZOO / preset / "config.json").read_text())["model"]["config"]
    for part in ("encoder", "decoder"):
        written = dict(config[part]["config"])
        yield keras.saving.deserialize_keras_object(config[part]), written


@pytest.mark.skipif(not ZOO.exists(), reason="no zoo: not a checkout")
@pytest.mark.parametrize("preset", ["vae_mnist_mini", "vae_frey_faces"])
def test_configs_from_before_conditions_load(preset):
    for loaded, written in parts_of(preset):
        new = json.loads(json.dumps(loaded.get_config()))
        added = {k: v for k, v in new.items() if k not in written}
        assert {k: new[k] for k in written} == written
        is_encoder = "input_shape" in written
        assert added == {"condition_shape": None, **({"num_outputs": 2} if is_encoder else {})}
        assert len(loaded.inputs) == 1


def test_layers_and_variables_are_those_of_before_conditions():
    encoder, decoder = ConvEncoder((7, 5, 3), 2, (4, 3)), MLPDecoder((5, 3, 1), 2, (4,))
    heads = ["z_mean", "z_log_var"]
    assert [y.name for y in encoder.layers] == ["x", "conv_1", "conv_2", "flatten", *heads]
    weights = [f"{y}/{w}" for y in ("conv_1", "conv_2", *heads) for w in ("kernel", "bias")]
    assert [v.path for v in encoder.variables] == [f"encoder/{w}" for w in weights]
    assert [y.name for y in decoder.layers] == ["z", "dense_1", "output", "reshape", "output_bias"]
    weights = ["dense_1/kernel", "dense_1/bias", "output/kernel", "output_bias/bias"]
    assert [v.path for v in decoder.variables] == [f"decoder/{w}" for w in weights]


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
