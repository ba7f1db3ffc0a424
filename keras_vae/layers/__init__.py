"""Trainable pieces between the networks."""

from keras_vae.layers.codes import BinaryCodes
from keras_vae.layers.codes import CategoricalCodes
from keras_vae.layers.codes import Codes
from keras_vae.layers.conditions import ArrayCondition
from keras_vae.layers.conditions import Condition
from keras_vae.layers.conditions import LabelCondition
from keras_vae.layers.likelihoods import BernoulliLikelihood
from keras_vae.layers.likelihoods import BernoulliProbabilityLikelihood
from keras_vae.layers.likelihoods import CategoricalLikelihood
from keras_vae.layers.likelihoods import DiscretizedLogisticLikelihood
from keras_vae.layers.likelihoods import GaussianLikelihood
from keras_vae.layers.likelihoods import LearnedSigmaGaussianLikelihood
from keras_vae.layers.likelihoods import Likelihood
from keras_vae.layers.likelihoods import PerPixelGaussianLikelihood
from keras_vae.layers.noise import NoiseSource
from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.residual import ResidualBlock
from keras_vae.layers.seen_pixels import SeenPixels
from keras_vae.layers.subpixel import SubpixelUpsampling2D
