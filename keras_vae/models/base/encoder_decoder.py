"""The base of models with an encoder, a decoder and a likelihood."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import is_symbolic
from keras_vae.arrays import to_numpy
from keras_vae.batching import run_batches
from keras_vae.conditions import Condition
from keras_vae.distributions import Distribution
from keras_vae.likelihoods import BernoulliLikelihood
from keras_vae.likelihoods import BernoulliProbabilityLikelihood
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base import any_size
from keras_vae.models.base import tiling
from keras_vae.models.base.conditional_model import ConditionalModel
from keras_vae.models.base.conditional_model import as_input
from keras_vae.models.base.data import is_inside
from keras_vae.models.base.data.checks import check_examples
from keras_vae.models.base.generative_model import EncodingKind
from keras_vae.models.saving import preset_model
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


class EncoderDecoderModel(ConditionalModel):
    """A model of the networks it is given: x -> encoder -> latent -> decoder -> p(x|z).

    `encode` and `decode` are for users, and take conditions as users have them. Families use the
    methods behind these, `infer(x, c)` and `generate(z, c)`, whose c is already embedded.

    With networks between (None, None, C) and latent maps the model takes pictures of any size. The
    encoder is given x padded by reflection to multiples of `stride`; of what the decoder gives,
    `generate(..., like=x)` keeps the pixels that x has.

    Args:
        encoder: `keras.Model` whose input is x (B, S).
        decoder: `keras.Model` from z to the parameters of the likelihood.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities if its last layer is found to end in a sigmoid.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`.
        seed: Integer, or `None`. Determines all noise and the order of the batches.
        latent_shift, latent_scale: Numbers, or lists of one for each channel of z. `latents` are (z
            - latent_shift) * latent_scale.
    """

    encode_gives: EncodingKind | None = "point"
    can_reconstruct = True
    can_tile = True  # pictures of any size: `inferred` and `latent_of` say all
    latent_shape: Shape | None = None  # of one z as the decoder is given it; known once built
    stride = 1  # of pictures of any size: by how much the encoder divides height and width

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
        self.likelihood = check_likelihood(likelihood or _default_likelihood(decoder))

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
        """Returns what the model infers of x (B, S); see the family.

        Nothing keeps gradients here but `training=True`: a family's `terms` use `infer`.

        Args:
            x: array (B, S), or a data set, which is read to its end.
            condition: in a conditional model, one condition for all or (B, ...), one for each.
            training: whether layers such as dropout behave as in training.
            tile: of a model of pictures of any size: height and width in pixels of the tiles that
                large pictures are encoded in, one after the other, or `None` for whole pictures.
            overlap: how many pixels around a tile the network sees beside it. By default as many as
                count, and tiles give what the whole does; for a network that sees everything (group
                norms, attention) a quarter of `tile`, over which neighbours are blended.
            verbose: 1 shows a bar of tiles.

        Raises:
            ValueError: If x or the condition is not data of this model, or `tile` does not fit.
        """
        if is_inside() or is_symbolic(x):
            return self.infer(x, self.embedded(condition), training)
        x, *conditions = self.check_inputs(x, condition)
        if tile is not None:
            outputs = self._encoded_in_tiles(x, conditions, tile, overlap, verbose)
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
        """Returns the likelihood p(x|z), a distribution over (B, S), of z (B, D).

        Nothing keeps gradients here but `training=True`; to descend them, use `generate`.

        Args:
            z: array (B, D), finite.
            condition: in a conditional model, one condition for all or (B, ...), one for each.
            training: whether layers such as dropout behave as in training.
            tile, overlap, verbose: See `encode`, in pixels of x.

        Raises:
            ValueError: If z has another shape or is not finite, the condition does not fit, or
                `tile` does not.
        """
        if is_inside() or is_symbolic(z):
            return self.generate(z, self.embedded(condition), training)
        values = to_numpy(z, "z")
        check_examples(values, self.latent_shape, "z")
        conditions = self.conditions_for(condition, len(values))
        if tile is not None:
            parameters = self._decoded_in_tiles(
                "parameters", values, conditions, tile, overlap, verbose
            )
            with self.reading():
                return self.likelihood(ops.convert_to_tensor(parameters))
        with contextlib.nullcontext() if training else self.reading():
            z = z if training else values.astype("float32")
            return self.generate(z, self.embedded(*conditions), training)

    def infer(self, x: Tensor, c: Tensor = None, training: bool = False) -> Any:
        """Returns what `encode` does, of c as `embedded` gives it: by default the encoder's z."""
        return self.inferred(self.encoder_outputs(x, c, training), training)

    def inferred(self, outputs: list[Tensor], training: bool = False) -> Any:
        """Returns what `encode` does, of all that the encoder gives: by default its first
        output."""
        return outputs[0]

    def latent_of(self, inferred: Any) -> Tensor:
        """Returns z without noise, as the decoder is given it, of what `infer` returns."""
        return inferred

    def generate(
        self, z: Tensor, c: Tensor = None, training: bool = False, like: Tensor = None
    ) -> Distribution:
        """Returns the likelihood p(x|z, c), of c as `embedded` gives it.

        Args:
            z: (B, ...), as the decoder takes it.
            c: `None`, or (B, ...).
            training: whether layers such as dropout behave as in training.
            like: x, or any tensor (B', H, W, ...), whose height and width p(x|z) is cropped to in a
                model of pictures of any size.
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
        """Returns the mean of p(x|z) at the encoder's z without noise, (B, S): what `predict`
        gives for x, and a conditional model for `(x, condition)`. Of nominal data, which have no
        mean, it is the most probable value."""
        x, condition = self.split_inputs(inputs)
        c = self.embedded(condition)
        z = self.latent_mean(x, c, training)
        return self.likelihood.point(self.generate(z, c, training, like=x))

    def latent_mean(self, x: Tensor, c: Tensor = None, training: bool = False) -> Tensor:
        """Returns z without noise, as the decoder is given it: by default the encoder's first
        output."""
        return self.latent_of(self.infer(x, c, training))

    def encoder_outputs(self, x: Tensor, c: Tensor = None, training: bool = False) -> list[Tensor]:
        """Returns everything the encoder gives for x, as a list of tensors."""
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
        """Returns what a network is given: the tensor, and in conditional models c too."""
        return as_input(tensor) if self.condition is None else [as_input(tensor), c]

    def shown(self, likelihood: Likelihood, from_likelihood: bool) -> Tensor:
        """Returns x of p(x|z) as `sample` shows it: a draw, or the mean (of nominal data the mode).

        The stream moves on by one draw in both cases, so that a seed gives the same z in both.
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
            outputs = self._encoded_in_tiles(x, conditions, tile, overlap, verbose)
            with self.reading():
                inferred = self.inferred([ops.convert_to_tensor(y) for y in outputs])
                z = ops.convert_to_numpy(self.latent_of(inferred))
            y = self._decoded_in_tiles("point", z, conditions, tile, overlap, verbose)
            return y[:, : x.shape[1], : x.shape[2]]
        inputs = (x, *conditions) if conditions else x
        return self.predict(inputs, batch_size=batch_size, verbose=0)

    def latents(
        self,
        x: Array,
        condition: Array = None,
        batch_size: int = 32,
        tile: int | None = None,
        overlap: int | None = None,
        verbose: int = 0,
    ) -> np.ndarray:
        """Returns the latents of x as another model is trained on them: z without noise, shifted
        and scaled to a standard deviation near 1 by `latent_shift` and `latent_scale`.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            batch_size: Integer, the number of examples per batch.
            tile, overlap, verbose: See `encode`.

        Returns:
            NumPy array (N, *latent_shape), float32: (z - latent_shift) * latent_scale.

        Raises:
            ValueError: If x or the condition does not fit this model, or `tile` does not.

        Example:

        ```python
        latents = model.latents(photographs / 255)
        pictures = model.pictures(latents)
        ```
        """
        x, *conditions = self.check_inputs(x, condition)
        x, (shift, scale) = x.astype("float32"), self._shift_and_scale()
        if tile is None:
            run = self.jitted_once("latents", lambda x, *c: self.latent_mean(x, self.embedded(*c)))
            return (run_batches(run, x, *conditions, batch_size=batch_size) - shift) * scale
        outputs = self._encoded_in_tiles(x, conditions, tile, overlap, verbose)
        with self.reading():
            z = self.latent_of(self.inferred([ops.convert_to_tensor(y) for y in outputs]))
            return (ops.convert_to_numpy(z) - shift) * scale

    def pictures(
        self,
        latents: Array,
        condition: Array = None,
        batch_size: int = 32,
        tile: int | None = None,
        overlap: int | None = None,
        verbose: int = 0,
    ) -> np.ndarray:
        """Returns what latents, as `latents` gives them, stand for.

        It is the mean of p(x|z), or for nominal data the most probable value, clipped to the
        `value_range` of the likelihood where it has one.

        Args:
            latents: Array (N, *latent_shape).
            condition: In a conditional model: one condition for all, or an array (N, ...) of one
                for each.
            batch_size: Integer, the number of examples per batch.
            tile, overlap, verbose: See `encode`, in pixels of x.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: If the latents have another shape or are not finite, or the condition or
                `tile` does not fit.
        """
        values = to_numpy(latents, "latents")
        check_examples(values, self.latent_shape, "latents")
        conditions = self.conditions_for(condition, len(values))
        shift, scale = self._shift_and_scale()
        z = values.astype("float32") / scale + shift

        def decoded(z, *c):
            return self.likelihood.point(self.generate(z, self.embedded(*c)))

        if tile is None:
            run = self.jitted_once("pictures", decoded)
            x = run_batches(run, z, *conditions, batch_size=batch_size)
        else:
            x = self._decoded_in_tiles("point", z, conditions, tile, overlap, verbose)
        return x if self.likelihood.value_range is None else x.clip(*self.likelihood.value_range)

    def save_to_diffusers(self, folder: str | Path) -> None:
        """Writes the model so that diffusers reads it: `config.json` and
        `diffusion_pytorch_model.safetensors`, float32.

        Its networks must be `AutoencoderKLEncoder` and `AutoencoderKLDecoder`, those of `VQModel`,
        or the tiny autoencoder's without group norms. `keras_vae.from_preset` reads the folder too.

        Raises:
            ValueError: If diffusers has no such model, or weights are not finite. Nothing is
                written.
            OSError: If the disk is full, or the folder cannot be written to.

        Example:

        ```python
        model = keras_vae.from_preset("hf://madebyollin/taesd")
        model.save_to_diffusers("mine")  # diffusers.AutoencoderTiny.from_pretrained("mine")
        ```
        """
        preset_model.save_foreign(self, folder)

    def _shift_and_scale(self):
        return np.asarray(self.latent_shift, "float32"), np.asarray(self.latent_scale, "float32")

    # Tiles.

    def _encoded_in_tiles(self, x, conditions, tile, overlap, verbose):
        """Returns all that the encoder gives for x, NumPy arrays."""
        tiles = self._tiles(self.encoder, tile, overlap)
        run = self.jitted_once(
            "encoded tile", lambda x, *c: tuple(self.encoder_outputs(x, self.embedded(*c)))
        )
        return self._in_tiles(run, x, conditions, tiles, self.stride, 1, verbose)

    def _decoded_in_tiles(self, what, z, conditions, tile, overlap, verbose):
        """Returns the decoder's "parameters" for z, or the "point" of p(x|z), a NumPy array."""
        tiles = self._tiles(self.decoder, tile, overlap)

        def decoded(z, *c):
            parameters = self.decoder(self.with_condition(z, self.embedded(*c)))
            if what == "parameters":
                return (parameters,)
            return (self.likelihood.point(self.likelihood(parameters)),)

        run = self.jitted_once(("decoded tile", what), decoded)
        return self._in_tiles(run, z, conditions, tiles, 1, self.stride, verbose)[0]

    def _tiles(self, network, tile, overlap):
        if not self.is_of_any_size or not self.can_tile:
            raise ValueError(
                "`tile` is for models with one latent map of pictures of any size. Received: "
                f"tile={tile!r}, and a {type(self).__name__} of data of shape {self.data_shape}. "
                "Leave it out, or use networks such as ConvMapEncoder((None, None, 3), ...)."
            )
        return tiling.tiles_of(network, self.stride, network is self.encoder, tile, overlap)

    def _in_tiles(self, run, x, conditions, tiles, scale_in, scale_out, verbose):
        cells = [-(-n // scale_in) for n in x.shape[1:3]]
        bar = keras.utils.Progbar(
            len(x) * tiling.num_tiles(cells, tiles), verbose=verbose, unit_name="tile"
        )
        of_each = [
            tiling.over_tiles(
                lambda part, i=i: run(part, *(c[i : i + 1] for c in conditions)),
                x[i : i + 1],
                tiles,
                scale_in,
                scale_out,
                bar.add,
            )
            for i in range(len(x))
        ]
        if len(of_each) == 1:  # a large one, say, which is not copied
            return of_each[0]
        return [np.concatenate(arrays) for arrays in zip(*of_each, strict=True)]

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
        if not self.likelihood.built:  # one read from a file has been
            self.likelihood.build(parameters.shape)
        self.likelihood.attach(tuple(x.shape[1:]))
        self._check_decoder(self.likelihood.data_shape(parameters.shape[1:]), tuple(x.shape[1:]))

    def build_latent(self, latent_shape: Shape) -> None:
        """Builds what depends on the shape of one z; a deterministic model has nothing."""

    def check_values(self, x: np.ndarray, name: str = "x") -> None:
        self.likelihood.check(x, name)

    def advise(self, x: np.ndarray) -> None:
        self.likelihood.advise(x)

    def _check_network_inputs(self):
        expected = 1 if self.condition is None else 2
        for name, first in (("encoder", "x"), ("decoder", "z")):
            inputs = getattr(getattr(self, name), "inputs", None)  # a functional model shows them
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
                f"The encoder of {type(self).__name__} takes pictures of any size, so it must give "
                "maps (B, h, w, D) whose height and width are those of x, halved a whole number of "
                f"times. Received: {tuple(latent_shape)} of {any_size.PROBE} x {any_size.PROBE} "
                "pixels. Use networks such as ConvMapEncoder, or give the encoder a fixed "
                "`input_shape`."
            )
        return stride

    def _check_decoder(self, decoded_shape, shape):
        if tuple(decoded_shape) != shape:
            raise ValueError(
                f"The decoder does not give back the shape of the data. Expected: parameters for "
                f"x of shape {shape}, the encoder's input. Received: for "
                f"{tuple(decoded_shape)}, with {type(self.likelihood).__name__}."
            )


def known_input_shape(network: keras.Model, decoder: keras.Model | None = None) -> tuple | None:
    """Returns the shape of a batch of x, (None, *S), or `None` where the network does not know.

    Where its `decoder` leaves height and width open as the network does, every size is data:
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
    """Returns a number, or a list of one for each channel, as floats.

    Raises:
        ValueError: If one is not finite, or is 0 where it must not be.
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
    """Raises `TypeError` where a network is none."""
    if not isinstance(network, keras.Layer):
        raise TypeError(
            f"`{name}` must be a `keras.Model`, such as keras_vae.MLP{name.title()}(...). "
            f"Received: {network!r}."
        )


def check_likelihood(likelihood: Likelihood) -> Likelihood:
    """Returns `likelihood`; raises `TypeError` where it is none."""
    if not isinstance(likelihood, Likelihood):
        raise TypeError(
            "`likelihood` must be a likelihood layer such as keras_vae.GaussianLikelihood(sigma). "
            f"Received: {likelihood!r}."
        )
    return likelihood


def _default_likelihood(decoder):
    """Bernoulli, on probabilities where the decoder's last layer shows that it gives them."""
    last = decoder.layers[-1] if getattr(decoder, "layers", None) else decoder
    ends_in_sigmoid = getattr(last, "activation", None) is keras.activations.sigmoid
    return BernoulliProbabilityLikelihood() if ends_in_sigmoid else BernoulliLikelihood()
