"""Input data: turns what users pass into checked arrays, or a stream of checked batches."""

from keras_vae.models.base.data.door import Received
from keras_vae.models.base.data.door import gathered
from keras_vae.models.base.data.door import inside
from keras_vae.models.base.data.door import is_inside
from keras_vae.models.base.data.door import receive
from keras_vae.models.base.data.door import unpacked
