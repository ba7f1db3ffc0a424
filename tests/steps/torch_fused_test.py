import keras
import numpy as np
import pytest
from families import BY_NAME
from optimizers import ADAMS
from optimizers import OTHERS

if keras.config.backend() != "torch":
    pytest.skip("runs on PyTorch", allow_module_level=True)

import torch

from keras_vae.steps import torch_fused
from keras_vae.steps.torch_fused import fused_updates


def calls_of(monkeypatch):
    made, original = [], torch._fused_adam_
    monkeypatch.setattr(torch, "_fused_adam_", lambda *a, **k: made.append(1) or original(*a, **k))
    return made


def with_fused_updates(optimizer, gradients, weights):
    with fused_updates(optimizer):
        optimizer.apply(gradients, weights)


def as_keras(optimizer, gradients, weights):
    optimizer.apply(gradients, weights)


def updated(optimizer, apply, num_steps=6, transposed=False):
    """Returns the weights and slots after steps along fixed gradients, in memory as the weights
    are, or transposed."""
    rng = np.random.default_rng(0)
    shapes = [(5, 3), (3,), ()]
    weights = [keras.Variable(rng.normal(size=shape), dtype="float32") for shape in shapes]
    optimizer.build(weights)
    for _ in range(num_steps):
        gradients = [torch.tensor(rng.normal(size=s), dtype=torch.float32) for s in shapes]
        if transposed:
            gradients = [g.T.contiguous().T if g.ndim == 2 else g for g in gradients]
        with torch.no_grad():
            apply(optimizer, gradients, weights)
    return [keras.ops.convert_to_numpy(v) for v in [*weights, *optimizer.variables]]


@pytest.mark.parametrize("apply", [with_fused_updates, torch_fused.apply])
@pytest.mark.parametrize("name", ADAMS)
def test_equals_the_updates_of_keras(name, apply, monkeypatch):
    expected = updated(ADAMS[name](), as_keras)
    made = calls_of(monkeypatch)
    found = updated(ADAMS[name](), apply)
    assert len(made) == (3 if name == "accumulated" else 6)
    for a, b in zip(found, expected, strict=True):
        # Six steps of up to 0.1: what float32 leaves of them.
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=5e-6)


class Doubled(keras.optimizers.Adam):
    def apply(self, grads, trainable_variables=None):
        super().apply([2 * g for g in grads], trainable_variables)


@pytest.mark.parametrize("name", [*ADAMS, "of a user"])
def test_the_apply_of_keras_is_left_out_of_bare_adam_only(name, monkeypatch):
    """What an optimizer does more, before its updates or after, is done there."""
    optimizer, made = ADAMS.get(name, lambda: Doubled(1e-2))(), []
    kind = type(optimizer)
    original = kind.apply
    monkeypatch.setattr(kind, "apply", lambda *a, **k: made.append(1) or original(*a, **k))
    updated(optimizer, torch_fused.apply)
    assert len(made) == (0 if name in ("adam", "other numbers", "scheduled") else 6)


def test_gradients_may_lie_in_memory_in_another_order():
    """As those of the kernels of convolutions do."""
    expected = updated(keras.optimizers.Adam(0.1), torch_fused.apply)
    found = updated(keras.optimizers.Adam(0.1), torch_fused.apply, transposed=True)
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a, b)
    x = torch.ones((2, 4, 4, 3), requires_grad=True)
    layer = keras.layers.Conv2D(5, 3)
    (gradient,) = torch.autograd.grad(layer(x).sum(), [layer.kernel.value])
    assert not gradient.is_contiguous()  # else this test could go


def test_constraints_hold():
    weight = keras.Variable(np.ones(3), dtype="float32")
    weight.constraint = keras.constraints.NonNeg()
    optimizer = keras.optimizers.Adam(2.0)
    optimizer.build([weight])
    with torch.no_grad():
        torch_fused.apply(optimizer, [torch.ones(3)], [weight])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), 0.0)


def test_weights_in_other_tensors_are_found():
    first, second = (keras.Variable(np.ones(3), dtype="float32") for _ in range(2))
    optimizer = keras.optimizers.Adam(0.5)
    optimizer.build([first, second])
    with torch.no_grad():
        torch_fused.apply(optimizer, [torch.ones(3), torch.ones(3)], [first, second])
        first._value = torch.nn.Parameter(first.value.clone())
        torch_fused.apply(optimizer, [torch.ones(3), torch.ones(3)], [first, second])
        np.testing.assert_allclose(keras.ops.convert_to_numpy(first), 0.0, atol=1e-5)
        torch_fused.apply(optimizer, [torch.ones(3)], [second])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(second), -0.5, atol=1e-5)


@pytest.mark.parametrize("apply", [with_fused_updates, torch_fused.apply])
@pytest.mark.parametrize("name", OTHERS)
def test_other_mathematics_is_left_alone(name, apply, monkeypatch):
    made, optimizer = calls_of(monkeypatch), OTHERS[name]()
    updated(optimizer, apply)
    assert not made
    assert "_parallel_update_step" not in vars(optimizer)


@pytest.mark.parametrize("family", ["vae", "factor_vae"])
def test_a_model_is_trained_by_it(family, monkeypatch):
    made = calls_of(monkeypatch)
    family = BY_NAME[family]
    model, x = family.compiled(), family.data()
    model.train_on_batch(x)
    assert made
