"""Every family of models, once, tiny: the conformance and the agreement tests run over this list.

A new family is added with one line of `FAMILIES`.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import layers
from keras import ops

from keras_vae import AAE
from keras_vae import CVAE
from keras_vae import DIPVAE
from keras_vae import IWAE
from keras_vae import VAE
from keras_vae import VAEGAN
from keras_vae import VQGAN
from keras_vae import VQVAE
from keras_vae import VQVAE2
from keras_vae import ArrayCondition
from keras_vae import Autoencoder
from keras_vae import BernoulliLikelihood
from keras_vae import BetaTCVAE
from keras_vae import BinaryCodes
from keras_vae import CategoricalCodes
from keras_vae import CategoricalLikelihood
from keras_vae import ConditionalGaussian
from keras_vae import ConvDecoder
from keras_vae import ConvEncoder
from keras_vae import ConvMapDecoder
from keras_vae import ConvMapEncoder
from keras_vae import ConvSeriesDecoder
from keras_vae import ConvSeriesEncoder
from keras_vae import CyclicAnnealing
from keras_vae import DReGIWAE
from keras_vae import ExponentialAnnealing
from keras_vae import FactorVAE
from keras_vae import FiniteScalarQuantizer
from keras_vae import GaussianLikelihood
from keras_vae import GradientUpdate
from keras_vae import GumbelVAE
from keras_vae import HierarchicalVAE
from keras_vae import InfoVAE
from keras_vae import LabelCondition
from keras_vae import LadderVAE
from keras_vae import LanguageModel
from keras_vae import LearnedSigmaGaussianLikelihood
from keras_vae import LinearAnnealing
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae import PatchDiscriminator
from keras_vae import PixelCNN
from keras_vae import Predictor
from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder
from keras_vae import ResNetMapDecoder
from keras_vae import ResNetMapEncoder
from keras_vae import RotationTrick
from keras_vae import SequenceVAE
from keras_vae import StraightThroughGumbelVAE
from keras_vae import TransformerPrior
from keras_vae import TransformerTokenDecoder
from keras_vae import TransformerTokenEncoder
from keras_vae import VectorQuantizer

NUM_EXAMPLES, BATCH_SIZE, NUM_CLASSES = 8, 4, 3


class Family(NamedTuple):
    """A tiny model and data for it.

    Attributes:
        name: str.
        make: callable without arguments; returns a new model.
        data_shape: shape of one example. Pictures are drawn black and white, vectors real.
        condition: for a conditional family, the shape of one condition: () for labels 0, 1, 2.
        target: for a predictor, the same of what it predicts.
        num_tokens: for sequences of tokens, how many there are.
    """

    name: str
    make: object
    data_shape: tuple
    condition: tuple | None = None
    target: tuple | None = None
    num_tokens: int | None = None

    def model(self, seed=0):
        """Returns a new model, the same at every call."""
        keras.utils.set_random_seed(seed)
        return self.make()

    def compiled(self, optimizer=None, **kwargs):
        model = self.model()
        model.compile(keras.optimizers.Adam(1e-2) if optimizer is None else optimizer, **kwargs)
        model.optimizer.build(model.trainable_variables)
        return model

    def data(self, num_examples=NUM_EXAMPLES):
        """Returns examples (N, *data_shape), float32, the same at every call."""
        if self.num_tokens is not None:
            return _sequences(*self.data_shape, self.num_tokens, num_examples)
        return _drawn(self.data_shape, num_examples)

    def pairs(self, num_examples=NUM_EXAMPLES):
        """Returns what `fit` takes: `(x,)`, or `(x, y)` with conditions or targets."""
        x, shape = self.data(num_examples), self.condition if self.target is None else self.target
        return (x,) if shape is None else (x, _drawn(shape, num_examples))

    def inputs(self, num_examples=NUM_EXAMPLES):
        """Returns what `predict` takes: x, or `(x, condition)`."""
        return self.data(num_examples) if self.condition is None else self.pairs(num_examples)

    def validation(self):
        """Returns what `validation_data` takes: x, or `(x, y)`."""
        pairs = self.pairs()
        return pairs[0] if len(pairs) == 1 else pairs


class OneBatch(keras.utils.PyDataset):
    """A dataset of one batch."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.parts


def _drawn(shape, num_examples):
    """Labels (N,) for (), black and white pictures for (H, W, C), real vectors for (D,)."""
    if shape == ():
        return np.arange(num_examples, dtype="int32") % NUM_CLASSES
    draws = np.random.default_rng(1).normal(size=(num_examples, *shape))
    return (draws > 0.5 if len(shape) == 3 else draws).astype("float32")


