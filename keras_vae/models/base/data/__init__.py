"""The door for data: what users give, as arrays or as a stream of batches that are checked."""

from keras_vae.models.base.data.door import Received
from keras_vae.models.base.data.door import gathered
from keras_vae.models.base.data.door import inside
from keras_vae.models.base.data.door import is_inside
from keras_vae.models.base.data.door import receive
from keras_vae.models.base.data.door import unpacked
