"""Adam's update in one call of PyTorch, on the slots that Keras keeps."""

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any

import keras
import torch


@contextlib.contextmanager
def fused_updates(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within this context `optimizer.apply` makes Adam's updates in one call each.

    Keras computes Adam's step in ten calls that each go over all weights; PyTorch has one that
    goes over them once. Clipping, weight decay, averages of weights and the accumulation of
    gradients remain Keras'. All other optimizers, and classes derived from Adam, are left alone.

    Args:
        optimizer: optimizer, or one that holds others: of groups, or with a scale of the loss.
    """
    adams = [part for part in _parts(optimizer) if type(part) in _kinds() and not part.amsgrad]
    for adam in adams:
        # On the object, before Keras' own method of the class.
        vars(adam)["_parallel_update_step"] = functools.partial(_update, adam)
    try:
        yield
    finally:
        for adam in adams:
            del vars(adam)["_parallel_update_step"]


@functools.cache
def _kinds():
    # On PyTorch `Adam()` makes an object of a class derived from `Adam`.
    return tuple(type(kind()) for kind in (keras.optimizers.Adam, keras.optimizers.AdamW))


def _parts(optimizer):
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return getattr(inner, "optimizers", [inner])


def _update(adam: Any, gradients: list, variables: list, learning_rate: Any) -> None:
    indices = [adam._get_variable_index(v) for v in variables]
    weights = [v.value for v in variables]
    first = [adam._momentums[i].value for i in indices]
    second = [adam._velocities[i].value for i in indices]
    step = float(adam.iterations) + 1.0
    torch._fused_adam_(
        weights,
        [_laid_out_like(w, g) for w, g in zip(weights, gradients, strict=True)],
        first,
        second,
        [],
        [torch.tensor(step, device=weights[0].device)] * len(weights),
        amsgrad=False,
        lr=float(learning_rate),
        beta1=adam.beta_1,
        beta2=adam.beta_2,
        weight_decay=0.0,  # Keras has made it
        # Keras adds epsilon to the root of the raw average, PyTorch to that of the unbiased one.
        eps=adam.epsilon / math.sqrt(1.0 - adam.beta_2**step),
        maximize=False,
    )


def _laid_out_like(weight, gradient):
    """Returns the gradient in the order in memory that the weight has.

    The fused call goes through the memory of both in step, whatever their strides. Gradients of
    Keras' convolutions are transposed views of those that PyTorch computes.
    """
    if gradient.stride() == weight.stride():
        return gradient
    return torch.empty_like(weight).copy_(gradient)