def _sequences(length, num_tokens, num_examples):
    """Sequences of tokens (N, T), of every length, the last of them cut."""
    x = np.random.default_rng(1).integers(2, num_tokens, (num_examples, length))
    ends = np.arange(num_examples)[:, None] % (length + 1)
    positions = np.arange(length)
    return np.where(positions < ends, x, positions == ends).astype("float32")


def mlp(data_shape, latent_dim=3, activation="tanh", condition_shape=None):
    """Returns an encoder and a decoder of one hidden layer each."""
    return (
        MLPEncoder(data_shape, latent_dim, (8,), activation, condition_shape=condition_shape),
        MLPDecoder(data_shape, latent_dim, (8,), activation, condition_shape=condition_shape),
    )


def conv(data_shape):
    return ConvEncoder(data_shape, 2, (3, 4)), ConvDecoder(data_shape, 2, (4, 3))


class Sampling(layers.Layer):
    """Uses (z_mean, z_log_var) to sample z, the vector encoding a digit."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        batch = ops.shape(z_mean)[0]
        dim = ops.shape(z_mean)[1]
        epsilon = keras.random.normal(shape=(batch, dim), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


def keras_example():
    """Returns encoder and decoder as https://keras.io/examples/generative/vae/ builds them."""
    latent_dim = 2

    encoder_inputs = keras.Input(shape=(28, 28, 1))
    x = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(encoder_inputs)
    x = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu")(x)
    z_mean = layers.Dense(latent_dim, name="z_mean")(x)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)
    z = Sampling()([z_mean, z_log_var])
    encoder = keras.Model(encoder_inputs, [z_mean, z_log_var, z], name="encoder")

    latent_inputs = keras.Input(shape=(latent_dim,))
    x = layers.Dense(7 * 7 * 64, activation="relu")(latent_inputs)
    x = layers.Reshape((7, 7, 64))(x)
    x = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(x)
    decoder_outputs = layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(x)
    decoder = keras.Model(latent_inputs, decoder_outputs, name="decoder")
    return encoder, decoder


CUSTOM_OBJECTS = {"Sampling": Sampling}  # the example registers nothing

PICTURE, VECTOR = (6, 5, 1), (4,)
SEQUENCE, NUM_TOKENS = (5,), 6


def _any_size_vae():
    shape = (None, None, 1)
    return VAE(
        ConvMapEncoder(shape, 2, (3, 4), num_outputs=2), ConvMapDecoder(shape, 2, (4, 3)), seed=39
    )


def _game():
    """Returns a discriminator, and features with two maps."""
    x = layers.Input(PICTURE)
    first = layers.Conv2D(3, 3, padding="same", activation="tanh", name="first")(x)
    maps = [first, layers.Conv2D(4, 3, 2, padding="same", name="second")(first)]
    features = keras.Model(x, maps, name="features")
    return PatchDiscriminator(PICTURE, (3, 4), activation="tanh"), features


def _vae_gan():
    networks = (
        ConvMapEncoder(PICTURE, 2, (3, 4), num_outputs=2),
        ConvMapDecoder(PICTURE, 2, (4, 3)),
    )
    return VAEGAN(*networks, *_game(), discriminator_start=2, seed=40)


def _vq_gan():
    networks = ConvMapEncoder(PICTURE, 2, (3, 4)), ConvMapDecoder(PICTURE, 2, (4, 3))
    return VQGAN(*networks, VectorQuantizer(5, update=GradientUpdate()), *_game(), seed=41)


def _sigma_vae():
    return VAE(*mlp(VECTOR), LearnedSigmaGaussianLikelihood(), seed=3)


def _annealed_vae():
    weight = CyclicAnnealing(10, num_cycles=2)
    return VAE(*mlp(PICTURE), kl_weight=weight, free_bits=0.1, seed=4)


def _capacity_vae():
    return VAE(*mlp(PICTURE), kl_weight=5.0, capacity=LinearAnnealing(10, end=2.0), seed=5)


def _cvae():
    labels = LabelCondition(NUM_CLASSES, dropout=0.25)
    networks = mlp(PICTURE, condition_shape=labels.shape)
    return CVAE(*networks, labels, prior=ConditionalGaussian(), seed=8)


def _completing_cvae():
    picture = ArrayCondition(PICTURE)
    return CVAE(*mlp(PICTURE, condition_shape=picture.shape), picture, seed=9)


def _conditional_iwae():
    labels = LabelCondition(NUM_CLASSES)
    networks = mlp(PICTURE, condition_shape=labels.shape)
    return IWAE(*networks, condition=labels, num_samples=3, seed=10)


def _gumbel(family, codes, seed, **options):
    encoder = MLPEncoder(PICTURE, 6, (8,), "tanh", num_outputs=1)
    return family(encoder, MLPDecoder(PICTURE, 6, (8,), "tanh"), codes, seed=seed, **options)


