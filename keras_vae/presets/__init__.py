"""Presets: a model's configuration and weights as files, found by name or fetched."""

from keras_vae.presets.atomic import write_atomically
from keras_vae.presets.cache import home
from keras_vae.presets.cleaning import clean
from keras_vae.presets.fetch import FetchError
from keras_vae.presets.files import Preset
from keras_vae.presets.files import read_preset
from keras_vae.presets.files import write_preset
from keras_vae.presets.hub import upload
from keras_vae.presets.index_writing import write_index
from keras_vae.presets.locate import describe
from keras_vae.presets.locate import entries
from keras_vae.presets.locate import find
from keras_vae.presets.locate import find_recipe
from keras_vae.presets.locate import is_here
from keras_vae.presets.locate import mend
from keras_vae.presets.locate import names
from keras_vae.presets.locate import recipe_names
from keras_vae.presets.verifying import Finding
from keras_vae.presets.verifying import of_entry
from keras_vae.presets.verifying import verify
