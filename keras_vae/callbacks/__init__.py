"""Keras callbacks."""

from keras_vae.callbacks.codebook_monitor import CodebookMonitor
from keras_vae.callbacks.collapse_monitor import CollapseMonitor
from keras_vae.callbacks.lagging_inference import LaggingInference
from keras_vae.callbacks.picture_writer import PictureWriter
from keras_vae.callbacks.prior_fit import PriorFit
