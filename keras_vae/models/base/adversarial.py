"""Terms that sharpen pictures: a perceptual term, and a game against a patch discriminator."""

import functools
import math

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.models.base.encoder_decoder import EncoderDecoderModel
from keras_vae.models.base.term import Term
from keras_vae.schedules import check_weight
from keras_vae.typing import Tensor


class AdversarialModel(EncoderDecoderModel):
    """A model of pictures that is also trained on how realistic its reconstructions y look.

    A family adds `game_objective()` to its objective and `game_terms(x, y)` to its terms:

        perceptual    = N sum_l mean_{h,w} |f_l(x) - f_l(y)|^2    f of unit length at each position
        adversarial   = -N mean D(y)
        discriminator = mean max(0, 1 - D(x)) / 2 + mean max(0, 1 + D(y)) / 2      (hinge)

    where N is the number of elements of x. The weights thus set what the terms cost relative to
    the nats per element of x, whatever its size. In evaluation the loss is the family's bound
    alone.
    """

    discriminates = "data"

    discriminator: keras.Model
    features: keras.Model | None

    def enter_game(
        self,
        discriminator: keras.Model,
        features: keras.Model | None,
        perceptual_weight: float,
        adversarial_weight: float,
        discriminator_start: int,
    ) -> None:
        """Checks and stores the arguments that the families have in common."""
        for name, network in {"discriminator": discriminator, "features": features}.items():
            if not isinstance(network, keras.Layer) and not (name == "features" and not network):
                raise TypeError(
                    f"`{name}` must be a `keras.Model` of pictures, such as "
                    f"keras_vae.PatchDiscriminator(...). Received: {network!r}."
                )
        self.discriminator, self.features = discriminator, features
        self.perceptual_weight = _number("perceptual_weight", perceptual_weight)
        self.adversarial_weight = _number("adversarial_weight", adversarial_weight)
        if discriminator_start != 0:
            check_count("discriminator_start", discriminator_start)
        self.discriminator_start = int(discriminator_start)
        if features is not None:
            features.trainable = False

    @property
    def trainable(self) -> bool:
        """Whether the model is trainable; its `features` never are."""
        return keras.Model.trainable.fget(self)  # type: ignore[attr-defined]

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.Model.trainable.fset(self, value)  # type: ignore[attr-defined]
        features = getattr(self, "features", None)  # not set yet in Keras' constructor
        if features is not None:
            features.trainable = False

    def game_objective(self) -> dict[str, Term]:
        """Returns the `Term`s of what `game_terms` computes, by name."""
        perceptual = {"perceptual": Term(train=self.perceptual_weight)}
        return {
            **(perceptual if self.features is not None else {}),
            "adversarial": Term(train=_from(self.discriminator_start, self.adversarial_weight)),
            "discriminator": Term(
                train=_from(self.discriminator_start, 1.0), group="discriminator"
            ),
        }

    def game_terms(self, x: Tensor, y: Tensor, training: bool = False) -> dict[str, Tensor]:
        """Returns the terms of `game_objective`, each (B,).

        Args:
            x: (B, H, W, C), pictures.
            y: (B, H, W, C), their reconstructions.
            training: Whether layers such as dropout behave as in training.
        """
        num_numbers = ops.cast(math.prod(ops.shape(x)[1:]), "float32")
        terms = {}
        if self.features is not None:
            terms["perceptual"] = num_numbers * perceptual_distance(self.features, x, y)
        of_real = self._logits(x, training)
        of_decoded = self._logits(ops.stop_gradient(y), training)
        hinge = ops.relu(1.0 - of_real) + ops.relu(1.0 + of_decoded)
        return {
            **terms,
            "adversarial": -num_numbers * _mean_of_each(self._logits(y, training)),
            "discriminator": 0.5 * _mean_of_each(hinge),
        }

    def build_parts(self) -> None:
        super().build_parts()
        x = self.probes()[0]
        logits = self.discriminator(x)
        if len(getattr(logits, "shape", ())) < 2 or logits.shape[-1] != 1:
            raise ValueError(
                "`discriminator` must map pictures to logits, one for each patch or for each "
                f"picture. Expected: (B, h, w, 1) or (B, 1) for pictures {self.data_shape}. "
                f"Received: {getattr(logits, 'shape', logits)}."
            )
        if self.features is not None:
            self.features(x)

    def _logits(self, x, training):
        return ops.cast(self.output_of(self.discriminator, x, training), "float32")


def perceptual_distance(features: keras.Model, x: Tensor, y: Tensor) -> Tensor:
    """Returns how much pictures differ in the features of a network, (B,).

    This is the LPIPS of the reference with weights of 1: the features of a layer are normalised to
    unit length at each position, and the squared differences are summed over channels, averaged
    over positions, and summed over layers.

    Args:
        features: `keras.Model` from pictures to a map (B, h, w, F), or a list or dict of maps.
        x, y: Tensors (B, H, W, C).

    Reference:
        - [Zhang et al., 2018](https://arxiv.org/abs/1801.03924), equation 1
    """
    maps = (keras.tree.flatten(features(v, training=False)) for v in (x, y))
    pairs = [map(_of_unit_length, pair) for pair in zip(*maps, strict=True)]
    return sum(_mean_of_each(ops.sum(ops.square(a - b), axis=-1)) for a, b in pairs)


@functools.cache  # one object, because steps are recompiled if a weight changes
def _from(start, weight):
    """Returns a weight that is 0 for the first `start` updates."""
    if not start or not weight:
        return weight
    # Keras' schedule includes the boundary in the first value, and steps are counted from 0.
    return keras.optimizers.schedules.PiecewiseConstantDecay([start - 1], [0.0, weight])


def _of_unit_length(f):
    f = ops.cast(f, "float32")
    # Without the constant the gradient of features that are all 0 would be infinite.
    return f * ops.rsqrt(ops.sum(ops.square(f), axis=-1, keepdims=True) + 1e-10)


def _mean_of_each(values):
    """Returns the means (B,) over all axes but the first."""
    return ops.mean(values, axis=tuple(range(1, len(values.shape))))


def _number(name, weight):
    if callable(weight):
        raise ValueError(f"`{name}` must be a number. Received: {weight!r}, a schedule.")
    return check_weight(name, weight)
