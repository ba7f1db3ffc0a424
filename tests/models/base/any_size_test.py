import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.models.base import any_size

SHAPE = (None, None, 2)
RNG = np.random.default_rng(0)
CROPS = RNG.uniform(size=(8, 8, 8, 2)).astype("float32")
ODD = RNG.uniform(size=(3, 13, 6, 2)).astype("float32")
GAUSSIAN = {"likelihood": keras_vae.GaussianLikelihood(0.5), "seed": 0}


def networks(num_outputs=2, latent_dim=3, **options):
    return (
        keras_vae.ConvMapEncoder(SHAPE, latent_dim, (4, 5), num_outputs=num_outputs, **options),
        keras_vae.ConvMapDecoder(SHAPE, latent_dim, (5, 4), **options),
    )


def vae():
    return keras_vae.VAE(*networks(), **GAUSSIAN)


def cvae():
    return keras_vae.CVAE(
        *networks(condition_shape=(3,)), condition=keras_vae.LabelCondition(3), **GAUSSIAN
    )


def vqvae():
    return keras_vae.VQVAE(*networks(1), keras_vae.VectorQuantizer(6), **GAUSSIAN)


def vqvae2():
    encoders = [
        keras_vae.ConvMapEncoder(SHAPE, 3, (4, 5)),
        keras_vae.ConvMapEncoder((None, None, 3), 3, (4,)),
    ]
    decoders = [
        keras_vae.ConvMapDecoder(SHAPE, 9, (5, 4)),
        keras_vae.ConvMapDecoder((None, None, 3), 3, (4,)),
    ]
    quantizers = [keras_vae.VectorQuantizer(6), keras_vae.VectorQuantizer(6)]
    return keras_vae.VQVAE2(encoders, decoders, quantizers, **GAUSSIAN)


MODELS = {"vae": vae, "cvae": cvae, "vqvae": vqvae, "vqvae2": vqvae2}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("size", [(13, 6), (8, 12), (2, 3), (1, 1)])
def test_padding_is_that_of_numpy(size):
    x = RNG.uniform(size=(2, *size, 3)).astype("float32")
    missing = [-n % 8 for n in size]
    # NumPy mirrors again and again too, and repeats a single pixel.
    expected = np.pad(x, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)), "reflect")
    assert np.array_equal(ops.convert_to_numpy(any_size.padded_by_reflection(x, 8)), expected)


def test_a_stride_is_a_whole_number():
    assert any_size.stride_of((16, 16, 5)) == 4
    assert any_size.stride_of((16, 8, 5)) is any_size.stride_of((60, 60, 5)) is None
    assert any_size.stride_of((5,)) is any_size.stride_of((None, None, 3)) is None


@pytest.mark.parametrize("name", MODELS)
def test_trains_on_crops_and_works_on_another_size(name):
    model, condition = MODELS[name](), () if name != "cvae" else (np.arange(8) % 3,)
    assert model.built
    assert model.stride == (8 if name == "vqvae2" else 4)
    assert model.data_shape == SHAPE
    model.compile(keras.optimizers.Adam(0.01))
    history = model.fit(CROPS, *condition, epochs=3, batch_size=4, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    of_odd = [c[:3] for c in condition]
    reconstructed = model.reconstruct(ODD, *of_odd)
    assert reconstructed.shape == ODD.shape
    each = [model.reconstruct(x[None], *[c[i] for c in of_odd])[0] for i, x in enumerate(ODD)]
    np.testing.assert_allclose(reconstructed, each, rtol=1e-4, atol=1e-5)
    assert np.isfinite(model.evaluate(ODD, *of_odd, verbose=0)).all()


def test_latents_are_those_of_the_padded_picture():
    model = vae()
    padded = ops.convert_to_numpy(any_size.padded_by_reflection(ODD, 4))
    mean = ops.convert_to_numpy(model.encode(ODD).mean)
    assert mean.shape == (3, 4, 2, 3)
    expected = ops.convert_to_numpy(model.encoder(padded)[0])
    np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-5)
    whole = ops.convert_to_numpy(model.decoder(mean))
    np.testing.assert_allclose(model.reconstruct(ODD), whole[:, :13, :6], rtol=1e-4, atol=1e-5)


def test_likelihood_counts_real_pixels_only():
    model = keras_vae.VQVAE(*networks(1), keras_vae.VectorQuantizer(6), **GAUSSIAN)
    error = model.reconstruct(ODD) - ODD
    nats = -0.5 * (error / 0.5) ** 2 - np.log(0.5) - 0.5 * np.log(2 * np.pi)
    codes = 4 * 2 * np.log(6)  # of 16 x 8 pixels, which 13 x 6 are padded to
    expected = nats.sum(axis=(1, 2, 3)) - codes
    np.testing.assert_allclose(model.log_likelihood(ODD), expected, rtol=1e-5)


