import inspect
import warnings

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder
from keras_vae.networks.maps import ConvMapEncoder
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder
from keras_vae.networks.resnet import ResNetEncoder

ENCODERS = [
    lambda **kwargs: MLPEncoder((7, 5, 3), 2, (4,), **kwargs),
    lambda **kwargs: ConvEncoder((7, 5, 3), 2, (4, 3), **kwargs),
    lambda **kwargs: ResNetEncoder((7, 5, 3), 2, (4, 3), 1, **kwargs),
]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("make", ENCODERS)
def test_encoder_of_a_single_tensor(make, assert_round_trip, unreached):
    encoder = make(num_outputs=1)
    assert encoder.output_shape == (None, 2)
    assert encoder.variables[-2].path == "encoder/z/kernel"
    assert unreached(encoder) == []
    assert_round_trip(encoder)


@pytest.mark.first_case_elsewhere
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


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("kind", [ConvEncoder, ConvDecoder, MLPEncoder, MLPDecoder])
def test_configs_from_before_conditions_load(kind):
    network = kind((8, 8, 1), 2, (4,))
    written = keras.saving.serialize_keras_object(network)
    added = {k: written["config"].pop(k, None) for k in ("condition_shape", "num_outputs")}
    loaded = keras.saving.deserialize_keras_object(written)
    assert loaded.get_config() == network.get_config()
    assert added["condition_shape"] is None
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


def output_at_zero_weights(decoder):
    for v in decoder.variables[:-1]:
        v.assign(np.zeros(v.shape))
    return ops.convert_to_numpy(decoder(np.ones((1, decoder.latent_dim))))[0]


@pytest.mark.first_case_elsewhere
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
    with pytest.raises(ValueError, match=r"`value`.*finite.*clip the mean"):
        decoder.set_output_bias(-np.inf)
    with pytest.raises(ValueError, match=r"broadcast to .* \(4, 2, 3\)\. Received: .*\(2,\)"):
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


def test_constructors_take_their_own_arguments_and_those_of_every_layer():
    signature = inspect.signature(ConvEncoder)
    own = ["input_shape", "latent_dim", "filters", "kernel_size", "activation", "num_outputs"]
    common = ["name", "dtype", "trainable"]
    assert [*signature.parameters] == [*own, "condition_shape", *common]
    defaults = {k: p.default for k, p in signature.parameters.items()}
    assert [defaults[k] for k in common] == ["encoder", None, True]
    by_place = MLPDecoder((3,), 2, (4,), "tanh", 1, None, "p", "mixed_bfloat16", False)
    by_name = MLPDecoder((3,), 2, (4,), "tanh", name="p", dtype="mixed_bfloat16", trainable=False)
    assert by_place.get_config() == by_name.get_config()
    with pytest.raises(TypeError, match="MLPEncoder: missing a required argument: 'latent_dim'"):
        MLPEncoder((3,))
    with pytest.raises(TypeError, match="MLPEncoder: got an unexpected keyword argument 'units'"):
        MLPEncoder((3,), 2, units=4)


class Halved(ConvEncoder):
    """A network of a user's own."""

    def __init__(self, input_shape, **kwargs):
        super().__init__(input_shape, 2, filters=(4,), **kwargs)


def test_subclasses_have_a_constructor_of_their_own():
    assert [*inspect.signature(Halved).parameters] == ["input_shape", "kwargs"]
    network = Halved((7, 5, 3), name="halved")
    assert network.variables[0].path == "halved/conv_1/kernel"
    assert network.get_config() == ConvEncoder((7, 5, 3), 2, (4,), name="halved").get_config()


def test_policy_of_keras_is_as_before():
    before = keras.config.dtype_policy()
    MLPEncoder((3,), 2, dtype="mixed_bfloat16")
    with pytest.raises(ValueError, match="is missing"):
        ConvEncoder((3, 3, 1), 2, condition_shape=(3, 3), dtype="mixed_bfloat16")
    assert keras.config.dtype_policy() is before
    assert MLPEncoder((3,), 2).get_layer("dense_1").compute_dtype == "float32"


def test_numpy_integers_are_integers():
    two = np.int64(2)
    decoder = ConvDecoder([two, two, two], two, [two], two, num_parameters=two)
    assert decoder.output_shape == (None, 2, 2, 4)
    assert MLPDecoder([two], two, [two], num_parameters=two).output_shape == (None, 4)
    assert MLPEncoder([two], two, [two]).latent_dim == 2


def test_a_network_made_frozen_has_frozen_weights():
    encoder = MLPEncoder((4,), 2, (3,), trainable=False)
    assert not any(variable.trainable for variable in encoder.weights)
    again = MLPEncoder.from_config(encoder.get_config())
    assert not any(variable.trainable for variable in again.weights)


def test_large_dense_layers_warn_and_name_the_convolutional_way(monkeypatch):
    monkeypatch.setattr("keras_vae.networks.network.MAX_DENSE_PARAMETERS", 1000)
    with pytest.warns(UserWarning, match=r"dense layers of this ConvEncoder.*ConvMapEncoder"):
        ConvEncoder((32, 32, 1), 2, (4,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ConvMapEncoder((None, None, 1), 2, (40, 40))  # as many, in convolutions
