import copy
import pickle

import keras
import numpy as np
import pytest
from families import BY_NAME

from keras_vae import VAE
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae.models.saving.frozen_layers import flags_of
from keras_vae.presets.format.strict_json import parse

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32") > 0


@keras.saving.register_keras_serializable(package="frozen_layers_test")
class LazyEncoder(keras.Model):
    """Makes its layers itself, and does not know the shape of its input before it is called."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(8, "tanh")
        self.z = [keras.layers.Dense(2), keras.layers.Dense(2)]

    def call(self, x):
        hidden = self.hidden(x)
        return [layer(hidden) for layer in self.z]


def functional_encoder():
    x = keras.Input((4,))
    hidden = keras.layers.Dense(8, "tanh")(x)
    return keras.Model(x, [keras.layers.Dense(2)(hidden), keras.layers.Dense(2)(hidden)])


ENCODERS = {
    "ours": lambda **options: MLPEncoder((4,), 2, (8,), **options),
    "functional": functional_encoder,
    "lazy": LazyEncoder,
}


def vae(encoder):
    return VAE(encoder, MLPDecoder((4,), 2, (8,)), seed=0)


def hidden_layer(model):
    return next(
        layer
        for layer in model.encoder._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.Dense)
    )


def freeze_model(model):
    model.trainable = False


def freeze_part(model):
    model.encoder.trainable = False


def freeze_inner_layer(model):
    hidden_layer(model).trainable = False


def saved(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def preset(model, folder):
    model.save_to_preset(folder)
    return type(model).from_preset(folder)


COPIES = {
    ".keras": saved,
    "clone": lambda model, folder: keras.models.clone_model(model),
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "preset": preset,
}


def on_one(*cases):
    """Cases that say little more on a second backend."""
    return [pytest.param(case, marks=pytest.mark.one_backend) for case in cases]


def flags(model):
    return [
        layer.trainable
        for part in (model.encoder, model.decoder)
        for layer in part._flatten_layers()
    ]


@pytest.mark.parametrize("copied", [".keras", "preset", *on_one("clone", "deepcopy", "pickle")])
@pytest.mark.parametrize("freeze", [freeze_model, freeze_part, freeze_inner_layer])
@pytest.mark.parametrize("encoder", ["ours", *on_one("functional", "lazy")])
def test_what_is_frozen_stays_frozen(encoder, freeze, copied, tmp_path):
    model = vae(ENCODERS[encoder]())
    if not model.built:
        model.build((None, 4))
    model.compile("adam")
    freeze(model)
    model.compile("adam")
    again = COPIES[copied](model, tmp_path)
    if not again.built:
        again.build((None, 4))
    assert again.trainable == model.trainable
    assert flags(again) == flags(model)
    before = [keras.ops.convert_to_numpy(v) for v in again.weights]
    again.compile("adam")
    if again.trainable_variables:
        again.fit(X, epochs=1, verbose=0)
    moved = [
        not np.array_equal(a, keras.ops.convert_to_numpy(b))
        for a, b in zip(before, again.weights, strict=True)
    ]
    trainable = {id(v) for v in again.trainable_variables}
    assert moved == [id(v) in trainable for v in again.weights]
    assert sum(moved) == len(model.trainable_variables)


def thaw(model):
    model.trainable = True
    model.encoder.trainable = True
    hidden_layer(model).trainable = True


@pytest.mark.filterwarnings("error:Skipping variable loading")
@pytest.mark.parametrize("copied", [".keras", *on_one("weights", "deepcopy", "pickle")])
@pytest.mark.parametrize("change", [freeze_model, freeze_part, freeze_inner_layer, thaw])
@pytest.mark.parametrize("name", ["factor_vae", *on_one("vae")])
def test_the_optimizer_is_kept_whatever_was_frozen_since(name, change, copied, tmp_path):
    """Its slots are those of what was trainable when it was made, in training."""
    family = BY_NAME[name]
    model = family.model()
    if change is thaw:
        freeze_part(model)
    optimizer = "adam" if name == "vae" else dict.fromkeys(model.groups(), "adam")
    model.compile(optimizer)
    model.fit(*family.pairs(), epochs=1, verbose=0)
    change(model)
    if copied == "weights":
        model.save_weights(tmp_path / "model.weights.h5")
        again = COPIES["deepcopy"](model, tmp_path)
        again.load_weights(tmp_path / "model.weights.h5")
    else:
        again = COPIES[copied](model, tmp_path)
    assert flags(again) == flags(model)
    values, expected = again.optimizer.variables, model.optimizer.variables
    assert len(expected) > 3
    for a, b in zip(values, expected, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))
    for either in (model, again):  # one asks for the same as the other
        with pytest.raises(ValueError, match="Call `compile` again"):
            either.fit(*family.pairs(), epochs=1, verbose=0)


def test_a_part_frozen_by_its_constructor(tmp_path):
    model = vae(ENCODERS["ours"](trainable=False))
    assert not preset(model, tmp_path).encoder.trainable_variables


def test_a_copy_that_has_no_shape_yet_remembers():
    model = vae(LazyEncoder())
    freeze_inner_layer(model)
    again = keras.models.clone_model(keras.models.clone_model(model))
    assert not again.built
    again.build((None, 4))
    assert not hidden_layer(again).trainable
    assert len(again.trainable_variables) == len(again.weights) - 2


def test_a_prior_that_the_model_freezes_itself_is_no_setting():
    assert flags_of(BY_NAME["vqvae_with_prior"].model()) == {}
    assert "trainable_layers" not in BY_NAME["vqvae_with_prior"].model().get_config()


@pytest.mark.one_backend
def test_flags_that_do_not_belong():
    config = vae(ENCODERS["ours"]()).get_config()
    with pytest.raises(ValueError, match=r"`trainable_layers`.*dict"):
        VAE.from_config({**config, "trainable_layers": ["encoder"]})
    with pytest.raises(ValueError, match="another architecture"):
        VAE.from_config({**config, "trainable_layers": {"encoder/99": False}})


@pytest.mark.one_backend
def test_an_unchanged_model_says_nothing_of_it(tmp_path):
    vae(ENCODERS["ours"]()).save_to_preset(tmp_path)
    assert "trainable_layers" not in parse((tmp_path / "config.json").read_bytes())
