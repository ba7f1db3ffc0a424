"""What autoencoders and their variational sisters share: an encoder, a decoder, a likelihood."""

import copy

import keras
from keras import ops

from keras_vae.layers.likelihoods import BernoulliLikelihood
from keras_vae.layers.likelihoods import BernoulliProbabilityLikelihood
from keras_vae.layers.likelihoods import Likelihood
from keras_vae.models.generative_model import GenerativeModel


class EncoderDecoderModel(GenerativeModel):
    """A model of the networks it is given: x -> encoder -> latent -> decoder -> p(x|z).

    A family defines `encode` and the terms, names its serialised parts in `parts`, and ends its
    constructor with `self.build_where_shapes_are_known()`.

    Args:
        encoder: `keras.Model` whose input is x (B, S).
        decoder: `keras.Model` from z to the parameters of the likelihood.
        likelihood: `Likelihood`. By default Bernoulli: on the decoder's logits, or on its
            probabilities where its last layer is seen to end in a sigmoid.
        seed: int, or `None`; gives noise and the order of the batches.
    """

    def __init__(self, encoder, decoder, likelihood=None, seed=None, name=None, dtype=None):
        super().__init__(seed=seed, name=name, dtype=dtype)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = _check_likelihood(likelihood or _default_likelihood(decoder))

    def parts(self):
        """Returns `{constructor argument: layer}`, the parts that hold the weights."""
        return {"encoder": self.encoder, "decoder": self.decoder, "likelihood": self.likelihood}

    def check_examples(self, x, name="x"):
        super().check_examples(x, name)
        self.likelihood.check(x, name)

    def decode(self, z, training=False):
        """Returns the likelihood p(x|z), a distribution over (B, S), of z (B, D)."""
        return self.likelihood(self.decoder(_as_input(z), training=training))

    def call(self, x, training=False):
        """Returns the mean of p(x|z) at the encoder's z without noise, (B, S): what `predict`
        gives."""
        return self.decode(self.latent_mean(x, training), training).mean

    def latent_mean(self, x, training=False):
        """Returns the first output of the encoder: z, or the mean of q(z|x)."""
        return self.encoder_outputs(x, training)[0]

    def encoder_outputs(self, x, training=False):
        """Returns everything the encoder gives for x, as a list of tensors."""
        outputs = self.encoder(_as_input(x), training=training)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    def reconstruct(self, x, batch_size=128):
        """Returns the reconstructions of x as a NumPy array (N, S), without noise.

        Raises:
            ValueError: x is not data of this model.
        """
        return self.predict(x, batch_size=batch_size, verbose=0)

    def build(self, input_shape):
        """Builds every part from the shape of a batch of x, (None, *S)."""
        if self.built:  # loading a `.keras` file asks once more
            return
        self.data_shape = tuple(input_shape[1:])
        x = keras.KerasTensor((None, *self.data_shape), "float32")
        z = self.latent_mean(x)
        self.build_latent(tuple(z.shape[1:]))
        parameters = self.decoder(keras.KerasTensor((None, *z.shape[1:]), "float32"))
        if not self.likelihood.built:  # one read from a file has been
            self.likelihood.build(parameters.shape)
        self._check_decoder(self.likelihood.data_shape(parameters.shape[1:]))

    def get_config(self):
        return {
            **{k: keras.saving.serialize_keras_object(v) for k, v in self.parts().items()},
            **super().get_config(),
        }

    @classmethod
    def from_config(cls, config):
        # Keras empties the config of a functional model as it reads it: the caller keeps his.
        return cls(**{k: _deserialized(v) for k, v in copy.deepcopy(config).items()})

    def build_latent(self, latent_shape):
        """Builds what depends on the shape of one z; a deterministic model has nothing."""

    def build_where_shapes_are_known(self):
        """Builds the model at once where the encoder knows its input: it then has a summary,
        weights to load and optimizer slots to restore before it sees data."""
        shape = getattr(self.encoder, "input_shape", None) if self.encoder.built else None
        if isinstance(shape, tuple) and None not in shape[1:]:
            self.build(shape)

    def _check_decoder(self, decoded_shape):
        if tuple(decoded_shape) != self.data_shape:
            raise ValueError(
                f"The decoder does not give back the shape of the data. Expected: parameters for "
                f"x of shape {self.data_shape}, the encoder's input. Received: for "
                f"{tuple(decoded_shape)}, with {type(self.likelihood).__name__}."
            )


def _as_input(x):
    return x if isinstance(x, keras.KerasTensor) else ops.convert_to_tensor(x)


def _deserialized(value):
    is_object = isinstance(value, dict) and "class_name" in value
    return keras.saving.deserialize_keras_object(value) if is_object else value


def _check_likelihood(likelihood):
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