def _gumbel_vae():
    return _gumbel(GumbelVAE, CategoricalCodes(3), 21, temperature=ExponentialAnnealing(0.1))


def _straight_through_gumbel_vae():
    return _gumbel(StraightThroughGumbelVAE, CategoricalCodes(3), 22)


def _hierarchical_vae():
    encoders = [MLPEncoder(PICTURE, 4, (8,)), MLPEncoder((4,), 3, (8,))]
    decoders = [MLPDecoder(PICTURE, 4, (8,)), MLPEncoder((3,), 4, (8,))]
    return HierarchicalVAE(encoders, decoders, kl_weight=LinearAnnealing(10), seed=20)


def _ladder_vae():
    encoders = [MLPEncoder(PICTURE, 4, (8,), num_outputs=3), MLPEncoder((8,), 3, (8,))]
    decoders = [MLPDecoder(PICTURE, 4 + 5, (8,)), MLPEncoder((3,), 4, (5,), num_outputs=3)]
    return LadderVAE(encoders, decoders, seed=21)


def _aae():
    encoder = MLPEncoder(PICTURE, 3, (8,), "tanh", num_outputs=1)
    discriminator = MLPEncoder((3,), 1, (8,), "tanh", num_outputs=1, name="discriminator")
    return AAE(encoder, mlp(PICTURE)[1], discriminator, adversarial_weight=2.0, seed=24)


def _factor_vae():
    discriminator = MLPEncoder((3,), 1, (8,), "tanh", num_outputs=1, name="discriminator")
    return FactorVAE(*mlp(PICTURE), discriminator, total_correlation_weight=2.0, seed=27)


def _beta_tc_vae():
    return BetaTCVAE(*mlp(PICTURE), num_examples=100, dimension_wise_kl_weight=0.5, seed=28)


def _info_vae():
    return InfoVAE(*mlp(PICTURE), mmd_weight=20.0, kernel="inverse_multiquadric", seed=29)


def _classifier():
    network = MLPEncoder(PICTURE, NUM_CLASSES, (8,), "tanh", num_outputs=1)
    return Predictor(network, CategoricalLikelihood(NUM_CLASSES), seed=25)


def _picture_predictor():
    network = keras.Sequential([keras.Input(PICTURE), layers.Conv2D(1, 3, padding="same")])
    return Predictor(network, BernoulliLikelihood(), seed=26)


def map_networks(encoder=ConvMapEncoder, decoder=ConvMapDecoder):
    """Returns an encoder of a picture to 3 x 3 vectors and its decoder."""
    return encoder(PICTURE, 2, (4,)), decoder(PICTURE, 2, (4,))


def _vqvae():
    return VQVAE(*map_networks(), VectorQuantizer(4), seed=31)


def _gradient_vqvae():
    quantizer = VectorQuantizer(4, update=GradientUpdate(), gradient=RotationTrick())
    networks = map_networks(ResNetMapEncoder, ResNetMapDecoder)
    return VQVAE(*networks, quantizer, commitment_weight=LinearAnnealing(10), seed=32)


def _vqvae_with_prior():
    prior = PixelCNN((3, 3), 8, filters=4, num_blocks=1, seed=1)
    return VQVAE(*map_networks(), FiniteScalarQuantizer((4, 2)), prior=prior, seed=34)


def _vqvae2():
    return VQVAE2(
        encoders=[ConvMapEncoder(PICTURE, 2, (4,)), ConvMapEncoder((3, 3, 2), 2, (4,))],
        decoders=[ConvMapDecoder(PICTURE, 4 + 2, (4,)), ConvMapDecoder((3, 3, 2), 2, (4,))],
        quantizers=[VectorQuantizer(4), VectorQuantizer(3)],
        seed=35,
    )


def _pixel_cnn():
    labels = LabelCondition(NUM_CLASSES, dropout=0.25)
    options = {"filters": 4, "num_blocks": 2, "attention_every": 1, "num_heads": 2}
    return PixelCNN(PICTURE, 2, condition=labels, dropout=0.1, seed=36, **options)


def _transformer():
    options = {"width": 8, "num_layers": 2, "num_heads": 2, "dropout": 0.1}
    return TransformerPrior(PICTURE, 2, seed=37, **options)


def recurrent(latent_dim=2, cell="gru"):
    """Returns an encoder and a decoder of tokens."""
    sizes = {"units": 8, "embedding_dim": 4, "cell": cell}
    return (
        RecurrentTokenEncoder(NUM_TOKENS, latent_dim, **sizes),
        RecurrentTokenDecoder(NUM_TOKENS, latent_dim, **sizes),
    )


