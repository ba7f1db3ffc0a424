"""Plots of arrays and models, each in one call, as figures of matplotlib, which is imported only
when something is drawn.

Every function returns its figure, and also writes it if it is given a `path`.
"""

from keras_vae.plotting.codes import code_maps
from keras_vae.plotting.codes import codebook_histogram
from keras_vae.plotting.figure import save
from keras_vae.plotting.history import curves
from keras_vae.plotting.images import image_grid
from keras_vae.plotting.images import reconstructions
from keras_vae.plotting.latent import kl_per_dimension
from keras_vae.plotting.latent import latent_scatter
from keras_vae.plotting.nats import nats_histogram
from keras_vae.plotting.walks import interpolated
from keras_vae.plotting.walks import interpolations
from keras_vae.plotting.walks import latent_grid
from keras_vae.plotting.walks import latents
from keras_vae.plotting.walks import traversals
