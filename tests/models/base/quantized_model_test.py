"""What is not of one family: parts that are none, and weights that are schedules."""

import keras
import numpy as np
import pytest

from keras_vae import LinearAnnealing
from keras_vae.models.base.quantized_model import QuantizedModel
from keras_vae.quantizers import VectorQuantizer

NETWORK = keras.Sequential([keras.Input((2, 3)), keras.layers.Dense(3)])


def quantized(**options):
    return QuantizedModel(NETWORK, NETWORK, [VectorQuantizer(4)], **options)


def test_a_family_says_how_x_is_quantized():
    model = quantized()
    for ask in (model.encode_levels, model.state_of):
        with pytest.raises(NotImplementedError, match="QuantizedModel must define"):
            ask(np.zeros((1, 2, 3)))


def test_quantizers_are_quantizers():
    with pytest.raises(TypeError, match="must be a quantizer layer such as"):
        QuantizedModel(NETWORK, NETWORK, [keras.layers.Dense(3)])


def test_weights_are_numbers_or_schedules():
    schedule = LinearAnnealing(10)
    weights = quantized(commitment_weight=schedule, codebook_weight=2).term_weights()
    assert weights == {"reconstruction": 1.0, "commitment": schedule, "codebook": 2.0}
    with pytest.raises(ValueError, match="`commitment_weight` must be a number of at least 0"):
        quantized(commitment_weight=-1.0)


def test_validation_is_the_plain_bound():
    assert quantized().evaluation_weights() == {"reconstruction": 1.0, "kl": 1.0}
