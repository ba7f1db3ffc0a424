"""Priors p(z): layers whose call returns a distribution."""

from keras_vae.priors.conditional_gaussian import ConditionalGaussian
from keras_vae.priors.flow_prior import FlowPrior
from keras_vae.priors.gaussian_mixture import GaussianMixture
from keras_vae.priors.prior import Prior
from keras_vae.priors.standard_normal import StandardNormal
from keras_vae.priors.uniform_codes import UniformCodes
from keras_vae.priors.vamp_prior import VampPrior
