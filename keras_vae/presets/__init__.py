"""Presets: a model's configuration and weights as files, found by name or downloaded."""

from keras_vae.presets.cleaning import clean
from keras_vae.presets.fetching.cache import home
from keras_vae.presets.fetching.fetch import FetchError
from keras_vae.presets.fetching.hub import upload
from keras_vae.presets.finding import describe
from keras_vae.presets.finding import entries
from keras_vae.presets.finding import find
from keras_vae.presets.finding import find_recipe
from keras_vae.presets.finding import is_here
from keras_vae.presets.finding import mend
from keras_vae.presets.finding import names
from keras_vae.presets.finding import recipe_names
from keras_vae.presets.format.preset_files import Preset
from keras_vae.presets.format.preset_files import read_preset
from keras_vae.presets.format.preset_files import write_preset
from keras_vae.presets.index_writing import write_index
from keras_vae.presets.interchange import is_foreign
from keras_vae.presets.interchange import read_foreign
from keras_vae.presets.interchange import write_foreign
from keras_vae.presets.verifying import Finding
from keras_vae.presets.verifying import of_entry
from keras_vae.presets.verifying import verify
