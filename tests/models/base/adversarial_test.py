import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

import keras_vae
from keras_vae.models.base.adversarial import perceptual_distance

X = (np.random.default_rng(0).uniform(size=(8, 6, 5, 1)) > 0.5).astype("float32")
GAMES = ["vae_gan", "vq_gan"]


def weights_of(network):
    return [ops.convert_to_numpy(w) for w in network.weights]


def are_same(before, network):
    return [np.array_equal(a, b) for a, b in zip(before, weights_of(network), strict=True)]


def test_perceptual_distance_against_numpy():
    inputs = keras.Input((None, None, 2))
    first = keras.layers.Conv2D(3, 3)(inputs)
    features = keras.Model(inputs, [first, keras.layers.Conv2D(4, 3, 2)(first)])
    x, y = np.random.default_rng(0).normal(size=(2, 5, 9, 8, 2)).astype("float32")
    expected = 0
    for a, b in zip(features(x), features(y), strict=True):
        a, b = (f / np.linalg.norm(f, axis=-1, keepdims=True) for f in map(np.array, _numpy(a, b)))
        expected = expected + np.square(a - b).sum(axis=-1).mean(axis=(1, 2))
    found = ops.convert_to_numpy(perceptual_distance(features, x, y))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    same = ops.convert_to_numpy(perceptual_distance(features, x, x))
    assert np.array_equal(same, np.zeros(5))


def _numpy(*tensors):
    return map(ops.convert_to_numpy, tensors)


@pytest.mark.parametrize("name", GAMES)
def test_terms_by_hand(name):
    model = BY_NAME[name].model()
    c = None
    terms = {
        k: ops.convert_to_numpy(v) for k, v in model.terms(ops.convert_to_tensor(X), c).items()
    }
    assert terms["discriminator"].shape == terms["adversarial"].shape == (8,)
    if name == "vq_gan":  # whose y is no draw
        y = model.reconstruct(X)
        of_real, of_decoded = (
            ops.convert_to_numpy(model.discriminator(v)).mean(axis=(1, 2, 3)) for v in (X, y)
        )
        np.testing.assert_allclose(terms["adversarial"], -30 * of_decoded, rtol=1e-4)
        # As long as all logits lie between -1 and 1 the hinge is linear.
        expected = 1 + (of_decoded - of_real) / 2
        np.testing.assert_allclose(terms["discriminator"], expected, rtol=1e-4)
        found = ops.convert_to_numpy(perceptual_distance(model.features, X, y))
        np.testing.assert_allclose(terms["perceptual"], 30 * found, rtol=1e-4)


@pytest.mark.parametrize("name", GAMES)
def test_the_discriminator_starts_late_and_features_never_learn(name):
    model = BY_NAME[name].model()
    model.discriminator_start = 2
    model.compile(keras.optimizers.Adam(0.01))
    model.trainable = True  # which would unfreeze what measures
    of_game, of_features = weights_of(model.discriminator), weights_of(model.features)
    for _ in range(2):
        model.train_on_batch(X)
    assert all(are_same(of_game, model.discriminator))
    model.train_on_batch(X)
    # The hinge pulls the last bias up for x as much as down for y, as long as it is linear.
    assert not any(are_same(of_game, model.discriminator)[:-1])
    assert all(are_same(of_features, model.features))
    assert not any(v is w for v in model.trainable_variables for w in model.features.variables)


def test_neither_player_descends_the_others_cost():
    model = BY_NAME["vae_gan"].model()
    model.discriminator_start, model.perceptual_weight, model.kl_weight = 0, 0.0, 0.0
    model.compile({"main": keras.optimizers.SGD(0.0), "discriminator": keras.optimizers.SGD(0.05)})
    before = model.evaluate(X, verbose=0, return_dict=True)["discriminator"]
    model.fit(X, epochs=20, verbose=0)
    after = model.evaluate(X, verbose=0, return_dict=True)["discriminator"]
    assert after < before  # though the decoder would have had it rise


@pytest.mark.parametrize("name", GAMES)
def test_the_decoder_alone_goes_on_training(name):
    model = BY_NAME[name].model()
    model.encoder.trainable = False
    if name == "vq_gan":
        model.quantizer.trainable = False
    model.compile(keras.optimizers.Adam(0.01))
    kept = [weights_of(model.encoder), *[weights_of(q) for q in getattr(model, "quantizers", [])]]
    decoder = weights_of(model.decoder)
    model.fit(X, epochs=2, verbose=0)
    parts = [model.encoder, *getattr(model, "quantizers", [])]
    assert all(all(are_same(*pair)) for pair in zip(kept, parts, strict=True))
    assert not any(are_same(decoder, model.decoder))


def test_a_discriminator_may_judge_whole_pictures():
    model = BY_NAME["vae_gan"].model()
    inputs = keras.Input(X.shape[1:])
    whole = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
    game = keras_vae.VAEGAN(model.encoder, model.decoder, whole)
    game.compile(keras.optimizers.Adam(0.01))
    assert np.isfinite(game.fit(X, verbose=0).history["discriminator"]).all()
    terms = game.terms(ops.convert_to_tensor(X), None)
    assert terms["adversarial"].shape == terms["discriminator"].shape == (8,)


def test_averages_of_weights_are_those_of_keras():
    model = BY_NAME["vae_gan"].model()
    model.compile(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5))
    model.fit(X, epochs=3, verbose=0)
    assert np.isfinite(model.evaluate(X, verbose=0)).all()


def test_what_does_not_belong():
    networks = (
        keras_vae.ConvMapEncoder((8, 8, 1), 2, (3,), num_outputs=2),
        keras_vae.ConvMapDecoder((8, 8, 1), 2, (3,)),
    )
    game = keras_vae.PatchDiscriminator((8, 8, 1), (3,))
    with pytest.raises(TypeError, match=r"`discriminator`.*keras.Model"):
        keras_vae.VAEGAN(*networks, "patches")
    with pytest.raises(TypeError, match=r"`features`.*keras.Model"):
        keras_vae.VAEGAN(*networks, game, features="vgg")
    with pytest.raises(ValueError, match=r"`adversarial_weight`.*at least 0"):
        keras_vae.VAEGAN(*networks, game, adversarial_weight=-1.0)
    with pytest.raises(ValueError, match=r"`perceptual_weight` must be a number"):
        keras_vae.VAEGAN(*networks, game, perceptual_weight=keras_vae.LinearAnnealing(10))
    with pytest.raises(ValueError, match=r"`discriminator_start`"):
        keras_vae.VAEGAN(*networks, game, discriminator_start=-1)
    with pytest.raises(ValueError, match=r"`discriminator`.*\(B, h, w, 1\) or \(B, 1\)"):
        keras_vae.VAEGAN(*networks, keras_vae.ConvMapEncoder((8, 8, 1), 2, (3,)))
