"""Presets: a model's configuration and weights as files, found by name."""

from keras_vae.presets.files import Preset
from keras_vae.presets.files import read_preset
from keras_vae.presets.files import write_atomically
from keras_vae.presets.files import write_preset
from keras_vae.presets.locate import find
from keras_vae.presets.locate import find_recipe
from keras_vae.presets.locate import names
from keras_vae.presets.locate import recipe_names
