"""Priors over the codes of a model's levels: checking, training and sampling them."""

import itertools
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import array_of
from keras_vae.conditions import Condition
from keras_vae.conditions.code_condition import CodeCondition
from keras_vae.distributions.base import sum_last
from keras_vae.models.base.autoregressive_model import AutoregressiveModel
from keras_vae.models.pixel_cnn import PixelCNN
from keras_vae.models.transformer_prior import TransformerPrior
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


def default_priors(shapes: list[Shape], num_embeddings: list[int]) -> list[AutoregressiveModel]:
    """Returns a new prior for each level: a `PixelCNN` if its codes and those above it are grids,
    otherwise a `TransformerPrior`. Below the top it is conditioned on the codes above.

    Args:
        shapes: List of the shapes of one example's codes.
        num_embeddings: List of K, the number of values of a code.
    """
    priors: list[AutoregressiveModel] = []
    sizes = list(zip(shapes, num_embeddings, strict=True))
    for level, (shape, size) in enumerate(sizes):
        told = CodeCondition(*sizes[level + 1]) if level + 1 < len(sizes) else None
        are_grids = all(len(s) == 2 for s in shapes[level : level + 2])
        family = PixelCNN if are_grids else TransformerPrior
        priors.append(family(shape, size, condition=told))
    return priors


def check_priors(
    priors: list[AutoregressiveModel],
    shapes: list[Shape],
    num_embeddings: list[int],
    condition: Condition | None = None,
) -> list[AutoregressiveModel]:
    """Returns `priors` as a list.

    Raises:
        TypeError: If one is not an `AutoregressiveModel`.
        ValueError: If they are not made for these codes, or for the output of `condition`, the
            model's own.
    """
    priors = list(priors)
    if len(priors) != len(shapes):
        raise ValueError(
            f"There must be one prior for each of the {len(shapes)} levels of codes. Received: "
            f"{len(priors)}."
        )
    for level, (prior, *expected) in enumerate(zip(priors, shapes, num_embeddings, strict=True)):
        if not isinstance(prior, AutoregressiveModel):
            raise TypeError(
                "A prior of codes must be an autoregressive model such as keras_vae.PixelCNN. "
                f"Received: {prior!r}."
            )
        received = [prior.data_shape, prior.num_embeddings]
        if received != expected:
            raise ValueError(
                f"The prior of level {level + 1} does not fit its codes. Expected: shape "
                f"{expected[0]}, num_embeddings={expected[1]}. Received: {received[0]}, "
                f"{received[1]}."
            )
        if level + 1 < len(priors):
            _check_told_of_above(prior, level, shapes[level + 1], num_embeddings[level + 1])
    told = priors[-1].condition
    if condition is not None and told is not None and told.shape != condition.shape:
        raise ValueError(
            "A prior that takes the model's own condition must take it in the same shape. "
            f"Expected: shape {condition.shape}. Received: {told.shape}, from {told!r}."
        )
    return priors


def code_costs(
    priors: list[AutoregressiveModel],
    indices: list[Tensor],
    c: Tensor,
    num_embeddings: list[int],
) -> list[Tensor]:
    """Returns the list of -log p(codes of a level | codes above), each (B,) nats.

    Codes of -1, which a quantizer has left out, cost nothing.

    Args:
        priors: List, empty for uniform codes.
        indices: List of integers (B, *positions).
        c: The embedded condition of the top prior, or `None`.
        num_embeddings: List of K.
    """
    if not priors:
        sizes = zip(indices, num_embeddings, strict=True)
        return [math.log(k) * _summed(ops.cast(i >= 0, "float32")) for i, k in sizes]
    told = [prior.given(above) for prior, above in zip(priors[:-1], indices[1:], strict=True)]
    given = zip(priors, indices, [*told, c], strict=True)
    return [_cost(prior.distribution(i, c), i) for prior, i, c in given]


def training_pairs(priors: list, indices: Tensor, condition: Tensor = None) -> list[tuple]:
    """Returns the training data of each prior: its codes, and its condition if it has one."""
    top = (indices[-1],) if priors[-1].condition is None else (indices[-1], condition)
    return [*itertools.pairwise(indices), top]


def train(
    prior: AutoregressiveModel, pair: tuple, optimizer: Any, held_out: tuple | None = None, **kwargs
) -> keras.callbacks.History:
    """Fits one prior, compiles it first if necessary, and leaves it frozen."""
    if not prior.compiled:
        prior.compile(_copy(optimizer))
    if held_out is not None:
        kwargs["validation_data"] = held_out if len(held_out) > 1 else held_out[0]
    before, prior.trainable = prior.trainable, True
    try:
        return prior.fit(*pair, **kwargs)
    finally:
        prior.trainable = before


def draw_codes(
    priors: list, num_samples: int, condition: Tensor, seeds: list[int], **options
) -> list[np.ndarray]:
    """Returns codes of all levels, drawn from the top down, a list of (num_samples, *positions).

    Args:
        priors: List of the levels' priors.
        num_samples: Integer.
        condition: Condition of the top prior, or `None`.
        seeds: List of ints, one for each level.
        **options: `temperature`, `top_k`.
    """
    indices: list[Array] = []
    for prior, seed in zip(reversed(priors), reversed(seeds), strict=True):
        condition = prior.sample(num_samples, condition, seed, **options)
        indices.insert(0, condition)
    return indices


def check_indices(indices: Array, shape: Shape, num_embeddings: int) -> np.ndarray:
    """Returns indices as an int32 NumPy array (N, *shape).

    Raises:
        ValueError: If the shape differs, or values are out of range.
    """
    indices = array_of(indices, "indices")
    fits = len(indices.shape) == len(shape) + 1 and all(
        n in (None, m) for n, m in zip(shape, indices.shape[1:], strict=True)
    )
    good = fits and indices.dtype.kind in "bui"
    if not good or indices.size == 0 or indices.min() < 0 or indices.max() >= num_embeddings:
        found = f", from {indices.min()} to {indices.max()}" if indices.size else ""
        sizes = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(
            f"`indices` must be integers from 0 to {num_embeddings - 1} of shape (N, {sizes}), as "
            f"returned by `encode_indices`. Received: shape {indices.shape}, dtype "
            f"{indices.dtype}{found}."
        )
    return indices.astype("int32")


def _cost(distribution, indices):
    nats = distribution.log_prob_of_elements(indices)
    return -_summed(ops.where(indices >= 0, nats, 0.0))


def _summed(values):
    return sum_last(values, len(values.shape) - 1)


def _check_told_of_above(prior, level, shape, num_embeddings):
    told = prior.condition
    expected = (shape, num_embeddings)
    if isinstance(told, CodeCondition) and (told.raw_shape, told.num_embeddings) == expected:
        return
    raise ValueError(
        f"The prior of level {level + 1} must be conditioned on the codes above it. Expected: "
        f"condition=CodeCondition({shape}, {num_embeddings}). Received: {told!r}."
    )


def _copy(optimizer):
    optimizer = keras.optimizers.get(optimizer)
    return type(optimizer).from_config(optimizer.get_config())
