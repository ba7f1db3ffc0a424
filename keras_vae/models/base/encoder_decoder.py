"""The base of models with an encoder, a decoder and a likelihood."""

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import array_of
from keras_vae.arrays import is_symbolic
from keras_vae.conditions import Condition
from keras_vae.distributions import Distribution
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base import any_size
from keras_vae.models.base import tiled
from keras_vae.models.base.conditional_model import ConditionalModel
from keras_vae.models.base.conditional_model import as_input
from keras_vae.models.base.data import is_inside
from keras_vae.models.base.data.checks import check_examples
from keras_vae.models.base.generative_model import EncodingKind
from keras_vae.models.base.latent_pictures import LatentPictures
from keras_vae.models.base.networks_given import check_likelihood
from keras_vae.models.base.networks_given import check_network
from keras_vae.models.base.networks_given import check_numbers
from keras_vae.models.base.networks_given import default_likelihood
from keras_vae.models.base.networks_given import known_input_shape
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


class EncoderDecoderModel(LatentPictures, ConditionalModel):
    """A model of the form x -> encoder -> z -> decoder -> p(x|z).

    `encode` and `decode` are for users, and take conditions as users pass them. Families use the
    underlying methods `infer(x, c)` and `generate(z, c)`, whose c is already embedded.

    If its networks map between (None, None, C) and latent maps, the model takes pictures of any
    size. x is padded by reflection to multiples of `stride` before it is encoded, and
    `generate(..., like=x)` crops the decoder's output to the size of x.

    Args:
        encoder: `keras.Model` whose input is x (B, S).
        decoder: `keras.Model` from z to the parameters of the likelihood.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities if its last layer is found to end in a sigmoid.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`.
        seed: Integer, or `None`. Determines all noise and the order of the batches.
        latent_shift, latent_scale: Numbers, or lists with one number for each channel of z.
            `latents` returns (z - latent_shift) * latent_scale.
    """

    encode_gives: EncodingKind | None = "point"
    can_reconstruct = True
    can_tile = True  # `inferred` and `latent_of` suffice to infer pictures of any size
    latent_shape: Shape | None = None  # of one z in the decoder's input; known once built
    stride = 1  # for pictures of any size: the factor by which the encoder divides height and width

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        condition: Condition | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        latent_shift: float | Sequence[float] = 0.0,
        latent_scale: float | Sequence[float] = 1.0,
    ):
        super().__init__(condition, seed=seed, name=name, dtype=dtype)
        self.latent_shift = check_numbers("latent_shift", latent_shift)
        self.latent_scale = check_numbers("latent_scale", latent_scale, can_be_zero=False)
        check_network("encoder", encoder)
        check_network("decoder", decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = check_likelihood(likelihood or default_likelihood(decoder))

    @property
    def allows_missing(self) -> bool:
        return self.likelihood.allows_missing

    def encode(
        self,
        x: Array,
        condition: Array = None,
        training: bool = False,
        tile: int | None = None,
        overlap: int | None = None,
        verbose: int = 0,
    ) -> Any:
        """Returns what the model infers from x (B, S); see the family.

        Gradients are not tracked unless `training=True`: the `terms` of a family use `infer`.

        Args:
            x: Array (B, S), or a data set, which is read to its end.
            condition: In a conditional model: one condition for all examples, or an array (B, ...)
                of one for each.
            training: Whether layers such as dropout behave as in training.
            tile: Integer, for models of pictures of any size: the height and width, in pixels, of
                the tiles in which large pictures are encoded one after the other. `None` encodes
                whole pictures.
            overlap: Integer, the number of pixels around a tile that the network also sees. By
                default as many as affect the result, so tiles give the same as the whole picture.
                This also holds if layers that see everything, such as group norms, act on the small
                latent map only, which is then computed whole. For other networks that see
                everything the default is a quarter of `tile`, over which neighbours are blended.
            verbose: 1 shows a progress bar of tiles.

        Raises:
            ValueError: If x or the condition does not fit this model, or `tile` does not.
        """
        if is_inside() or is_symbolic(x):
            return self.infer(x, self.embedded(condition), training)
        x, *conditions = self.check_inputs(x, condition)
        if tile is not None:
            outputs = tiled.encoded(self, x, conditions, tile, overlap, verbose)
            with self.reading():
                return self.inferred([ops.convert_to_tensor(y) for y in outputs])
        with contextlib.nullcontext() if training else self.reading():
            return self.infer(x.astype("float32"), self.embedded(*conditions), training)

    def decode(
        self,
        z: Tensor,
        condition: Array = None,
        training: bool = False,
        tile: int | None = None,
        overlap: int | None = None,
        verbose: int = 0,
    ) -> Distribution:
        """Returns the likelihood p(x|z), a distribution over (B, S), for z (B, D).

        Gradients are not tracked unless `training=True`; to differentiate, use `generate`.

        Args:
            z: Array (B, D), finite.
            condition: In a conditional model: one condition for all examples, or an array (B, ...)
                of one for each.
            training: Whether layers such as dropout behave as in training.
            tile, overlap, verbose: See `encode`, in pixels of x.

        Raises:
            ValueError: If z has another shape or is not finite, the condition does not fit, or
                `tile` does not.
        """
        if is_inside() or is_symbolic(z):
            return self.generate(z, self.embedded(condition), training)
        values = array_of(z, "z")
        check_examples(values, self.latent_shape, "z")
        conditions = self.conditions_for(condition, len(values))
        if tile is not None:
            parameters = tiled.decoded(
                self, "parameters", values, conditions, tile, overlap, verbose
            )
            with self.reading():
                return self.likelihood(ops.convert_to_tensor(parameters))
        with contextlib.nullcontext() if training else self.reading():
            z = z if training else values.astype("float32")
            return self.generate(z, self.embedded(*conditions), training)

    def infer(self, x: Tensor, c: Tensor = None, training: bool = False) -> Any:
        """Returns what `encode` does, for an embedded c: by default the encoder's z."""
        return self.inferred(self.encoder_outputs(x, c, training), training)

    def inferred(self, outputs: list[Tensor], training: bool = False) -> Any:
        """Returns what `encode` does, given all outputs of the encoder: by default the first."""
        return outputs[0]

    def latent_of(self, inferred: Any) -> Tensor:
        """Returns z without noise, in the decoder's form, given what `infer` returns."""
        return inferred

    def generate(
        self, z: Tensor, c: Tensor = None, training: bool = False, like: Tensor = None
    ) -> Distribution:
        """Returns the likelihood p(x|z, c), for c as `embedded` returns it.

        Args:
            z: (B, ...), as the decoder takes it.
            c: `None`, or (B, ...).
            training: Whether layers such as dropout behave as in training.
            like: x, or any tensor (B', H, W, ...). In a model of pictures of any size, p(x|z) is
                cropped to its height and width.
        """
        parameters = self.output_of(self.decoder, self.with_condition(z, c), training)
        if like is not None and self.is_of_any_size:
            parameters = any_size.cropped(parameters, like)
        return self.called(self.likelihood, parameters)

    @property
    def is_of_any_size(self) -> bool:
        """Whether the model takes pictures of any height and width."""
        return any_size.is_of_any_size(self.data_shape)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the mean of p(x|z) at the encoder's z without noise, (B, S), as `predict` does
        for x, or for `(x, condition)` in a conditional model. For nominal data, which have no mean,
        it is the most probable value."""
        x, condition = self.split_inputs(inputs)
        c = self.embedded(condition)
        z = self.latent_mean(x, c, training)
        return self.likelihood.point(self.generate(z, c, training, like=x))

    def latent_mean(self, x: Tensor, c: Tensor = None, training: bool = False) -> Tensor:
        """Returns z without noise, in the decoder's form: by default the encoder's first output."""
        return self.latent_of(self.infer(x, c, training))

    def encoder_outputs(self, x: Tensor, c: Tensor = None, training: bool = False) -> list[Tensor]:
        """Returns all outputs of the encoder for x, as a list of tensors."""
        if self.is_of_any_size and self.stride > 1:
            x = any_size.padded_by_reflection(as_input(x), self.stride)
        outputs = self.output_of(self.encoder, self.with_condition(x, c), training)
        if isinstance(outputs, dict):
            raise ValueError(
                f"The encoder of {type(self).__name__} must return a tensor or a tuple of tensors, "
                "such as (z_mean, z_log_var), whose order says which is which. It returned a dict "
                f"with the keys {', '.join(map(repr, outputs))}."
            )
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    def with_condition(self, tensor: Tensor, c: Tensor) -> Any:
        """Returns the input of a network: the tensor, and in conditional models also c."""
        return as_input(tensor) if self.condition is None else [as_input(tensor), c]

    def shown(self, likelihood: Likelihood, from_likelihood: bool) -> Tensor:
        """Returns x as `sample` shows it: a draw of p(x|z), or its mean (for nominal data, mode).

        The random stream advances by one draw in both cases, so that a seed gives the same z.
        """
        stream = self.noise.stream(training=False)
        if from_likelihood:
            return likelihood.sample(stream)
        stream.next()
        return self.likelihood.point(likelihood)

    def reconstruct(
        self,
        x: Array,
        condition: Array = None,
        batch_size: int = 128,
        tile: int | None = None,
        overlap: int | None = None,
        verbose: int = 0,
    ) -> np.ndarray:
        """Returns the reconstructions of x as a NumPy array (N, S), without noise.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            batch_size: Integer, the number of examples per batch. Tiles are taken one by one.
            tile, overlap, verbose: See `encode`.

        Raises:
            ValueError: If x or the condition does not fit this model, or `tile` does not.
        """
        x, *conditions = self.check_inputs(x, condition)
        if tile is not None:
            outputs = tiled.encoded(self, x, conditions, tile, overlap, verbose)
            with self.reading():
                inferred = self.inferred([ops.convert_to_tensor(y) for y in outputs])
                z = ops.convert_to_numpy(self.latent_of(inferred))
            y = tiled.decoded(self, "point", z, conditions, tile, overlap, verbose)
            return y[:, : x.shape[1], : x.shape[2]]
        inputs = (x, *conditions) if conditions else x
        return self.predict(inputs, batch_size=batch_size, verbose=0)

    # Construction.

    def known_shape(self) -> tuple | None:
        return known_input_shape(self.encoder, self.decoder)

    def build_parts(self) -> None:
        self._check_network_inputs()
        x, *condition = self.probes()
        c = self.embedded(*condition)
        latent_shape = tuple(self.latent_mean(x, c).shape[1:])
        z = keras.KerasTensor((None, *latent_shape), "float32")
        if self.is_of_any_size:
            self.stride = self._checked_stride(latent_shape)
            latent_shape = any_size.with_unknown_size(latent_shape)
        self.latent_shape = latent_shape
        self.build_latent(latent_shape)
        parameters = self.decoder(self.with_condition(z, c))
        if isinstance(parameters, dict | list | tuple):
            raise ValueError(
                f"The decoder of {type(self).__name__} must return one tensor, the parameters of "
                f"its likelihood. Received: a {type(parameters).__name__} of {len(parameters)}. "
                "Concatenate them along the last axis, as the likelihood takes them."
            )
        if not self.likelihood.built:  # a likelihood loaded from a file is
            self.likelihood.build(parameters.shape)
        self.likelihood.attach(tuple(x.shape[1:]))
        self._check_decoder(self.likelihood.data_shape(parameters.shape[1:]), tuple(x.shape[1:]))

    def build_latent(self, latent_shape: Shape) -> None:
        """Builds what depends on the shape of one z: nothing in a deterministic model."""

    def check_values(self, x: np.ndarray, name: str = "x") -> None:
        self.likelihood.check(x, name)

    def advise(self, x: np.ndarray) -> None:
        self.likelihood.advise(x)

    def _check_network_inputs(self):
        expected = 1 if self.condition is None else 2
        for name, first in (("encoder", "x"), ("decoder", "z")):
            inputs = getattr(getattr(self, name), "inputs", None)  # functional models have them
            if inputs and len(inputs) != expected:
                raise ValueError(
                    f"The {name} of {type(self).__name__} takes {len(inputs)} inputs. Expected: "
                    f"{expected}, {first if expected == 1 else f'[{first}, condition]'}. Build it "
                    f"{'without' if expected == 1 else 'with'} `condition_shape`."
                )

    def _checked_stride(self, latent_shape):
        stride = any_size.stride_of(latent_shape)
        if stride is None:
            raise ValueError(
                f"The encoder of {type(self).__name__} takes pictures of any size, so it must "
                "return maps (B, h, w, D) whose height and width are those of x, halved a whole "
                f"number of times. Received: {tuple(latent_shape)} for {any_size.PROBE} x "
                f"{any_size.PROBE} pixels. Use networks such as ConvMapEncoder, or give the "
                "encoder a fixed `input_shape`."
            )
        return stride

    def _check_decoder(self, decoded_shape, shape):
        if tuple(decoded_shape) != shape:
            raise ValueError(
                "The decoder's output does not match the shape of the data. Expected: parameters "
                f"for x of shape {shape}, the encoder's input. Received: parameters for "
                f"{tuple(decoded_shape)}, with {type(self.likelihood).__name__}."
            )
