"""Fixtures for every network's tests."""

import keras
import numpy as np
import pytest
from keras import ops


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def draw_inputs(network, num_examples):
    """What a network is called on: one array, or a list where it takes a condition."""
    shapes = [[n or 8 for n in x.shape[1:]] for x in network.inputs]  # 8 where any size will do
    arrays = [draw(num_examples, *shape, seed=i) for i, shape in enumerate(shapes)]
    return arrays if len(arrays) > 1 else arrays[0]


def outputs_of(network, x):
    return [ops.convert_to_numpy(y) for y in keras.tree.flatten(network(x))]


@pytest.fixture
def unreached():
    """Names of the variables that one step of gradient descent leaves where they were."""

    def find(network):
        # Zero-initialised kernels stop the gradient of what stands before them, at the start only.
        for i, v in enumerate(network.variables):
            v.assign(0.3 * draw(*v.shape, seed=i))
        x = draw_inputs(network, 8)
        y = tuple(draw(*out.shape, seed=1) for out in outputs_of(network, x))
        network.compile(keras.optimizers.SGD(1e-2), loss=["mse"] * len(y))
        before = network.get_weights()
        network.train_on_batch(x, y if len(y) > 1 else y[0])
        steps = zip(network.variables, before, network.get_weights(), strict=True)
        return [v.path for v, old, new in steps if not np.abs(new - old).max() > 0]

    return find


@pytest.fixture
def assert_round_trip(tmp_path):
    """Saves a network as `.keras`, loads it elsewhere, and compares outputs and config."""

    def check(network):
        for i, v in enumerate(network.variables):
            v.assign(v + 0.1 * draw(*v.shape, seed=i))
        network.save(tmp_path / "network.keras")
        again = keras.models.load_model(tmp_path / "network.keras")
        assert type(again) is type(network)
        assert again.get_config() == network.get_config()
        assert [v.path for v in again.variables] == [v.path for v in network.variables]
        x = draw_inputs(network, 3)
        for a, b in zip(outputs_of(network, x), outputs_of(again, x), strict=True):
            assert np.array_equal(a, b)

    return check
