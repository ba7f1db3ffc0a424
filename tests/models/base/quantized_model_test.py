"""What is not of one family: parts that are none, and weights that are schedules."""

import keras
import numpy as np
import pytest

import keras_vae
from keras_vae import VQVAE
from keras_vae import LinearAnnealing
from keras_vae.models.base.quantized_model import QuantizedModel
from keras_vae.quantizers import VectorQuantizer

NETWORK = keras.Sequential([keras.Input((2, 3)), keras.layers.Dense(3)])


def quantized(**options):
    return VQVAE(NETWORK, NETWORK, VectorQuantizer(4), keras_vae.GaussianLikelihood(), **options)


def test_a_family_says_how_x_is_quantized():
    class Unfinished(QuantizedModel):
        quantizers, priors = (), ()

        def objective(self):
            return {}

    model = Unfinished(keras.Sequential(), keras.Sequential())
    for ask in (model.encode_levels, model.state_of):
        with pytest.raises(NotImplementedError, match="Unfinished must define"):
            ask(np.zeros((1, 2, 3)))


def test_quantizers_are_quantizers():
    with pytest.raises(TypeError, match="quantizer layer"):
        VQVAE(NETWORK, NETWORK, keras.layers.Dense(3))


def test_weights_are_numbers_or_schedules():
    schedule = LinearAnnealing(10)
    objective = quantized(commitment_weight=schedule, codebook_weight=2).objective()
    weights = {k: term.train for k, term in objective.items() if term.teaches}
    assert weights == {"reconstruction": 1.0, "commitment": schedule, "codebook": 2.0}
    with pytest.raises(ValueError, match=r"`commitment_weight`.*at least 0"):
        quantized(commitment_weight=-1.0)


def test_validation_is_the_plain_bound():
    objective = quantized().objective()
    weights = {k: term.evaluate for k, term in objective.items() if term.evaluate}
    assert weights == {"reconstruction": 1.0, "kl": 1.0}
