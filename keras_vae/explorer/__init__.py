"""A page in the browser for trying out a model of pictures interactively."""

from keras_vae.explorer.explorer import NUM_EXAMPLES
from keras_vae.explorer.explorer import Explorer
from keras_vae.explorer.server import ExplorerServer
