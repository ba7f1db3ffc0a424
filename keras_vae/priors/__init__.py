"""Priors p(z): layers whose call returns a distribution."""

from keras_vae.priors.prior import Prior
from keras_vae.priors.standard_normal import StandardNormal
