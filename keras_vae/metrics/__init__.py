"""Keras metrics for training."""

from keras_vae.metrics.codebook_usage import CodebookPerplexity
from keras_vae.metrics.codebook_usage import CodebookUsage
