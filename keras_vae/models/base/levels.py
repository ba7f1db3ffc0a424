"""The levels of a model with several stochastic layers, and whether its networks fit together."""

from typing import NamedTuple

import keras
from keras import ops

from keras_vae.distributions import Distribution
from keras_vae.typing import Tensor


class Level(NamedTuple):
    """The results of a pass through the model at the level of one z.

    Attributes:
        posterior: q(z_l|.), the distribution that z was drawn from.
        prior: p(z_l|z_{l+1}), or p(z_L).
        z: (B, ...).
        state: The input of the next decoder: z, and the features that bypass it.
    """

    posterior: Distribution
    prior: Distribution
    z: object
    state: object


def joined(z: Tensor, features: list[Tensor]) -> Tensor:
    """Returns z and a list of at most one tensor of features, joined along the last axis."""
    return ops.concatenate([z, *features], axis=-1) if features else z


def check_networks(encoders: list[keras.Model], decoders: list[keras.Model]) -> int:
    """Returns the number of levels.

    Raises:
        ValueError: If the two are not non-empty lists of networks of the same length.
    """
    for name, networks in {"encoders": encoders, "decoders": decoders}.items():
        if not isinstance(networks, list | tuple) or not networks:
            raise ValueError(
                f"`{name}` must be a list of networks, one for each level, that of the data first. "
                f"Received: {networks!r}."
            )
    if len(encoders) != len(decoders):
        raise ValueError(
            "`encoders` and `decoders` must hold one network each for every level. Received: "
            f"{len(encoders)} encoders and {len(decoders)} decoders."
        )
    return len(encoders)


def latent_shapes(encoders: list[keras.Model], x: Tensor, passed_up: int) -> tuple:
    """Returns the shapes of z_1, ..., z_L, without the batch axis.

    Args:
        encoders: List of L networks.
        x: `keras.KerasTensor` (None, *S).
        passed_up: Integer, the index of the encoder output whose shape is the next one's input.

    Raises:
        ValueError: If an encoder does not take the output of the one before it.
    """
    shapes, given = [], x
    for i, encoder in enumerate(encoders):
        is_top = i == len(encoders) - 1
        num_outputs = 2 if is_top else max(2, passed_up + 1)
        outputs = _called(f"encoders[{i}]", encoder, given, num_outputs)
        shapes.append(tuple(outputs[0].shape[1:]))
        given = None if is_top else outputs[passed_up]
    return tuple(shapes)


def symbolic_state(decoders: list[keras.Model], shapes: tuple) -> keras.KerasTensor:
    """Returns the input of the decoder of x, a `keras.KerasTensor`.

    Args:
        decoders: List of L networks.
        shapes: What `latent_shapes` returns.

    Raises:
        ValueError: If a decoder does not take the output of the one above, or return the next z.
    """
    features: list[Tensor] = []
    for i in reversed(range(len(decoders))):
        state = joined(keras.KerasTensor((None, *shapes[i]), "float32"), features)
        mean, *rest = _called(f"decoders[{i}]", decoders[i], state, min(i, 1) + 1)
        if i and tuple(mean.shape[1:]) != shapes[i - 1]:
            raise ValueError(
                f"`decoders[{i}]` must give the mean of z_{i}. Expected: shape {shapes[i - 1]}, as "
                f"`encoders[{i - 1}]` gives it. Received: {tuple(mean.shape[1:])}."
            )
        features = rest[1:]
    return state


def _called(name, network, given, num_outputs):
    """Returns the outputs of a network on a symbolic tensor, a list of at least `num_outputs`."""
    try:
        outputs = network(given)
    except ValueError as error:
        expected = getattr(network, "input_shape", (None, "another"))[1:]
        raise ValueError(
            f"`{name}` does not take what the level before gives. Expected: shape {expected}. "
            f"Received: {tuple(given.shape[1:])}. Cause: {str(error).splitlines()[0]}"
        ) from error
    outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    if len(outputs) < num_outputs:
        meaning = ("z_mean", "z_log_var", "features")[:num_outputs]
        raise ValueError(
            f"`{name}` must return ({', '.join(meaning)}). It returned {len(outputs)} tensors, "
            f"the first of shape {tuple(outputs[0].shape)}."
        )
    return outputs
