import json

import faults
import keras
import numpy as np
import published_zoo
import pytest
from fault_server import FaultServer
from safetensors.numpy import save as dump

import keras_vae
from keras_vae.presets import read_preset
from keras_vae.presets import write_preset
from keras_vae.presets.fetching import cache
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS
from keras_vae.presets.format.preset_files import config_bytes

X = np.random.default_rng(0).integers(0, 2, (40, 6)).astype("float32")


def small_vae():
    networks = keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    return keras_vae.VAE(*networks, seed=0)


@pytest.fixture
def model_preset(tmp_path):
    """A tiny model's preset, and a function that writes it again with other tensors."""
    small_vae().save_to_preset(tmp_path)
    saved = read_preset(tmp_path)
    tensors = saved.read_tensors()

    def rewrite(change):
        write_preset(tmp_path, saved.model_config, change(dict(tensors)))

    return tmp_path, rewrite


def test_preset_round_trip(tmp_path):
    model = small_vae()
    model.save_to_preset(tmp_path / "preset")
    again = keras_vae.GenerativeModel.from_preset(tmp_path / "preset")
    assert type(again) is keras_vae.VAE
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ValueError, match=r"holds a VAE, not a Autoencoder"):
        keras_vae.Autoencoder.from_preset(tmp_path / "preset")


def test_half_precision_on_disk_alone(tmp_path):
    model, sizes = small_vae(), {}
    for dtype in ("float32", "float16"):
        model.save_to_preset(tmp_path / dtype, dtype=dtype)
        sizes[dtype] = sum(v.num_bytes for v in read_preset(tmp_path / dtype).table.values())
    assert sizes["float32"] == 4 * model.count_params() == 2 * sizes["float16"]
    again = keras_vae.VAE.from_preset(tmp_path / "float16")
    for ours, theirs in zip(model.variables, again.variables, strict=True):
        assert ours.dtype == theirs.dtype
    rounded = [w.astype("float16").astype("float32") for w in model.get_weights()]
    for ours, theirs in zip(rounded, again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    again.save_to_preset(tmp_path / "once more", dtype="float16")  # rounded once, and never again
    assert keras_vae.VAE.from_preset(tmp_path / "once more").weights_sha256() == (
        again.weights_sha256()
    )


def test_what_half_precision_cannot_hold_is_not_saved(tmp_path):
    model = small_vae()
    model.encoder.weights[0].assign(np.full((6, 4), 1e5))
    model.save_to_preset(tmp_path / "whole")
    with pytest.raises(ValueError, match=r"'encoder/dense/kernel' holds.*not finite"):
        model.save_to_preset(tmp_path / "half", dtype="float16")
    assert not (tmp_path / "half").exists()
    with pytest.raises(ValueError, match=r"`dtype`.*Received: 'int8'"):
        model.save_to_preset(tmp_path / "half", dtype="int8")


def test_a_preset_may_hold_only_registered_classes(tmp_path):
    small_vae().save_to_preset(tmp_path)
    weights = (tmp_path / WEIGHTS).read_bytes()
    config = json.dumps(read_preset(tmp_path).model_config)
    config = config.replace("keras_vae>MLPEncoder", "subprocess>Popen")
    config = config.replace("keras_vae.networks.mlp", "subprocess").replace("MLPEncoder", "Popen")
    (tmp_path / CONFIG).write_bytes(config_bytes(json.loads(config), weights))
    with pytest.raises(ValueError, match="into a model"):
        keras_vae.VAE.from_preset(tmp_path)


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    inputs = keras.Input((6,))
    z_mean = keras.layers.Lambda(lambda x: x[:, :2])(inputs)
    encoder = keras.Model(inputs, [z_mean, z_mean])
    model = keras_vae.VAE(encoder, keras_vae.MLPDecoder((6,), 2), seed=0)
    with pytest.raises(ValueError, match="no Lambda"):
        model.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


def test_a_model_that_diverged_is_not_saved_over_one_that_did_not(tmp_path):
    model = small_vae()
    model.save_to_preset(tmp_path)
    model.encoder.weights[0].assign(np.full((6, 4), np.nan))
    with pytest.raises(ValueError, match="'encoder/dense/kernel' holds"):
        model.save_to_preset(tmp_path)
    keras_vae.VAE.from_preset(tmp_path)


def test_a_model_that_its_config_does_not_make_is_not_saved(tmp_path):
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)])
    decoder = keras.Sequential([keras.Input((2,)), inner])
    model = keras_vae.VAE(keras_vae.MLPEncoder((6,), 2, (4,)), decoder, seed=0)
    with pytest.raises(ValueError, match="rebuilt"):
        model.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


