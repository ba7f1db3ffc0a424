"""Recipes: text files from which weights and numbers follow."""

from keras_vae.recipes.measure import measure
from keras_vae.recipes.recipe import Recipe
from keras_vae.recipes.recipe import read_recipe
from keras_vae.recipes.train import load_data
from keras_vae.recipes.train import train_recipe
