"""Data sets by name, file or folder, as NumPy arrays, and batches of them."""

from keras_vae.datasets.batches import Batches
from keras_vae.datasets.binarization import binarize
from keras_vae.datasets.length_batches import LengthBatches
from keras_vae.datasets.loading import check_name
from keras_vae.datasets.loading import fitting_size
from keras_vae.datasets.loading import load
from keras_vae.datasets.local import is_local
from keras_vae.datasets.quadrants import random_quadrants
from keras_vae.datasets.quadrants import seen_quadrants
from keras_vae.datasets.shapes import shape_factors
from keras_vae.datasets.shapes import shapes
from keras_vae.datasets.splits import Arrays
from keras_vae.datasets.splits import Splits
from keras_vae.datasets.tables import TableSplits
from keras_vae.datasets.tables import load_table
from keras_vae.datasets.text import TextSplits
from keras_vae.datasets.text import load_text
from keras_vae.datasets.vocabulary import TextCoder
from keras_vae.datasets.vocabulary import Tokenizer
from keras_vae.datasets.vocabulary import Vocabulary
