"""Weights of other libraries: read as presets of this library, and written back."""

from keras_vae.presets.interchange.reading import WEIGHTS as FOREIGN_WEIGHTS
from keras_vae.presets.interchange.reading import Foreign
from keras_vae.presets.interchange.reading import is_foreign
from keras_vae.presets.interchange.reading import read_foreign
from keras_vae.presets.interchange.writing import write_foreign
