"""Keras callbacks."""

from keras_vae.callbacks.collapse_monitor import CollapseMonitor
