import gc
import weakref

import keras
import numpy as np
import pytest

if keras.config.backend() != "torch":
    pytest.skip("runs on PyTorch", allow_module_level=True)

import torch

import keras_vae
from keras_vae.layers.output_bias import OutputBias
from keras_vae.steps import torch_networks

L = keras.layers


def functional(connect, *shapes):
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], connect(*inputs))


NETWORKS = {
    "encoder": (lambda: keras_vae.MLPEncoder((4, 4, 1), 2, (5, 3)), [(4, 4, 1)]),
    "decoder": (lambda: keras_vae.MLPDecoder((4, 4, 1), 2, (5, 3)), [(2,)]),
    "conditional": (
        lambda: keras_vae.MLPEncoder((4, 4, 1), 2, (5,), condition_shape=(3,)),
        [(4, 4, 1), (3,)],
    ),
    "gated": (lambda: keras_vae.MLPEncoder((4,), 2, (5,), activation="glu"), [(4,)]),
    "convolutions": (lambda: keras_vae.ConvEncoder((8, 8, 1), 2, (4, 4)), [(8, 8, 1)]),
    "subpixel": (lambda: keras_vae.ConvDecoder((8, 8, 1), 2, (4, 4)), [(2,)]),
    "sequential": (
        lambda: keras.Sequential(
            [L.Input((6,)), L.Dense(4, "tanh"), L.Dense(3, use_bias=False), L.Activation("gelu")]
        ),
        [(6,)],
    ),
    "dict": (lambda: functional(lambda x: {"a": L.Dense(2)(x), "b": L.Dense(1)(x)}, (3,)), [(3,)]),
    "list of one": (lambda: functional(lambda x: [L.Dense(2)(x)], (3,)), [(3,)]),
    "a layer called twice": (
        lambda: functional(lambda x: (d := L.Dense(3, "silu"))(d(x)), (3,)),
        [(3,)],
    ),
    "transposed": (
        lambda: functional(lambda x: L.Conv2DTranspose(2, 3, 2, "same")(x), (4, 4, 1)),
        [(4, 4, 1)],
    ),
    **{
        f"{kind.__name__} {kernel} {stride} {padding} {size}": (
            lambda kind=kind, kernel=kernel, stride=stride, padding=padding, size=size: functional(
                lambda x: kind(2, kernel, stride, padding, activation="relu")(x), (size, size, 3)
            ),
            [(size, size, 3)],
        )
        for kind in (L.Conv2D, L.Conv2DTranspose)
        for kernel, stride in [(1, 1), (3, 1), (4, 1), (2, 2), (3, 2), (4, 2), (5, 3), ((3, 4), 2)]
        for padding in ("same", "valid")
        for size in (5, 8)
    },
    **{
        f"{kind.__name__} {options}": (
            lambda kind=kind, options=options: functional(
                lambda x: kind(2, 3, 2, "same", **options)(x), (5, 4, 3)
            ),
            [(5, 4, 3)],
        )
        for kind in (L.Conv2D, L.Conv2DTranspose)
        for options in (
            {"activation": "softmax"},  # over channels
            {"activation": "sigmoid", "use_bias": False},
            {"activation": "relu", "use_bias": False},
        )
    },
    "a product that is used twice": (
        lambda: functional(lambda x: [p := L.Dense(3, use_bias=False)(x), OutputBias()(p)], (4,)),
        [(4,)],
    ),
    "a bias that is used twice": (
        lambda: functional(
            lambda x: (b := OutputBias())(L.Dense(3, use_bias=False)(b(L.Dense(3)(x)))), (4,)
        ),
        [(4,)],
    ),
    "a bias of sequences": (
        lambda: functional(lambda x: OutputBias()(L.Dense(3, use_bias=False)(x)), (5, 4)),
        [(5, 4)],
    ),
    "a relu whose argument is used twice": (
        lambda: functional(lambda x: [p := L.Dense(3)(x), L.Activation("relu")(p)], (4,)),
        [(4,)],
    ),
    "fewer than it strides": (
        lambda: functional(lambda x: L.Conv2DTranspose(2, 2, 3, "same")(x), (4, 4, 1)),
        [(4, 4, 1)],
    ),
    "dilated": (
        lambda: functional(lambda x: L.Conv2D(2, 3, dilation_rate=2)(x), (7, 7, 2)),
        [(7, 7, 2)],
    ),
    "in groups": (
        lambda: functional(lambda x: L.Conv2D(4, 3, groups=2, use_bias=False)(x), (5, 5, 2)),
        [(5, 5, 2)],
    ),
    **{
        f"normalized in groups {options}": (
            lambda options=options: functional(
                lambda x: L.GroupNormalization(**options)(x) + x, (5, 4, 6)
            ),
            [(5, 4, 6)],
        )
        for options in (
            {"groups": 3},
            {"groups": -1, "epsilon": 0.5},
            {"groups": 2, "axis": 3, "center": False},
            {"groups": 1, "scale": False},
            {"groups": 2, "axis": 2},
        )
    },
    "of any size": (lambda: keras_vae.ResNetMapEncoder((None, None, 2), 3, (4, 4)), [(6, 5, 2)]),
    "padded": (
        lambda: functional(lambda x: L.Conv2D(2, 3, 2)(L.ZeroPadding2D(1)(x)), (5, 4, 2)),
        [(5, 4, 2)],
    ),
    "sequences": (lambda: functional(lambda x: L.Dense(3)(x), (5, 2)), [(5, 2)]),
}


