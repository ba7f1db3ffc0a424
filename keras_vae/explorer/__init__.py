"""A page in the browser on which a model of pictures is tried out by hand."""

from keras_vae.explorer.explorer import NUM_EXAMPLES
from keras_vae.explorer.explorer import Explorer
from keras_vae.explorer.server import ExplorerServer
