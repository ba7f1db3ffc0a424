import keras
import numpy as np
import pytest
from families import BY_NAME
from optimizers import ADAMS
from optimizers import OTHERS

if keras.config.backend() != "tensorflow":
    pytest.skip("runs on TensorFlow", allow_module_level=True)

import tensorflow as tf

from keras_vae.steps.tensorflow_fused import fused_updates

SHAPES = [(5, 3), (3,), ()]


def calls_of(monkeypatch):
    made, original = [], tf.raw_ops.ResourceApplyAdam
    monkeypatch.setattr(
        tf.raw_ops, "ResourceApplyAdam", lambda **k: made.append(1) or original(**k)
    )
    return made


def updated(optimizer, is_fused, dtype="float32", jit_compile=False):
    """Returns the weights and slots after six steps along fixed gradients."""
    rng = np.random.default_rng(0)
    weights = [keras.Variable(rng.normal(size=s), dtype=dtype) for s in SHAPES]
    optimizer.build(weights)

    @tf.function(jit_compile=jit_compile)
    def step(*gradients):
        optimizer.apply(list(gradients), weights)

    for _ in range(6):
        gradients = [tf.constant(rng.normal(size=s), dtype) for s in SHAPES]
        if is_fused:
            with fused_updates(optimizer):
                step(*gradients)
        else:
            step(*gradients)
    return [keras.ops.convert_to_numpy(v) for v in [*weights, *optimizer.variables]]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", ADAMS)
def test_equals_the_updates_of_keras(name, jit_compile, monkeypatch):
    expected = updated(ADAMS[name](), False, jit_compile=jit_compile)
    made = calls_of(monkeypatch)
    found = updated(ADAMS[name](), True, jit_compile=jit_compile)
    assert len(made) >= len(SHAPES)
    for a, b in zip(found, expected, strict=True):
        # Six steps of up to 0.1: what float32 leaves of them.
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=5e-6)


def test_gradients_of_some_rows(monkeypatch):
    def after(is_fused):
        table, optimizer = keras.Variable(np.ones((4, 2)), dtype="float32"), ADAMS["adam"]()
        optimizer.build([table])
        rows = tf.IndexedSlices(tf.ones((2, 2)), tf.constant([1, 1]), tf.constant([4, 2]))
        if is_fused:
            with fused_updates(optimizer):
                optimizer.apply([rows], [table])
        else:
            optimizer.apply([tf.convert_to_tensor(rows)], [table])
        return keras.ops.convert_to_numpy(table)

    np.testing.assert_allclose(after(True), after(False), rtol=1e-6)
    assert (after(True)[[0, 2, 3]] == 1).all()


@pytest.mark.parametrize("name", OTHERS)
def test_other_mathematics_is_left_alone(name, monkeypatch):
    made, optimizer = calls_of(monkeypatch), OTHERS[name]()
    updated(optimizer, True)
    assert not made
    assert "update_step" not in vars(optimizer)


def test_weights_of_other_dtypes_are_left_to_keras(monkeypatch):
    expected = updated(ADAMS["adam"](), False, "bfloat16")
    made = calls_of(monkeypatch)
    found = updated(ADAMS["adam"](), True, "bfloat16")
    assert not made
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(a, "float32"), np.asarray(b, "float32"))


def test_nothing_is_left_on_the_optimizer():
    optimizer = ADAMS["adam"]()
    updated(optimizer, True)
    assert "update_step" not in vars(optimizer)
    assert optimizer.update_step.__func__ is keras.optimizers.Adam.update_step


@pytest.mark.parametrize("family", ["vae", "factor_vae"])
def test_a_model_is_trained_by_it(family, monkeypatch):
    made = calls_of(monkeypatch)
    family = BY_NAME[family]
    model, x = family.compiled(), family.data()
    model.train_on_batch(x)
    assert made
