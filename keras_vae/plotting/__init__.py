"""Plots of arrays. They need matplotlib, which is imported only when something is drawn."""

from keras_vae.plotting.history import curves
from keras_vae.plotting.images import image_grid
from keras_vae.plotting.images import reconstructions
from keras_vae.plotting.latent import latent_scatter
