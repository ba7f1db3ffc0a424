"""keras_vae: variational autoencoders for Keras 3 on TensorFlow, JAX and PyTorch."""

__version__ = "0.1.0"

from keras_vae import backend  # first: it settles the backend before Keras is imported

# isort: split
from keras_vae import datasets
from keras_vae import distributions
from keras_vae import evaluation
from keras_vae import presets
from keras_vae.layers import BernoulliLikelihood
from keras_vae.layers import BernoulliProbabilityLikelihood
from keras_vae.layers import CategoricalLikelihood
from keras_vae.layers import DiscretizedLogisticLikelihood
from keras_vae.layers import GaussianLikelihood
from keras_vae.layers import LearnedSigmaGaussianLikelihood
from keras_vae.layers import PerPixelGaussianLikelihood
from keras_vae.models import VAE
from keras_vae.models import Autoencoder
from keras_vae.models import GenerativeModel
from keras_vae.networks import ConvDecoder
from keras_vae.networks import ConvEncoder
from keras_vae.networks import MLPDecoder
from keras_vae.networks import MLPEncoder
from keras_vae.networks import ResNetDecoder
from keras_vae.networks import ResNetEncoder
from keras_vae.priors import StandardNormal
from keras_vae.steps.schedules import CyclicAnnealing
from keras_vae.steps.schedules import LinearAnnealing
from keras_vae.steps.schedules import SigmoidAnnealing
