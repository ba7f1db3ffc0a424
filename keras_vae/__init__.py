"""keras_vae: variational autoencoders for Keras 3 on TensorFlow, JAX and PyTorch."""

__version__ = "0.1.0"

from keras_vae import backend  # first: it settles the backend before Keras is imported

# isort: split
from keras_vae import callbacks
from keras_vae import datasets
from keras_vae import distributions
from keras_vae import evaluation
from keras_vae import presets
from keras_vae.callbacks import CollapseMonitor
from keras_vae.layers import ArrayCondition
from keras_vae.layers import BernoulliLikelihood
from keras_vae.layers import BernoulliProbabilityLikelihood
from keras_vae.layers import BinaryCodes
from keras_vae.layers import CategoricalCodes
from keras_vae.layers import CategoricalLikelihood
from keras_vae.layers import DiscretizedLogisticLikelihood
from keras_vae.layers import GaussianLikelihood
from keras_vae.layers import LabelCondition
from keras_vae.layers import LearnedSigmaGaussianLikelihood
from keras_vae.layers import PerPixelGaussianLikelihood
from keras_vae.layers import SeenPixels
from keras_vae.models import AAE
from keras_vae.models import CVAE
from keras_vae.models import IWAE
from keras_vae.models import VAE
from keras_vae.models import Autoencoder
from keras_vae.models import DReGIWAE
from keras_vae.models import GenerativeModel
from keras_vae.models import GumbelVAE
from keras_vae.models import HierarchicalVAE
from keras_vae.models import LadderVAE
from keras_vae.models import Predictor
from keras_vae.models import StraightThroughGumbelVAE
from keras_vae.networks import CompletionDecoder
from keras_vae.networks import CompletionNetwork
from keras_vae.networks import ConvDecoder
from keras_vae.networks import ConvEncoder
from keras_vae.networks import LadderDecoder
from keras_vae.networks import LadderEncoder
from keras_vae.networks import MLPDecoder
from keras_vae.networks import MLPEncoder
from keras_vae.networks import ResNetDecoder
from keras_vae.networks import ResNetEncoder
from keras_vae.priors import ConditionalGaussian
from keras_vae.priors import FlowPrior
from keras_vae.priors import GaussianMixture
from keras_vae.priors import StandardNormal
from keras_vae.priors import UniformCodes
from keras_vae.priors import VampPrior
from keras_vae.steps.schedules import CyclicAnnealing
from keras_vae.steps.schedules import ExponentialAnnealing
from keras_vae.steps.schedules import LinearAnnealing
from keras_vae.steps.schedules import SigmoidAnnealing
