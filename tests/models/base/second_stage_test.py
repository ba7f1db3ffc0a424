"""Priors of codes that are told something, by the model's own condition or beside it."""

import keras
import numpy as np
import pytest
from families import NUM_CLASSES
from families import PICTURE
from keras import ops

from keras_vae import VQVAE
from keras_vae import ArrayCondition
from keras_vae import ConvMapDecoder
from keras_vae import ConvMapEncoder
from keras_vae import LabelCondition
from keras_vae import TransformerPrior
from keras_vae import VectorQuantizer

pytestmark = pytest.mark.compiled_once

X = (np.random.default_rng(0).uniform(size=(12, *PICTURE)) > 0.5).astype("float32")
LABELS = np.arange(12) % NUM_CLASSES


def conditional_vqvae(prior_condition):
    keras.utils.set_random_seed(0)
    labels = LabelCondition(NUM_CLASSES)
    networks = [
        family(PICTURE, 2, (4,), condition_shape=labels.shape)
        for family in (ConvMapEncoder, ConvMapDecoder)
    ]
    options = {"width": 8, "num_layers": 1, "num_heads": 2, "seed": 0}
    prior = TransformerPrior((3, 3), 4, condition=prior_condition, **options)
    return VQVAE(*networks, VectorQuantizer(4), prior=prior, condition=labels, seed=1)


def test_a_prior_is_told_the_condition_that_the_model_is_told():
    model = conditional_vqvae(LabelCondition(NUM_CLASSES))
    model.fit_prior(X, LABELS, epochs=2, verbose=0)
    indices = model.encode_indices(X, LABELS)
    expected = -model.prior.log_likelihood(indices, LABELS)
    c = model.given(ops.convert_to_tensor(LABELS))
    found = ops.convert_to_numpy(model.terms(ops.convert_to_tensor(X), c)["kl"])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert model.sample(5, condition=1, seed=0).shape == (5, *PICTURE)


def test_a_prior_that_is_told_nothing_costs_the_same_for_every_label():
    model = conditional_vqvae(None)
    indices = model.encode_indices(X, LABELS)
    c = model.given(ops.convert_to_tensor(LABELS))
    found = ops.convert_to_numpy(model.terms(ops.convert_to_tensor(X), c)["kl"])
    np.testing.assert_allclose(found, -model.prior.log_likelihood(indices), rtol=1e-5)


def test_a_prior_must_take_the_condition_as_the_model_does():
    with pytest.raises(ValueError, match=r"takes the model's own condition.*\(3,\).*\(2,\)"):
        conditional_vqvae(ArrayCondition((2,)))


def test_a_condition_that_nothing_takes_is_refused():
    networks = ConvMapEncoder(PICTURE, 2, (4,)), ConvMapDecoder(PICTURE, 2, (4,))
    model, labels = VQVAE(*networks, VectorQuantizer(4), seed=0), np.zeros(len(X), "int32")
    with pytest.raises(ValueError, match=r"neither this VQVAE nor its prior, a PixelCNN, takes"):
        model.fit_prior(X, labels, epochs=1, verbose=0)
    assert model.prior is None
    for call in (model.encode_indices, model.reconstruct, model.log_likelihood):
        with pytest.raises(ValueError, match="VQVAE has no `condition`"):
            call(X, 100)  # as where `batch_size` or `num_samples` was meant


def test_codes_do_not_depend_on_what_the_prior_alone_is_told():
    networks = ConvMapEncoder(PICTURE, 2, (4,)), ConvMapDecoder(PICTURE, 2, (4,))
    options = {"width": 8, "num_layers": 1, "num_heads": 2, "seed": 0}
    prior = TransformerPrior((3, 3), 4, condition=LabelCondition(NUM_CLASSES), **options)
    model = VQVAE(*networks, VectorQuantizer(4), prior=prior, seed=0)
    for call in (model.encode_indices, model.reconstruct):
        np.testing.assert_array_equal(call(X, 1), call(X))
        with pytest.raises(ValueError, match="`condition`"):
            call(X, NUM_CLASSES)  # which is no class


def test_a_prior_that_fit_prior_made_is_saved_with_the_model(tmp_path):
    keras.utils.set_random_seed(0)
    networks = ConvMapEncoder(PICTURE, 2, (4,)), ConvMapDecoder(PICTURE, 2, (4,))
    model = VQVAE(*networks, VectorQuantizer(4), seed=0)
    with pytest.raises(ValueError, match="no prior over its codes"):
        model.sample(2)
    options = {"width": 8, "num_layers": 1, "num_heads": 2, "seed": 0}
    model.fit_prior(X, prior=TransformerPrior((3, 3), 4, **options), epochs=1, verbose=0)
    model.save_to_preset(tmp_path)
    again = VQVAE.from_preset(tmp_path)
    np.testing.assert_array_equal(again.sample(3, seed=0), model.sample(3, seed=0))
    np.testing.assert_allclose(again.log_likelihood(X), model.log_likelihood(X), rtol=1e-6)
