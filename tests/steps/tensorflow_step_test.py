import subprocess
import sys

import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import layers
from keras import ops
from states import largest_difference
from states import state

from keras_vae import GenerativeModel
from keras_vae import Term

if keras.config.backend() != "tensorflow":
    pytest.skip("runs on TensorFlow", allow_module_level=True)

import tensorflow as tf


class Chain(GenerativeModel):
    """s = c g x; the gradient of s with respect to g does not depend on g."""

    def __init__(self):
        super().__init__(seed=0)
        self.g, self.c = (layers.Dense(1, use_bias=False, name=name) for name in "gc")

    def known_shape(self):
        return (None, 1)

    def objective(self):
        return {"score": Term(group="g"), "size": Term(group="c", metric=None)}

    def terms(self, x, c=None, training=False):
        score = self.c(self.g(x))[:, 0]
        return {"score": score, "size": ops.square(score)}


def test_no_weight_is_updated_before_the_forward_pass_has_read_it():
    # Where it was, it was so in every second compiled graph.
    for _ in range(6):
        model = Chain()
        model.compile(keras.optimizers.SGD(1.0), jit_compile=False)
        for _ in range(5):
            model.g.kernel.assign([[0.5]])
            model.c.kernel.assign([[2.0]])
            logs = model.train_on_batch(np.full((4, 1), 0.2, "float32"), return_dict=True)
            np.testing.assert_allclose(logs["score"], 0.2, rtol=1e-6)  # 2 * 0.5 * 0.2
            # d s^2 / dc = 2 s g x = 0.04
            np.testing.assert_allclose([float(model.c.kernel[0, 0])], [1.96], rtol=1e-6)


def test_the_step_is_traced_once(monkeypatch):
    # A second trace, for want of the optimizer's variables, doubles the wait for the first epoch.
    traced, family = [], BY_NAME["vae"]
    step = type(family.model()).train_step
    monkeypatch.setattr(type(family.model()), "train_step", lambda *a: traced.append(1) or step(*a))
    for train in (lambda m, x: m.fit(x, batch_size=4, epochs=2, verbose=0), train_on_two_batches):
        model = family.model()
        model.compile(keras.optimizers.Adam())
        train(model, family.data())
        assert traced == [1]
        traced.clear()


def train_on_two_batches(model, x):
    for batch in (x[:4], x[4:]):
        model.train_on_batch(batch)


def batches(x, size=4):
    """Returns a data set whose number of batches Keras cannot know."""

    def examples():
        for i in range(0, len(x), size):
            yield x[i : i + size]

    shape = (None, *x.shape[1:])
    return tf.data.Dataset.from_generator(
        examples, output_signature=tf.TensorSpec(shape, "float32")
    )


def test_nothing_moves_where_a_batch_is_asked_for_in_vain():
    family = BY_NAME["vae"]
    known, unknown = family.compiled(), family.compiled()
    x = family.data()
    known.fit(x, batch_size=4, shuffle=False, epochs=3, verbose=0)
    unknown.fit(batches(x), epochs=3, verbose=0)
    assert int(unknown.optimizer.iterations) == 6
    assert largest_difference(state(unknown), state(known)) == 0.0
    known.evaluate(x, batch_size=4, verbose=0)
    unknown.evaluate(batches(x), verbose=0)
    assert largest_difference(state(unknown), state(known)) == 0.0


def test_a_jitted_function_is_traced_once_and_its_noise_advances():
    model, traces = BY_NAME["vae"].model(), []

    def draw(x):
        traces.append(1)
        return model.encode(x).sample(model.noise.stream(training=False))

    run, x = model.jitted(draw), BY_NAME["vae"].data()
    first, second = run(x), run(x)
    assert len(traces) == 1
    assert isinstance(first, np.ndarray)
    assert np.abs(first - second).max() > 1e-3


def test_nothing_is_said_about_compiling():
    """AutoGraph used to warn, at each call, of a function whose source it could not find."""
    script = (
        "from keras_vae import PixelCNN;"
        "PixelCNN((2, 2), 3, filters=4, num_blocks=1, first_kernel_size=3).sample(2, seed=0)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "AutoGraph" not in said.stderr