def test_how_parts_were_compiled_is_not_kept(tmp_path):
    x = keras.Input((2,))
    inner = keras.Model(x, keras.layers.Dense(6)(x))
    inner.compile("adam", "mse")
    decoder = keras.Sequential([keras.Input((2,)), inner])
    model = keras_vae.VAE(keras_vae.MLPEncoder((6,), 2, (4,)), decoder, seed=0)
    model.save_to_preset(tmp_path)
    assert "compile_config" not in (tmp_path / CONFIG).read_text()
    again = keras_vae.VAE.from_preset(tmp_path)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": "VAE"}, "into a model"),
        (keras.saving.serialize_keras_object(keras.layers.Dense(2)), "not a model of this"),
    ],
    ids=["no_class", "a_layer"],
)
def test_a_preset_holds_a_model_of_this_library(tmp_path, change, message):
    small_vae().save_to_preset(tmp_path)
    (tmp_path / CONFIG).write_bytes(config_bytes(change, (tmp_path / WEIGHTS).read_bytes()))
    with pytest.raises(ValueError, match=message):
        keras_vae.GenerativeModel.from_preset(tmp_path)


def test_a_model_without_weights_is_not_saved(tmp_path):
    class Unknown(keras.Model):
        def call(self, x):
            return x, x

    model = keras_vae.VAE(Unknown(), Unknown(), seed=0)
    with pytest.raises(ValueError, match="has no weights yet"):
        model.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


def without_one(tensors):
    tensors.pop("decoder/output/bias", None) or tensors.popitem()
    return tensors


def transposed(tensors):
    name = next(k for k, v in tensors.items() if v.ndim == 2)
    return tensors | {name: tensors[name].T}


def with_nan(tensors):
    name = list(tensors)[-1]
    return tensors | {name: np.full_like(tensors[name], np.nan)}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "change, message",
    [
        (without_one, "Missing: \\['"),
        (lambda tensors: tensors | {"more": np.zeros(1, "float32")}, "Unknown: \\['more'\\]"),
        (transposed, "has shape"),
        (with_nan, "not finite"),
        (
            lambda tensors: {k: v.astype("int32") for k, v in tensors.items()},
            "has the dtype 'I32', not one of",
        ),
        (lambda tensors: {}, "Missing: "),
    ],
    ids=["missing", "extra", "shape", "nan", "dtype", "none"],
)
def test_a_model_is_not_made_of_wrong_tensors(model_preset, change, message):
    folder, rewrite = model_preset
    rewrite(change)
    with pytest.raises(ValueError, match=message) as error:
        keras_vae.VAE.from_preset(folder)
    assert str(folder) in str(error.value)


def test_safetensors_of_another_writer_are_read(model_preset):
    folder, _ = model_preset
    preset = read_preset(folder)
    tensors = preset.read_tensors()
    data = dump(dict(reversed(tensors.items())), metadata={"format": "pt"})
    (folder / WEIGHTS).write_bytes(data)
    (folder / CONFIG).write_bytes(config_bytes(preset.model_config, data))
    assert keras_vae.VAE.from_preset(folder).count_params() == sum(t.size for t in tensors.values())


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """A model whose preset is "vae_a", its weights in the cache, and a server of them."""
    model = small_vae()
    published_zoo.install(tmp_path, monkeypatch, weights=False, model=model)
    path = published_zoo.fill_cache(tmp_path) / WEIGHTS
    with FaultServer(path.read_bytes(), faults.fine) as server:
        monkeypatch.setenv("KERAS_VAE_ZOO", f"http://127.0.0.1:{server.port}")
        yield model, path, server


@pytest.mark.one_backend
@pytest.mark.parametrize("place", [20, -1], ids=["in the table", "in a tensor"])
def test_damaged_weights_are_fetched_once_more(fetched, place):
    model, path, server = fetched
    right = path.read_bytes()
    wrong = bytearray(right)
    wrong[place] ^= 1
    path.write_bytes(wrong)
    with pytest.warns(UserWarning, match="was damaged"):
        loaded = keras_vae.VAE.from_preset("vae_a")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert path.read_bytes() == right
    assert len(server.requests) == 1


@pytest.mark.one_backend
def test_a_load_compares_weights_once_and_mends_nothing_that_is_right(fetched, monkeypatch):
    _, _, server = fetched
    compared, holds = [], cache.holds
    monkeypatch.setattr(cache, "holds", lambda p, *a: compared.append(p.name) or holds(p, *a))
    keras_vae.VAE.from_preset("vae_a")
    assert WEIGHTS not in compared  # that is done as they are read
    with pytest.raises(ValueError, match="holds a VAE, not a Autoencoder"):
        keras_vae.Autoencoder.from_preset("vae_a")
    assert not server.requests
