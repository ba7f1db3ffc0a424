"""The base of models with an encoder, a decoder and a likelihood."""

import contextlib
from typing import Any

import keras
import numpy as np

from keras_vae.arrays import is_symbolic
from keras_vae.arrays import to_numpy
from keras_vae.conditions import Condition
from keras_vae.distributions import Distribution
from keras_vae.likelihoods import BernoulliLikelihood
from keras_vae.likelihoods import BernoulliProbabilityLikelihood
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base.conditional_model import ConditionalModel
from keras_vae.models.base.conditional_model import as_input
from keras_vae.models.base.data import is_inside
from keras_vae.models.base.data.checks import check_examples
from keras_vae.models.base.generative_model import EncodingKind
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


class EncoderDecoderModel(ConditionalModel):
    """A model of the networks it is given: x -> encoder -> latent -> decoder -> p(x|z).

    `encode` and `decode` are for users, and take conditions as users have them. Families use the
    methods behind these, `infer(x, c)` and `generate(z, c)`, whose c is already embedded.

    Args:
        encoder: `keras.Model` whose input is x (B, S).
        decoder: `keras.Model` from z to the parameters of the likelihood.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities if its last layer is found to end in a sigmoid.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`.
        seed: Integer, or `None`. Determines all noise and the order of the batches.
    """

    encode_gives: EncodingKind | None = "point"
    can_reconstruct = True
    latent_shape: Shape | None = None  # of one z as the decoder is given it; known once built

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        condition: Condition | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(condition, seed=seed, name=name, dtype=dtype)
        check_network("encoder", encoder)
        check_network("decoder", decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = check_likelihood(likelihood or _default_likelihood(decoder))

    def encode(self, x: Array, condition: Array = None, training: bool = False) -> Any:
        """Returns what the model infers of x (B, S); see the family.

        Nothing keeps gradients here but `training=True`: a family's `terms` use `infer`.

        Args:
            x: array (B, S), or a data set, which is read to its end.
            condition: in a conditional model, one condition for all or (B, ...), one for each.
            training: whether layers such as dropout behave as in training.

        Raises:
            ValueError: If x or the condition is not data of this model.
        """
        if is_inside() or is_symbolic(x):
            return self.infer(x, self.embedded(condition), training)
        x, *conditions = self.check_inputs(x, condition)
        with contextlib.nullcontext() if training else self.without_gradients():
            return self.infer(x.astype("float32"), self.embedded(*conditions), training)

    def decode(self, z: Tensor, condition: Array = None, training: bool = False) -> Distribution:
        """Returns the likelihood p(x|z), a distribution over (B, S), of z (B, D).

        Nothing keeps gradients here but `training=True`; to descend them, use `generate`.

        Args:
            z: array (B, D), finite.
            condition: in a conditional model, one condition for all or (B, ...), one for each.
            training: whether layers such as dropout behave as in training.

        Raises:
            ValueError: If z has another shape or is not finite, or the condition does not fit.
        """
        if is_inside() or is_symbolic(z):
            return self.generate(z, self.embedded(condition), training)
        values = to_numpy(z, "z")
        check_examples(values, self.latent_shape, "z")
        conditions = self.conditions_for(condition, len(values))
        with contextlib.nullcontext() if training else self.without_gradients():
            z = z if training else values.astype("float32")
            return self.generate(z, self.embedded(*conditions), training)

    def infer(self, x: Tensor, c: Tensor = None, training: bool = False) -> Any:
        """Returns what `encode` does, of c as `embedded` gives it: by default the encoder's z."""
        return self.encoder_outputs(x, c, training)[0]

    def generate(self, z: Tensor, c: Tensor = None, training: bool = False) -> Distribution:
        """Returns the likelihood p(x|z, c), of c as `embedded` gives it."""
        parameters = self.output_of(self.decoder, self.with_condition(z, c), training)
        return self.called(self.likelihood, parameters)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the mean of p(x|z) at the encoder's z without noise, (B, S): what `predict`
        gives for x, and a conditional model for `(x, condition)`. Of nominal data, which have no
        mean, it is the most probable value."""
        x, condition = self.split_inputs(inputs)
        c = self.embedded(condition)
        z = self.latent_mean(x, c, training)
        return self.likelihood.point(self.generate(z, c, training))

    def latent_mean(self, x: Tensor, c: Tensor = None, training: bool = False) -> Tensor:
        """Returns z without noise, as the decoder is given it: by default the encoder's first
        output."""
        return self.encoder_outputs(x, c, training)[0]

    def encoder_outputs(self, x: Tensor, c: Tensor = None, training: bool = False) -> list[Tensor]:
        """Returns everything the encoder gives for x, as a list of tensors."""
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

    def reconstruct(self, x: Array, condition: Array = None, batch_size: int = 128) -> np.ndarray:
        """Returns the reconstructions of x as a NumPy array (N, S), without noise.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            batch_size: Integer, the number of examples per batch.

        Raises:
            ValueError: If x or the condition does not fit this model.
        """
        x, *conditions = self.check_inputs(x, condition)
        inputs = (x, *conditions) if conditions else x
        return self.predict(inputs, batch_size=batch_size, verbose=0)

    # Construction.

    def known_shape(self) -> tuple | None:
        return known_input_shape(self.encoder)

    def build_parts(self) -> None:
        self._check_network_inputs()
        x, *condition = self.symbolic_pair()
        c = self.embedded(*condition)
        latent_shape = tuple(self.latent_mean(x, c).shape[1:])
        self.latent_shape = latent_shape
        self.build_latent(latent_shape)
        z = keras.KerasTensor((None, *latent_shape), "float32")
        parameters = self.decoder(self.with_condition(z, c))
        if not self.likelihood.built:  # one read from a file has been
            self.likelihood.build(parameters.shape)
        self.likelihood.attach(tuple(x.shape[1:]))
        self._check_decoder(self.likelihood.data_shape(parameters.shape[1:]))

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

    def _check_decoder(self, decoded_shape):
        if tuple(decoded_shape) != self.data_shape:
            raise ValueError(
                f"The decoder does not give back the shape of the data. Expected: parameters for "
                f"x of shape {self.data_shape}, the encoder's input. Received: for "
                f"{tuple(decoded_shape)}, with {type(self.likelihood).__name__}."
            )


def known_input_shape(network: keras.Model) -> tuple | None:
    """Returns the shape of a batch of x, (None, *S), or `None` where the network does not know."""
    shape = getattr(network, "input_shape", None) if network.built else None
    shape = shape[0] if isinstance(shape, list) else shape  # [x, condition]
    return shape if isinstance(shape, tuple) and None not in shape[1:] else None


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
