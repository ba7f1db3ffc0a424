import contextlib

import keras
import numpy as np
import pytest
from families import BY_NAME

if keras.config.backend() != "torch":
    pytest.skip("runs on PyTorch", allow_module_level=True)

import torch

from keras_vae.steps.torch_fused import fused_updates

OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(1e-2),
    "other numbers": lambda: keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    "adamw": lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.1),
    "clipped": lambda: keras.optimizers.Adam(1e-2, global_clipnorm=0.1),
    "averaged": lambda: keras.optimizers.Adam(1e-2, use_ema=True),
    "accumulated": lambda: keras.optimizers.Adam(1e-2, gradient_accumulation_steps=2),
    "scheduled": lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 8)),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-2)),
}


def calls_of(monkeypatch):
    made, original = [], torch._fused_adam_
    monkeypatch.setattr(torch, "_fused_adam_", lambda *a, **k: made.append(1) or original(*a, **k))
    return made


def updated(optimizer, context, num_steps=6, transposed=False):
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
        with torch.no_grad(), context(optimizer):
            optimizer.apply(gradients, weights)
    return [keras.ops.convert_to_numpy(v) for v in [*weights, *optimizer.variables]]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_the_updates_of_keras(name, monkeypatch):
    expected = updated(OPTIMIZERS[name](), lambda optimizer: contextlib.nullcontext())
    made = calls_of(monkeypatch)
    found = updated(OPTIMIZERS[name](), fused_updates)
    assert len(made) == (3 if name == "accumulated" else 6)
    for a, b in zip(found, expected, strict=True):
        # Six steps of up to 0.1: what float32 leaves of them.
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=5e-6)


def test_gradients_may_lie_in_memory_in_another_order():
    """As those of the kernels of convolutions do."""
    expected = updated(keras.optimizers.Adam(0.1), fused_updates)
    found = updated(keras.optimizers.Adam(0.1), fused_updates, transposed=True)
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a, b)
    x = torch.ones((2, 4, 4, 3), requires_grad=True)
    layer = keras.layers.Conv2D(5, 3)
    (gradient,) = torch.autograd.grad(layer(x).sum(), [layer.kernel.value])
    assert not gradient.is_contiguous()  # else this test could go


class MyAdam(keras.optimizers.Adam):
    pass


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam(amsgrad=True),
        keras.optimizers.Nadam(),
        keras.optimizers.SGD(),
        MyAdam(),
    ],
)
def test_other_mathematics_is_left_alone(optimizer, monkeypatch):
    made = calls_of(monkeypatch)
    updated(optimizer, fused_updates)
    assert not made
    assert "_parallel_update_step" not in vars(optimizer)


@pytest.mark.parametrize("family", ["vae", "factor_vae"])
def test_a_model_is_trained_by_it(family, monkeypatch):
    made = calls_of(monkeypatch)
    family = BY_NAME[family]
    model, x = family.compiled(), family.data()
    model.train_on_batch(x)
    assert made