def test_bound_by_hand():
    model = vae()
    model.decoder.set_weights([np.zeros_like(w) for w in model.decoder.get_weights()])
    mean, log_var = (ops.convert_to_numpy(v) for v in model.encoder_outputs(ODD))
    kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=(1, 2, 3))
    reconstruction = (2 * ODD**2 + np.log(0.5) + 0.5 * np.log(2 * np.pi)).sum(axis=(1, 2, 3))
    terms = {k: ops.convert_to_numpy(v) for k, v in model.terms(ODD).items()}
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-4)
    np.testing.assert_allclose(terms["reconstruction"], reconstruction, rtol=1e-5)
    # z says nothing of x here, so that importance sampling has nothing to estimate but the KL.
    found = model.log_likelihood(ODD, num_samples=400, seed=0, proposal="prior")
    np.testing.assert_allclose(found, -reconstruction, rtol=1e-5)


def test_scores_count_real_pixels_only():
    model = vae()
    bound = model.score(ODD, method="bound", num_samples=64)
    log_p = model.score(ODD, num_samples=64)
    assert bound.shape == log_p.shape == (len(ODD),)
    assert (log_p > bound).all()
    of_pixels = model.score_per_feature(ODD, num_samples=64)
    assert of_pixels.shape == ODD.shape
    # What is over and above the bound is the KL, which is positive.
    assert (of_pixels.sum(axis=(1, 2, 3)) > bound).all()


def test_samples_have_the_size_that_is_asked_for():
    model = vae()
    assert model.sample(3, size=(9, 6)).shape == (3, 9, 6, 2)
    first, again = (model.sample(2, size=(9, 6), seed=1) for _ in range(2))
    assert np.array_equal(first, again)
    z = ops.convert_to_numpy(model.prior.over((5, 6, 3)).sample(seed=0, num_samples=200))
    assert np.abs(z.mean(axis=0)).max() < 5 / np.sqrt(200)  # a draw of its own at every position
    with pytest.raises(ValueError, match=r"`size` must be .*size=None"):
        model.sample(3)
    with pytest.raises(ValueError, match=r"`size\[0\]`"):
        model.sample(3, size=(0, 6))
    fixed = keras_vae.VAE(keras_vae.MLPEncoder((4,), 2), keras_vae.MLPDecoder((4,), 2))
    with pytest.raises(ValueError, match=r"`size` is for models of pictures of any size"):
        fixed.sample(3, size=(8, 8))


def test_codes_of_any_size():
    model = vqvae()
    indices = model.encode_indices(ODD)
    assert indices.shape == (3, 4, 2)
    decoded = model.decode_indices(indices)
    np.testing.assert_allclose(decoded[:, :13, :6], model.reconstruct(ODD), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="A prior models codes of one size"):
        model.fit_prior(CROPS)


def test_a_preset_and_a_file_take_any_size_too(tmp_path):
    model = vae()
    expected = model.reconstruct(ODD)
    model.save_to_preset(tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    for loaded in (
        keras_vae.from_preset(tmp_path / "preset"),
        keras.saving.load_model(tmp_path / "model.keras"),
    ):
        assert loaded.stride == 4
        assert np.array_equal(loaded.reconstruct(ODD), expected)


def test_what_cannot_be_of_any_size():
    with pytest.raises(ValueError, match=r"prior of latents of any size.*GaussianMixture"):
        keras_vae.VAE(*networks(), prior=keras_vae.GaussianMixture(2), **GAUSSIAN)
    pooled = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    )
    with pytest.raises(ValueError, match=r"must return maps.*Received: \(3,\)"):
        keras_vae.Autoencoder(pooled, networks()[1], **GAUSSIAN)
    with pytest.raises(ValueError, match=r"`input_shape`.*ConvMapEncoder"):
        keras_vae.ConvEncoder(SHAPE, 3)
    with pytest.raises(ValueError, match=r"Expected: \(N, any, any, 2\)"):
        vae().reconstruct(np.zeros((1, 8, 8, 3), "float32"))


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="TensorFlow traces sizes")
@pytest.mark.parametrize("name", ["vae", "vqvae", "vqvae2"])
def test_trains_on_a_data_set_and_is_exported_where_sizes_are_unknown(name, tmp_path):
    import tensorflow as tf

    model = MODELS[name]()
    model.compile(keras.optimizers.Adam(0.01))
    pictures = (CROPS[:4], CROPS[4:, :, :4])
    signature = tf.TensorSpec((None, None, None, 2), tf.float32)
    batches = tf.data.Dataset.from_generator(lambda: iter(pictures), output_signature=signature)
    losses = model.fit(batches, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.export(tmp_path, verbose=False)
    served = tf.saved_model.load(tmp_path)
    assert served.serve(CROPS[:1]) is not None