def _series_vae():
    networks = ConvSeriesEncoder((6, 2), 3, (4,)), ConvSeriesDecoder((6, 2), 3, (4,))
    return VAE(*networks, GaussianLikelihood(), seed=42)


def _sequence_vae():
    options = {"kl_weight": CyclicAnnealing(10), "free_bits": 0.1, "word_dropout": 0.3}
    return SequenceVAE(*recurrent(), *SEQUENCE, seed=39, **options)


def _transformer_sequence_vae():
    sizes = {"width": 8, "num_layers": 1, "num_heads": 2}
    networks = (
        TransformerTokenEncoder(NUM_TOKENS, 2, mean_std=0.5, **sizes),
        TransformerTokenDecoder(NUM_TOKENS, 2, **sizes),
    )
    return SequenceVAE(*networks, *SEQUENCE, seed=40)


def _language_model():
    decoder = RecurrentTokenDecoder(NUM_TOKENS, None, 8, 4, "lstm")
    return LanguageModel(decoder, *SEQUENCE, seed=41)


FAMILIES = [
    Family("vae", lambda: VAE(*mlp(PICTURE), seed=1), PICTURE),
    Family("conv_vae", lambda: VAE(*conv(PICTURE), seed=2), PICTURE),
    Family("sigma_vae", _sigma_vae, VECTOR),
    Family("annealed_vae", _annealed_vae, PICTURE),
    Family("capacity_vae", _capacity_vae, PICTURE),
    Family("autoencoder", lambda: Autoencoder(*mlp(PICTURE), seed=6), PICTURE),
    Family("cvae", _cvae, PICTURE, condition=()),
    Family("completing_cvae", _completing_cvae, PICTURE, condition=PICTURE),
    Family("iwae", lambda: IWAE(*mlp(PICTURE), num_samples=3, seed=11), PICTURE),
    Family("conditional_iwae", _conditional_iwae, PICTURE, condition=()),
    Family("dreg_iwae", lambda: DReGIWAE(*mlp(PICTURE), num_samples=3, seed=12), PICTURE),
    Family("hierarchical_vae", _hierarchical_vae, PICTURE),
    Family("ladder_vae", _ladder_vae, PICTURE),
    Family("gumbel_vae", _gumbel_vae, PICTURE),
    Family("straight_through_gumbel_vae", _straight_through_gumbel_vae, PICTURE),
    Family("binary_gumbel_vae", lambda: _gumbel(GumbelVAE, BinaryCodes(), 23), PICTURE),
    Family("aae", _aae, PICTURE),
    Family("factor_vae", _factor_vae, PICTURE),
    Family("beta_tc_vae", _beta_tc_vae, PICTURE),
    Family("info_vae", _info_vae, PICTURE),
    Family("dip_vae", lambda: DIPVAE(*mlp(PICTURE), covariance_of="z", seed=30), PICTURE),
    Family("classifier", _classifier, PICTURE, target=()),
    Family("picture_predictor", _picture_predictor, PICTURE, target=PICTURE),
    Family("any_size_vae", _any_size_vae, PICTURE),
    Family("vae_gan", _vae_gan, PICTURE),
    Family("vq_gan", _vq_gan, PICTURE),
    Family("vqvae", _vqvae, PICTURE),
    Family("gradient_vqvae", _gradient_vqvae, PICTURE),
    Family("vqvae_with_prior", _vqvae_with_prior, PICTURE),
    Family("vqvae2", _vqvae2, PICTURE),
    Family("pixel_cnn", _pixel_cnn, PICTURE, condition=()),
    Family("transformer_prior", _transformer, PICTURE),
    Family("series_vae", _series_vae, (6, 2)),
    Family("sequence_vae", _sequence_vae, SEQUENCE, num_tokens=NUM_TOKENS),
    Family("transformer_sequence_vae", _transformer_sequence_vae, SEQUENCE, num_tokens=NUM_TOKENS),
    Family("language_model", _language_model, SEQUENCE, num_tokens=NUM_TOKENS),
    Family("keras_example", lambda: VAE(*keras_example(), seed=7), (28, 28, 1)),
]
BY_NAME = {family.name: family for family in FAMILIES}
# What these do alone is tested in their own files, and `backend_agreement_test.py` has them on all
# backends; every promise is run over them on one backend, the one that compiles nothing.
_VARIANTS = (
    "conv_vae",
    "sigma_vae",
    "capacity_vae",
    "completing_cvae",
    "conditional_iwae",
    "dreg_iwae",
    "ladder_vae",
    "straight_through_gumbel_vae",
    "binary_gumbel_vae",
    "picture_predictor",
    "gradient_vqvae",
    "series_vae",
    "transformer_sequence_vae",
    "keras_example",
)
CONFORMING = [f for f in FAMILIES if keras.config.backend() == "torch" or f.name not in _VARIANTS]
