"""Adam's update in one operation per weight on TensorFlow, on Keras' own slots."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_vae.steps.adams import adams_of


@contextlib.contextmanager
def fused_updates(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within this context `optimizer.apply` makes each of Adam's updates in one operation.

    Keras computes Adam's step in about ten operations, each of which passes over the whole weight;
    TensorFlow has one that passes over it once, with the same formula. Clipping, weight decay,
    averaging of weights and accumulation of gradients are still done by Keras. All other
    optimizers, including subclasses of Adam, are unaffected.

    Args:
        optimizer: Optimizer, or one that holds others: for groups, or with loss scaling.
    """
    adams = adams_of(optimizer)
    for adam in adams:
        # Set on the object, where it shadows Keras' method, and without Keras' tracking.
        object.__setattr__(adam, "update_step", functools.partial(_update_step, adam))
    try:
        yield
    finally:
        for adam in adams:
            object.__delattr__(adam, "update_step")


def _update_step(adam: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
    if variable.dtype != tf.float32:
        type(adam).update_step(adam, gradient, variable, learning_rate)
        return
    index = adam._get_variable_index(variable)
    step = tf.cast(adam.iterations + 1, "float32")
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=adam._momentums[index].value.handle,
        v=adam._velocities[index].value.handle,
        beta1_power=tf.pow(adam.beta_1, step),
        beta2_power=tf.pow(adam.beta_2, step),
        lr=tf.cast(learning_rate, "float32"),
        beta1=adam.beta_1,
        beta2=adam.beta_2,
        epsilon=adam.epsilon,
        grad=tf.convert_to_tensor(gradient),  # for an embedding it may hold only some rows
    )
