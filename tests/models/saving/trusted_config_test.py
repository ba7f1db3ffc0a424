import copy
import sys

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_vae import VAE
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae.models.saving.trusted_config import check_config
from keras_vae.models.saving.trusted_config import class_of


@keras.saving.register_keras_serializable(package="trusted_config_test")
class Mine(layers.Layer):
    def call(self, x):
        return x


@keras.saving.register_keras_serializable(package="trusted_config_test")
def my_activation(x):
    return ops.tanh(x)


def of(value, module="keras.layers", **more):
    return {"module": module, "class_name": value, "config": {}, "registered_name": None, **more}


def inside(value):
    """A model's config with something in the place of its encoder."""
    config = of("VAE", "keras_vae.models.vae", registered_name="keras_vae>VAE")
    return {**config, "config": {"encoder": value}}


def network(*middle, shape=(8, 8, 1)):
    return keras.Sequential([keras.Input(shape), *middle])


def ops_network():
    x = keras.Input((4,))
    y = ops.concatenate([x, x * 2.0 + np.ones(4, "float32")], axis=-1)[:, 1:5]
    y = ops.where(ops.equal(y, 0.0), y, ops.relu(ops.reshape(y, (-1, 4))))
    return keras.Model(x, [layers.Dense(2)(y), ops.softmax(y)])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "value",
    [
        VAE(MLPEncoder((4,), 2, (3,)), MLPDecoder((4,), 2, (3,)), seed=2**31 - 1),
        network(layers.Conv2D(2, 3, activation="silu", kernel_regularizer="l2"), Mine()),
        network(layers.Rescaling(1 / 255), layers.BatchNormalization(), layers.PReLU()),
        network(layers.LSTM(2, kernel_initializer="orthogonal"), shape=(3, 2)),
        network(layers.Bidirectional(layers.GRU(2)), layers.GaussianNoise(0.1, 7), shape=(3, 2)),
        network(layers.Dense(2, activation=my_activation, kernel_constraint="max_norm")),
        network(layers.Dense(2, activation=keras.activations.gelu, dtype="mixed_bfloat16")),
        network(layers.Dense(2, kernel_initializer=keras.initializers.Constant([[0.5]] * 1))),
        ops_network(),
        network(Mine(), network(layers.Dense(2))),
        layers.MultiHeadAttention(2, 3),
        layers.SpectralNormalization(layers.Dense(2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_keras_writes_of_networks_is_allowed(value):
    check_config(keras.saving.serialize_keras_object(value))


FUNCTIONS = [
    of("function", "builtins", config="eval"),
    of("function", "builtins", config="mean_squared_error"),
    of("function", "os", config="system"),
    of("function", "keras.activations", config="__class__"),
    of("function", "keras.utils", config="get_file"),
    of("function", "keras.saving", config="load_model"),
    of("function", "keras.config", config="enable_unsafe_deserialization"),
    of("function", config={"name": "relu"}),
]
CLASSES = [
    of("Lambda"),
    of("Lambda", "keras.src.layers.core.lambda_layer"),
    of("TFSMLayer"),
    of("TorchModuleWrapper"),
    of("JaxLayer"),
    of("FlaxLayer"),
    of("StringLookup"),
    of("IntegerLookup"),
    of("TextVectorization"),
    of("Popen", "subprocess"),
    of("Popen", "subprocess", registered_name="subprocess>Popen"),
    of("Adam", "keras.optimizers"),
    of("ModelCheckpoint", "keras.callbacks"),
    of("CSVLogger", "keras.callbacks"),
    of("FileEditor", "keras.saving.file_editor"),
    of("KerasFileEditor", "keras.saving"),
    of("Export", "keras.export"),
    of("layers.Dense", "keras"),
    of("Dense", "keras_hub.layers"),
    of("Dense", "kerasX"),
    of("Dense", None),
    of("Dense", ["keras.layers"]),
    of(None),
    of(["Dense"]),
    of("Dense", registered_name=["x"]),
    of("__lambda__"),
    of("__typespec__"),
    {"class_name": "Lambda", "config": {}},
    {"class_name": "MLPEncoder", "config": {}, "registered_name": "keras_vae>MLPEncoder"},
]
NUMBERS = [
    of("Dense", config={"units": 10**12}),
    of("Dense", config={"units": -(10**12)}),
    of("Dense", config={"units": 10**4000}),
    of("Dense", config={"rate": float("nan")}),
    of("Dense", config={"seed": 2**64}),
    of("Dense", build_config={"input_shape": [None, 2**40]}),
    of("Dense", config={"input_shape": [2**13, 2**12]}),
    of("Dense", config={"target_shape": [1] * 9}),
]
REST = [
    of("Dense", compile_config={"optimizer": "adam"}),
    of("Dense", inbound_nodes=[{"args": [[[1.0]]], "kwargs": {}}]),
    of("Dense", inbound_nodes=[[["input", 0, 0, {}]]]),
    of("Dense", inbound_nodes="abc"),
    {"class_name": "Dense"},
    of("__tensor__", config={"value": ["a"], "dtype": "S2000000000"}),
    of("__numpy__", config={"value": ["a"], "dtype": "object"}),
    of("__numpy__", config=[1]),
    [of("Dense", "keras.layers")] * 10_001,
]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("value", FUNCTIONS + CLASSES + NUMBERS + REST, ids=range(54))
def test_all_else_is_refused_and_nothing_imported(value):
    modules = set(sys.modules)
    with pytest.raises(ValueError, match=r"model\.config\.encoder|objects, and 10,000") as error:
        check_config(inside([value]))
    assert len(str(error.value)) < 500
    assert set(sys.modules) == modules


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "config",
    [
        {},
        [],
        None,
        "VAE",
        of("function", "builtins", config="relu"),
        of("__numpy__"),
        of("Nothing"),
    ],
)
def test_a_model_is_of_a_class(config):
    with pytest.raises(ValueError, match="unknown or not allowed"):
        check_config(config)


def test_seeds_and_data_may_be_large():
    data = of("__numpy__", config={"value": [2**40], "dtype": "int64"})
    check_config(inside([of("Dense", config={"seed": 2**60}), data]))


def test_the_config_is_left_as_it_was():
    config = keras.saving.serialize_keras_object(ops_network())
    before = copy.deepcopy(config)
    check_config(config)
    assert config == before


def test_class_of():
    assert class_of(of("Dense")) is layers.Dense
    assert class_of(keras.saving.serialize_keras_object(Mine())) is Mine
    assert class_of(of("Lambda")) is None
    assert (
        class_of(of("my_activation", registered_name="trusted_config_test>my_activation")) is None
    )
