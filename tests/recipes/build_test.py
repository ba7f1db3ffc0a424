import keras
import numpy as np
import pytest
from keras import ops
from tiny_recipe import OF_CODES
from tiny_recipe import SHAPE
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

import keras_vae
from keras_vae.recipes import build_model
from keras_vae.recipes import build_optimizer
from keras_vae.recipes.build import build_callbacks
from keras_vae.recipes.build import build_optimizers
from keras_vae.recipes.build import start_at_data
from keras_vae.recipes.build import start_from_preset

pytestmark = pytest.mark.one_backend


def test_the_model_that_the_recipe_says(tmp_path):
    model = build_model(read_tiny_recipe(tmp_path), SHAPE, seed=3)
    assert type(model) is keras_vae.VAE
    assert model.data_shape == SHAPE
    assert model.noise.seed == 3
    assert isinstance(model.likelihood, keras_vae.BernoulliLikelihood)
    assert model.encoder.get_config()["hidden_units"] == (4,)
    assert model.decoder.get_config()["latent_dim"] == 2
    # By hand: 30-4, 4-2 and 4-2 there, 2-4 and 4-30 back.
    assert model.count_params() == (31 * 4 + 2 * 5 * 2) + (3 * 4 + 5 * 30)


def test_a_likelihood_has_its_parameters(tmp_path):
    likelihood = '[likelihood]\nclass = "DiscretizedLogisticLikelihood"\nnum_bins = 16\n'
    recipe = read_tiny_recipe(tmp_path, TEXT + likelihood)
    model = build_model(recipe, SHAPE, seed=0)
    assert model.likelihood.num_bins == 16
    assert model.decoder.output_shape == (None, 6, 5, 2)


@pytest.mark.parametrize("shape", [(7,), (6, 5, 1), (6, 5, 3)])
def test_a_categorical_likelihood_has_the_logits_of_every_class(tmp_path, shape):
    likelihood = '[likelihood]\nclass = "CategoricalLikelihood"\nnum_classes = 4\n'
    model = build_model(read_tiny_recipe(tmp_path, TEXT + likelihood), shape, seed=0)
    assert model.decoder.output_shape == (None, *shape[:-1], 4 * shape[-1])
    x = np.random.default_rng(0).integers(0, 4, (5, *shape))
    start_at_data(model, x, seed=0)  # of nominal data, all classes alike
    p = ops.convert_to_numpy(model.decode(np.zeros((1, 2), "float32")).probs)
    np.testing.assert_allclose(p, np.full((1, *shape, 4), 0.25), rtol=1e-5)


def test_it_takes_a_step(tmp_path):
    model = build_model(read_tiny_recipe(tmp_path), SHAPE, seed=0)
    model.compile(build_optimizer(read_tiny_recipe(tmp_path).training, 10))
    before = model.get_weights()
    logs = model.train_on_batch(np.ones((4, *SHAPE), "float32"), return_dict=True)
    assert np.isfinite(logs["elbo"])
    assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def test_the_learning_rate_falls_along_a_cosine(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    rate = build_optimizer(recipe.training, 100)._learning_rate
    values = [float(ops.convert_to_numpy(rate(step))) for step in (0, 50, 100, 200)]
    # Half way of a cosine from 1e-2 to 1e-4 is their mean.
    np.testing.assert_allclose(values, [1e-2, 0.5 * (1e-2 + 1e-4), 1e-4, 1e-4], rtol=1e-5)


def test_training_starts_at_the_mean_picture(tmp_path):
    model = build_model(read_tiny_recipe(tmp_path), SHAPE, seed=0)
    x = np.random.default_rng(0).random((50, *SHAPE)).astype("float32")
    start_at_data(model, x, seed=0)
    z = np.zeros((1, 2), "float32")  # where all kernels are silent
    mean = ops.convert_to_numpy(model.decode(z).mean)[0]
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-4)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('"MLPEncoder"', '"MLPEncodr"', r"`class` of \[encoder\] .* Received: 'MLPEncodr'"),
        ('"VAE"', '"os"', r"`class` of \[model\] .* Received: 'os'"),
        ('"VAE"', '"vae"', r"Received: 'vae'"),  # a module, not a class
        ('class = "VAE"', "", r"Received: None"),
        ("hidden_units", "hidden_unit", r"\[encoder\] gives hidden_unit, .*It takes: .*hidden_uni"),
        ("latent_dim = 2", "", r"\[encoder\] .*latent_dim"),
        ('class = "VAE"', 'class = "VAE"\nseed = 1', r"\[model\] gives seed, which VAE does not"),
        ("hidden_units = [4]", "hidden_units = 4", r"For a single layer, use \(4,\)"),
        ('class = "VAE"', 'class = "VAE"\nkl_weight = -1', r"`kl_weight` must be a number"),
    ],
)
def test_what_cannot_be_built_is_named(tmp_path, old, new, message):
    recipe = read_tiny_recipe(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        build_model(recipe, SHAPE, seed=0)


def test_weights_follow_from_the_global_seed(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    weights = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        weights.append(build_model(recipe, SHAPE, seed=0).encoder.get_weights()[0])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.any(weights[0] != weights[2])


def test_callbacks_are_given_the_validation_part(tmp_path):
    recipe = read_tiny_recipe(
        tmp_path, TEXT + '[[callbacks]]\nclass = "CollapseMonitor"\nevery = 3\n'
    )
    x = np.zeros((4, *SHAPE), "float32")
    arrays = keras_vae.datasets.Arrays(x)
    (callback,) = build_callbacks(recipe, keras_vae.datasets.Splits("", arrays, arrays, arrays))
    assert isinstance(callback, keras_vae.CollapseMonitor)
    assert callback.x is x
    assert callback.every == 3
    with pytest.raises(ValueError, match=r"\[callbacks\[0\]\].*'x'"):
        build_callbacks(recipe, keras_vae.datasets.Splits("", arrays, arrays))


GAME = """
[discriminator]
class = "PatchDiscriminator"
filters = [3]

[features]
preset = "{folder}/classifier"
layers = ["conv_1"]
"""


def of_a_game(folder, training=""):
    """The recipe of codes as a VQGAN's, beside the presets that it names."""
    network = keras_vae.ConvEncoder((*SHAPE[:2], 1), 3, filters=(2, 2), num_outputs=1)
    keras_vae.Predictor(network, keras_vae.CategoricalLikelihood(3)).save_to_preset(
        folder / "classifier"
    )
    text = OF_CODES.replace('"VQVAE"', '"VQGAN"') + GAME.format(folder=folder)
    return read_tiny_recipe(folder, text.replace("[training]", f"[training]\n{training}"))


def test_a_game_of_pictures_with_features_of_a_preset(tmp_path):
    model = build_model(of_a_game(tmp_path), SHAPE, seed=0)
    assert isinstance(model, keras_vae.VQGAN)
    assert model.discriminator.input_shape == (None, *SHAPE)
    classifier = keras_vae.from_preset(tmp_path / "classifier")
    x = np.random.default_rng(0).random((2, *SHAPE)).astype("float32")
    first = classifier.network.get_layer("conv_1")
    (found,) = keras.tree.flatten(model.features(x))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), ops.convert_to_numpy(first(x)))
    assert not model.features.trainable_variables
    model.save_to_preset(tmp_path / "saved")  # with its features
    again = keras_vae.from_preset(tmp_path / "saved")
    assert again.weights_sha256() == model.weights_sha256()


