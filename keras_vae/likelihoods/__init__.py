"""Likelihoods: layers that map the output of a decoder to p(x|z)."""

from keras_vae.likelihoods.bernoulli import BernoulliLikelihood
from keras_vae.likelihoods.bernoulli import BernoulliProbabilityLikelihood
from keras_vae.likelihoods.categorical import CategoricalLikelihood
from keras_vae.likelihoods.discretized_logistic import DiscretizedLogisticLikelihood
from keras_vae.likelihoods.gaussian import GaussianLikelihood
from keras_vae.likelihoods.gaussian import LearnedSigmaGaussianLikelihood
from keras_vae.likelihoods.gaussian import PerPixelGaussianLikelihood
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.token_sequence import TokenLikelihood