def inputs_for(shapes):
    rng = np.random.default_rng(0)
    tensors = [torch.tensor(rng.normal(size=(7, *s)), dtype=torch.float32) for s in shapes]
    return tensors if len(tensors) > 1 else tensors[0]


def calls_of_layers(monkeypatch):
    calls, original = [], keras.Layer.__call__

    def call(self, *args, **kwargs):
        calls.append(self)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(keras.Layer, "__call__", call)
    return calls


def gradients(outputs, network):
    """Returns those of a weighted sum of the outputs, one for each weight."""
    total = 0.0
    for y in keras.tree.flatten(outputs):
        total = total + (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum()
    return torch.autograd.grad(total, [w.value for w in network.trainable_weights])


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_a_call_of_the_network(name, monkeypatch):
    make, shapes = NETWORKS[name]
    network, inputs = make(), inputs_for(shapes)
    rng = np.random.default_rng(1)
    network.set_weights([0.3 * rng.normal(size=w.shape) for w in network.get_weights()])
    expected = network(inputs, training=True)
    calls = calls_of_layers(monkeypatch)
    found = torch_networks.output_of(network, inputs, True)
    assert calls == [], "called as usual"
    keras.tree.assert_same_structure(found, expected)
    pairs = zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(gradients(found, network), gradients(expected, network), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_the_bias_of_a_decoder_is_added_within_the_product(monkeypatch):
    network, z = keras_vae.MLPDecoder((4, 4, 1), 2, (5,)), inputs_for([(2,)])
    products, original = [], torch.addmm
    monkeypatch.setattr(torch, "addmm", lambda *args: products.append(1) or original(*args))
    torch_networks.output_of(network, z, True)
    assert len(products) == 2


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(2)

    def call(self, x):
        return self.dense(x)


class OwnLayer(L.Dense):
    pass


OTHERS = {
    "subclassed": Own,
    "a layer of one's own": lambda: functional(lambda x: OwnLayer(2)(x), (3,)),
    "dropout": lambda: functional(lambda x: L.Dropout(0.5)(x), (3,)),
    "batch statistics": lambda: functional(lambda x: L.BatchNormalization()(x), (3,)),
    "half precision": lambda: functional(lambda x: L.Dense(2, dtype="mixed_bfloat16")(x), (3,)),
    "a cost of activations": lambda: functional(
        lambda x: L.Dense(2, activity_regularizer="l2")(x), (3,)
    ),
    "not a model": lambda: L.Dense(2),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_networks_are_called_as_usual(name, monkeypatch):
    network, x = OTHERS[name](), inputs_for([(3,)])
    network(x)
    calls = calls_of_layers(monkeypatch)
    torch_networks.output_of(network, x, False)
    assert network in calls


@pytest.mark.parametrize("on_network", [True, False])
def test_hooks_are_called(on_network):
    network, x = functional(lambda x: L.Dense(2, name="dense")(x), (3,)), inputs_for([(3,)])
    torch_networks.output_of(network, x, False)
    seen = []
    hooked = network if on_network else network.get_layer("dense")
    handle = hooked.register_forward_hook(lambda *args: seen.append(1))
    torch_networks.output_of(network, x, False)
    assert seen
    handle.remove()
    torch_networks.output_of(network, x, False)
    assert len(seen) == 1


def test_hooks_of_layers_within_layers_are_called():
    network, x = functional(keras_vae.layers.ResidualBlock(2), (4, 4, 2)), inputs_for([(4, 4, 2)])
    torch_networks.output_of(network, x, False)
    seen = []
    network.layers[1].conv_1.register_forward_hook(lambda *args: seen.append(1))
    torch_networks.output_of(network, x, False)
    assert seen


def test_a_layer_added_later_is_run():
    network, x = keras.Sequential([L.Input((3,)), L.Dense(2)]), inputs_for([(3,)])
    torch_networks.output_of(network, x, False)
    network.add(L.Dense(4))
    assert torch_networks.output_of(network, x, False).shape == (7, 4)


def test_weights_are_those_of_now():
    network, x = functional(lambda x: L.Dense(2)(x), (3,)), inputs_for([(3,)])
    before = torch_networks.output_of(network, x, False)
    network.set_weights([w * 2 for w in network.get_weights()])
    torch.testing.assert_close(torch_networks.output_of(network, x, False), 2 * before)


def test_inputs_of_another_shape_or_type_get_keras_own_errors_and_conversions():
    network = functional(lambda x: L.Dense(2)(x), (3,))
    with pytest.raises(ValueError, match="shape"):
        torch_networks.output_of(network, torch.zeros(7, 4), False)
    found = torch_networks.output_of(network, torch.zeros(7, 3, dtype=torch.int64), False)
    assert found.dtype == torch.float32


def test_a_map_is_dropped_once_it_is_used(monkeypatch):
    """Without gradients, no more than two of a chain of maps are there at a time."""
    maps, alive, original = [], [], torch.nn.functional.conv2d

    def conv2d(*args):
        found = original(*args)
        alive.append(sum(m() is not None for m in maps))
        maps.append(weakref.ref(found.untyped_storage()))
        return found

    monkeypatch.setattr(torch.nn.functional, "conv2d", conv2d)
    chain = functional(
        lambda x: L.Conv2D(2, 1)(L.Conv2D(2, 1)(L.Conv2D(2, 1)(L.Conv2D(2, 1)(x)))), (4, 4, 2)
    )
    with torch.no_grad():
        torch_networks.output_of(chain, inputs_for([(4, 4, 2)]), False)
    assert alive == [0, 1, 1, 1]


def test_a_network_is_not_kept_alive():
    network = functional(lambda x: L.Dense(2)(x), (3,))
    torch_networks.output_of(network, inputs_for([(3,)]), False)
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None


def test_a_likelihood_is_called_with_its_weights():
    likelihood, x = keras_vae.LearnedSigmaGaussianLikelihood(), inputs_for([(3,)])
    likelihood.build((None, 3))
    expected, found = likelihood(x), torch_networks.called(likelihood, x)
    torch.testing.assert_close(found.log_prob(x), expected.log_prob(x))
