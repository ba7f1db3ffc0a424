import keras
import numpy as np
from keras import ops

from keras_vae import operations
from keras_vae.operations import plain

ARRAY = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")


def test_a_plain_operation_returns_what_it_does():
    x, y = (ops.convert_to_tensor(ARRAY[..., i : i + 2]) for i in (0, 2))
    for name, *arguments in [
        ("concatenate", [x, y], 1),
        ("cumsum", x, 1),
        ("mean", x),
        ("minimum", x, 0.1),
        ("sigmoid", x),
        ("softmax", x, 1),
        ("split", x, [2, 3], 1),
        ("stack", [x, y]),
        ("sum", x, -1),
        ("tanh", x),
        ("square", x),  # which no backend replaces
    ]:
        operation = getattr(ops, name)
        found, expected = plain(operation)(*arguments), operation(*arguments)
        for f, e in zip(*map(keras.tree.flatten, (found, expected)), strict=True):
            arrays = ops.convert_to_numpy(f), ops.convert_to_numpy(e)
            np.testing.assert_allclose(*arrays, rtol=1e-6, err_msg=name)


def test_another_function_may_replace_an_operation(monkeypatch):
    monkeypatch.setattr(operations, "_PLAIN", dict(operations._PLAIN))
    operations.replace_by(ops.tanh, abs)
    assert plain(ops.tanh) is abs