def test_the_weights_at_the_end_may_be_an_average_over_updates(tmp_path):
    training = read_tiny_recipe(tmp_path, TEXT.replace("epochs =", "ema_momentum = 0.9\nepochs ="))
    optimizer = build_optimizer(training.training, 10)
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.9)
    assert not build_optimizer({}, 10).use_ema


def test_training_starts_from_the_parts_of_a_preset(tmp_path):
    before = build_model(read_tiny_recipe(tmp_path, OF_CODES), SHAPE, seed=0)
    before.save_to_preset(tmp_path / "before")
    start = f'start = "{tmp_path}/before"\nfrozen = ["encoder", "quantizer"]'
    recipe = of_a_game(tmp_path, start)
    model = build_model(recipe, SHAPE, seed=0)
    start_from_preset(model, recipe)
    x = np.random.default_rng(0).integers(0, 2, (8, *SHAPE)).astype("float32")
    codes = ops.convert_to_numpy(before.encode_indices(x))
    np.testing.assert_allclose(model.reconstruct(x), before.reconstruct(x), rtol=1e-6)
    model.compile(build_optimizers(model, recipe.training, 10))
    model.fit(x, epochs=2, verbose=0)
    np.testing.assert_array_equal(ops.convert_to_numpy(model.encode_indices(x)), codes)
    for part in ("encoder", "quantizer"):
        pairs = zip(*(getattr(m, part).get_weights() for m in (model, before)), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs), part
    assert not np.allclose(model.reconstruct(x), before.reconstruct(x))


@pytest.mark.parametrize(
    "addition, message",
    [
        ('frozen = ["critic"]', r"`frozen`.*critic.*encoder"),
        ('start = "{folder}/classifier"', r"`start`.*classifier.*shares no part"),
        ('start = "{folder}/wider"', r"`start`.*wider.*differs in encoder, decoder"),
    ],
)
def test_a_start_that_does_not_fit(tmp_path, addition, message):
    wider = OF_CODES.replace("filters = [4]", "filters = [5]")
    build_model(read_tiny_recipe(tmp_path, wider), SHAPE, seed=0).save_to_preset(tmp_path / "wider")
    recipe = of_a_game(tmp_path, addition.format(folder=tmp_path))
    with pytest.raises(ValueError, match=message):
        start_from_preset(build_model(recipe, SHAPE, seed=0), recipe)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('["conv_1"]', '["conv_9"]', r"layers conv_9.*It has: .*conv_1"),
        ('layers = ["conv_1"]', "", r"\[features\] must have the keys preset.*layers"),
    ],
)
def test_features_that_are_not_there(tmp_path, old, new, message):
    text = of_a_game(tmp_path).text.replace(old, new)
    with pytest.raises(ValueError, match=message):
        build_model(read_tiny_recipe(tmp_path, text), SHAPE, seed=0)
