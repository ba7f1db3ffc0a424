"""What autoencoders and their variational sisters share: an encoder, a decoder, a likelihood."""

import keras

from keras_vae.likelihoods.bernoulli import BernoulliLikelihood
from keras_vae.likelihoods.bernoulli import BernoulliProbabilityLikelihood
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.models.base.conditional_model import ConditionalModel
from keras_vae.models.base.conditional_model import as_input


class EncoderDecoderModel(ConditionalModel):
    """A model of the networks it is given: x -> encoder -> latent -> decoder -> p(x|z).

    A family defines `encode` and the terms, names its serialised parts in `parts`, and ends its
    constructor with `self.build_where_shapes_are_known()`.

    Args:
        encoder: `keras.Model` whose input is x (B, S).
        decoder: `keras.Model` from z to the parameters of the likelihood.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities where its last layer is seen to end in a sigmoid.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`.
        seed: int, or `None`; gives noise and the order of the batches.
    """

    def __init__(
        self, encoder, decoder, likelihood=None, condition=None, seed=None, name=None, dtype=None
    ):
        super().__init__(condition, seed=seed, name=name, dtype=dtype)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = check_likelihood(likelihood or _default_likelihood(decoder))

    def parts(self):
        """Returns `{constructor argument: layer}`, the parts that hold the weights."""
        own = {"encoder": self.encoder, "decoder": self.decoder, "likelihood": self.likelihood}
        return {**own, **super().parts()}

    def check_examples(self, x, name="x"):
        super().check_examples(x, name)
        self.likelihood.check(x, name)

    def decode(self, z, condition=None, training=False):
        """Returns the likelihood p(x|z), a distribution over (B, S), of z (B, D)."""
        inputs = self.with_condition(z, condition)
        return self.likelihood(self.decoder(inputs, training=training))

    def call(self, inputs, training=False):
        """Returns the mean of p(x|z) at the encoder's z without noise, (B, S): what `predict`
        gives for x, and a conditional model for `(x, condition)`."""
        x, condition = self.split_inputs(inputs)
        z = self.latent_mean(x, condition, training)
        return self.decode(z, condition, training).mean

    def latent_mean(self, x, condition=None, training=False):
        """Returns the first output of the encoder: z, or the mean of q(z|x)."""
        return self.encoder_outputs(x, condition, training)[0]

    def encoder_outputs(self, x, condition=None, training=False):
        """Returns everything the encoder gives for x, as a list of tensors."""
        outputs = self.encoder(self.with_condition(x, condition), training=training)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    def with_condition(self, tensor, condition):
        """Returns what a network is given: the tensor, and in conditional models the condition."""
        embedded = self.embedded(condition)
        return as_input(tensor) if embedded is None else [as_input(tensor), embedded]

    def reconstruct(self, x, condition=None, batch_size=128):
        """Returns the reconstructions of x as a NumPy array (N, S), without noise.

        Raises:
            ValueError: x or the condition is not data of this model.
        """
        x, *conditions = self.check_inputs(x, condition)
        inputs = (x, *conditions) if conditions else x
        return self.predict(inputs, batch_size=batch_size, verbose=0)

    def build(self, input_shape):
        """Builds every part from the shape of a batch of x, (None, *S)."""
        if self.built:  # loading a `.keras` file asks once more
            return
        self.data_shape = tuple(input_shape[1:])
        self._check_network_inputs()
        x = keras.KerasTensor((None, *self.data_shape), "float32")
        condition = None if self.condition is None else self.condition.symbolic()
        latent_shape = tuple(self.latent_mean(x, condition).shape[1:])
        self.build_latent(latent_shape)
        z = keras.KerasTensor((None, *latent_shape), "float32")
        parameters = self.decoder(self.with_condition(z, condition))
        if not self.likelihood.built:  # one read from a file has been
            self.likelihood.build(parameters.shape)
        self.likelihood.attach(self.data_shape)
        self._check_decoder(self.likelihood.data_shape(parameters.shape[1:]))

    def build_latent(self, latent_shape):
        """Builds what depends on the shape of one z; a deterministic model has nothing."""

    def build_where_shapes_are_known(self):
        """Builds the model at once where the encoder knows its input: it then has a summary,
        weights to load and optimizer slots to restore before it sees data."""
        if input_shape := known_input_shape(self.encoder):
            self.build(input_shape)

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


def known_input_shape(network):
    """Returns the shape of a batch of x, (None, *S), or `None` where the network does not know."""
    shape = getattr(network, "input_shape", None) if network.built else None
    shape = shape[0] if isinstance(shape, list) else shape  # [x, condition]
    return shape if isinstance(shape, tuple) and None not in shape[1:] else None


def check_likelihood(likelihood):
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
