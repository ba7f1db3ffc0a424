"""Recipes: text files from which weights and numbers follow."""

from keras_vae.recipes.build import build_model
from keras_vae.recipes.build import build_optimizer
from keras_vae.recipes.card import duration
from keras_vae.recipes.card import hardware
from keras_vae.recipes.card import write_card
from keras_vae.recipes.card_numbers import CARD
from keras_vae.recipes.card_numbers import METRICS
from keras_vae.recipes.data import load_data
from keras_vae.recipes.data import pairs
from keras_vae.recipes.data import training_batches
from keras_vae.recipes.history import read_history
from keras_vae.recipes.measure import environment
from keras_vae.recipes.measure import measure
from keras_vae.recipes.numbers import headline
from keras_vae.recipes.numbers import rows
from keras_vae.recipes.overviews import overview
from keras_vae.recipes.overviews import short_overview
from keras_vae.recipes.recipe import PARTS
from keras_vae.recipes.recipe import Recipe
from keras_vae.recipes.recipe import read_recipe
from keras_vae.recipes.train import RECIPE
from keras_vae.recipes.train import draw_curves
from keras_vae.recipes.train import train_recipe
from keras_vae.recipes.usage import usage
