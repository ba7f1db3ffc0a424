"""Checks of the encoder, decoder and likelihood of a model, and their shapes and defaults."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_vae.likelihoods import BernoulliLikelihood
from keras_vae.likelihoods import BernoulliProbabilityLikelihood
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base import any_size


def known_input_shape(network: keras.Model, decoder: keras.Model | None = None) -> tuple | None:
    """Returns the shape of a batch of x, (None, *S), or `None` if the network does not know it.

    If the network and its `decoder` both leave height and width open, any size is allowed:
    (None, None, None, C).
    """
    shape = _first_shape(network, "input_shape")
    if shape is None or None not in shape[1:]:
        return shape
    decoded = _first_shape(decoder, "output_shape")
    are_open = [any_size.is_of_any_size(s[1:]) for s in (shape, decoded) if s and len(s) == 4]
    return shape if are_open == [True, True] and shape[-1] else None


def _first_shape(network, name):
    """Returns the shape of a network's only or first input or output, `None` where unknown."""
    shape = getattr(network, name, None) if network is not None and network.built else None
    shape = shape[0] if isinstance(shape, list) else shape  # [x, condition]
    return shape if isinstance(shape, tuple) else None


def check_numbers(
    argument: str, value: float | Sequence[float], can_be_zero: bool = True
) -> float | list[float]:
    """Returns a number, or a list with one number for each channel, as floats.

    Raises:
        ValueError: If one is not finite, or is 0 and `can_be_zero` is false.
    """
    try:
        numbers = np.asarray(value, "float64")
    except (TypeError, ValueError):
        numbers = np.asarray(np.nan)
    if numbers.ndim > 1 or not np.isfinite(numbers).all() or not (can_be_zero or numbers.all()):
        kind = "a finite number" if can_be_zero else "a finite number other than 0"
        raise ValueError(
            f"`{argument}` must be {kind}, or a list of one for each channel. Received: {value!r}."
        )
    found: float | list[float] = numbers.tolist()
    return found


def check_network(name: str, network: keras.Model) -> None:
    """Raises `TypeError` if a network is not a `keras.Model`."""
    if not isinstance(network, keras.Layer):
        raise TypeError(
            f"`{name}` must be a `keras.Model`, such as keras_vae.MLP{name.title()}(...). "
            f"Received: {network!r}."
        )


def check_likelihood(likelihood: Likelihood) -> Likelihood:
    """Returns `likelihood`; raises `TypeError` if it is not a `Likelihood`."""
    if not isinstance(likelihood, Likelihood):
        raise TypeError(
            "`likelihood` must be a likelihood layer such as keras_vae.GaussianLikelihood(sigma). "
            f"Received: {likelihood!r}."
        )
    return likelihood


def default_likelihood(decoder: keras.Model) -> Likelihood:
    """Returns a Bernoulli likelihood, of probabilities if the decoder is seen to end in sigmoid."""
    last = decoder.layers[-1] if getattr(decoder, "layers", None) else decoder
    ends_in_sigmoid = getattr(last, "activation", None) is keras.activations.sigmoid
    return BernoulliProbabilityLikelihood() if ends_in_sigmoid else BernoulliLikelihood()
