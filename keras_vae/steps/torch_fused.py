"""Adam's update in one PyTorch call, on Keras' own slots."""

import contextlib
import functools
import math
import weakref
from collections.abc import Iterator
from typing import Any

import keras
import torch

from keras_vae.steps.adams import adams_of
from keras_vae.steps.adams import is_adam


def apply(optimizer: keras.optimizers.Optimizer, gradients: list, variables: list) -> None:
    """Does what `optimizer.apply(gradients, variables)` does, with Adam's updates in one call.

    Args:
        optimizer: A built optimizer.
        gradients: List of tensors, one for each variable.
        variables: List of variables, those that the optimizer was built for.
    """
    if not variables:  # e.g. if all are frozen and a codebook follows running means
        return
    if torch.compiler.is_compiling():  # which has no fused call, and fuses Keras' own updates
        optimizer.apply(gradients, variables)
        return
    if not _is_bare_adam(optimizer, variables):
        with fused_updates(optimizer):
            optimizer.apply(gradients, variables)
        return
    lists = _LISTS.get(optimizer)
    if lists is None or not lists.are_of(variables):
        lists = _LISTS[optimizer] = _Lists(optimizer, variables)
    _fused_adam(optimizer, lists, gradients, optimizer.learning_rate)
    optimizer.iterations.value.add_(1)


def _is_bare_adam(optimizer, variables):
    """Whether an optimizer is Adam without any processing by Keras around its updates."""
    if not is_adam(optimizer) or not optimizer.built:
        return False
    does_more = (
        optimizer.weight_decay,
        optimizer.clipnorm,
        optimizer.global_clipnorm,
        optimizer.clipvalue,
        optimizer.use_ema,
        optimizer.gradient_accumulation_steps,
        optimizer.loss_scale_factor,
    )
    is_free = all(v.constraint is None and not v.overwrite_with_gradient for v in variables)
    return is_free and not any(does_more)


class _Lists:
    """The tensors of some weights and their slots, in the form that the fused call takes.

    Args:
        adam: The optimizer.
        variables: List of variables.
    """

    def __init__(self, adam: Any, variables: list):
        indices = [adam._get_variable_index(v) for v in variables]
        self.weights = [v.value for v in variables]
        self.first = [adam._momentums[i].value for i in indices]
        self.second = [adam._velocities[i].value for i in indices]

    def are_of(self, variables: list) -> bool:
        """Whether these are still the tensors of the variables."""
        pairs = zip(variables, self.weights, strict=False)
        return len(variables) == len(self.weights) and all(v.value is w for v, w in pairs)


_LISTS: weakref.WeakKeyDictionary[Any, _Lists] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def fused_updates(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Within this context `optimizer.apply` makes Adam's updates in one call each.

    Keras computes Adam's step in ten calls that each pass over all weights; PyTorch has one that
    passes over them once. Clipping, weight decay, averaging of weights and accumulation of
    gradients are still done by Keras. All other optimizers, including subclasses of Adam, are
    unaffected.

    Args:
        optimizer: Optimizer, or one that holds others: for groups, or with loss scaling.
    """
    adams = adams_of(optimizer)
    for adam in adams:
        # Set on the object, where it shadows Keras' method.
        vars(adam)["_parallel_update_step"] = functools.partial(_update, adam)
    try:
        yield
    finally:
        for adam in adams:
            del vars(adam)["_parallel_update_step"]


def _update(adam: Any, gradients: list, variables: list, learning_rate: Any) -> None:
    _fused_adam(adam, _Lists(adam, variables), gradients, learning_rate)


def _fused_adam(adam, lists, gradients, learning_rate):
    weights = lists.weights
    step = float(adam.iterations) + 1.0
    torch._fused_adam_(
        weights,
        [_laid_out_like(w, g) for w, g in zip(weights, gradients, strict=True)],
        lists.first,
        lists.second,
        [],
        [torch.tensor(step, device=weights[0].device)] * len(weights),
        amsgrad=False,
        lr=float(learning_rate),
        beta1=adam.beta_1,
        beta2=adam.beta_2,
        weight_decay=0.0,  # already applied by Keras
        # Keras adds epsilon to the root of the raw average, PyTorch to that of the unbiased one.
        eps=adam.epsilon / math.sqrt(1.0 - adam.beta_2**step),
        maximize=False,
    )


def _laid_out_like(weight, gradient):
    """Returns the gradient in the memory layout of the weight.

    The fused call traverses the memory of both in parallel, whatever their strides. Gradients of
    Keras' convolutions are transposed views of those that PyTorch computes.
    """
    if gradient.stride() == weight.stride():
        return gradient
    return torch.empty_like(weight).copy_(gradient)
