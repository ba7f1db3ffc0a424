import threading

import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

import keras_vae
from keras_vae.models.saving.blank_weights import blank_weights


def kernel_of_a_layer(dtype="float32"):
    layer = keras.layers.Dense(3, dtype=dtype)
    layer.build((None, 2))
    return ops.convert_to_numpy(ops.cast(layer.kernel, "float32"))


def test_layers_begin_at_zero_within_it():
    with blank_weights():
        found = [kernel_of_a_layer(dtype) for dtype in ("float32", "float16", "bfloat16")]
    assert all((kernel == 0).all() and kernel.shape == (2, 3) for kernel in found)
    assert (kernel_of_a_layer() != 0).all()


def test_other_threads_draw_theirs():
    found = []
    with blank_weights():
        other = threading.Thread(target=lambda: found.append(kernel_of_a_layer()))
        other.start()
        other.join()
    assert (found[0] != 0).all()


def refuse_draws(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a weight was drawn that is in the file")

    for kind in ("VarianceScaling", "RandomNormal", "RandomUniform", "TruncatedNormal"):
        monkeypatch.setattr(getattr(keras.initializers, kind), "__call__", refuse)


@pytest.mark.parametrize("name", ["vae", "vqvae"])
def test_a_preset_is_loaded_without_a_draw(name, tmp_path, monkeypatch):
    model = BY_NAME[name].model()
    model.save_to_preset(tmp_path)
    refuse_draws(monkeypatch)
    loaded = keras_vae.from_preset(tmp_path)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["vae", "vqvae", "hierarchical_vae", "factor_vae", "pixel_cnn"])
def test_a_keras_file_is_loaded_without_a_draw(name, tmp_path, monkeypatch):
    model = BY_NAME[name].compiled()
    model.save(tmp_path / "model.keras")
    refuse_draws(monkeypatch)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_config_alone_makes_a_model_with_weights_of_its_own(tmp_path):
    model = BY_NAME["vae"].compiled()
    model.save(tmp_path / "model.keras")
    made = type(model).from_config(model.get_config())
    assert all(np.any(w) for w in made.get_weights() if w.ndim == 2)
    cloned = keras.models.clone_model(keras.models.load_model(tmp_path / "model.keras"))
    assert all(np.any(w) for w in cloned.get_weights() if w.ndim == 2)
