"""Weights files whose optimizer was made for other weights."""

import functools
import warnings

import keras
import numpy as np
import pytest
from families import BY_NAME

pytestmark = pytest.mark.compiled_once

FAMILY = BY_NAME["vae"]
FROZEN = {
    "nothing": lambda model: None,
    "encoder": lambda model: setattr(model.encoder, "trainable", False),
    "decoder": lambda model: setattr(model.decoder, "trainable", False),
}


def trained(frozen, epochs=1):
    model = FAMILY.model()
    FROZEN[frozen](model)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(*FAMILY.pairs(), epochs=epochs, verbose=0)
    return model


@functools.cache
def whose_file_is_loaded(frozen):
    return trained(frozen, epochs=3)


def values_of(variables):
    return [keras.ops.convert_to_numpy(v) for v in variables]


@pytest.mark.parametrize("now", FROZEN)
@pytest.mark.parametrize("then", FROZEN)
def test_the_optimizers_state_is_loaded_or_left_with_a_warning(then, now, tmp_path):
    """Never put where it does not belong, though encoder and decoder may have the same shapes."""
    saved, model = whose_file_is_loaded(then), trained(now)
    saved.save_weights(tmp_path / "x.weights.h5")
    expected = values_of((saved if then == now else model).optimizer.variables)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.load_weights(tmp_path / "x.weights.h5")
    texts = [str(w.message) for w in told if "optimizer" in str(w.message)]
    assert len(texts) == (then != now)
    assert all("other layers of this VAE were trainable" in text for text in texts)
    for a, b in zip(values_of(model.weights), values_of(saved.weights), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(values_of(model.optimizer.variables), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(*FAMILY.pairs(), epochs=1, verbose=0)  # and training goes on


@pytest.mark.one_backend
def test_a_file_without_a_note_is_one_of_keras(tmp_path):
    model = trained("nothing")
    keras.Model.save_weights(model, tmp_path / "x.weights.h5")
    again = trained("nothing", epochs=2)
    again.load_weights(tmp_path / "x.weights.h5")
    assert int(again.optimizer.iterations) == int(model.optimizer.iterations)
