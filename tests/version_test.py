import re

import keras_vae
from keras_vae import version


def test_the_package_has_it():
    assert keras_vae.__version__ == version.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.?[a-z]+\d+)?", version.__version__)
