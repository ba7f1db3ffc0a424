"""The version of keras_vae, available without importing Keras."""

__version__ = "0.1.0"
