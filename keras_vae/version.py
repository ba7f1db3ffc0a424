"""The version of keras_vae, for those who want to know it without importing Keras."""

__version__ = "0.1.0"
