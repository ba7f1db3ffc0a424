import gradients
import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import VQVAE
from keras_vae import ConvMapDecoder
from keras_vae import ConvMapEncoder
from keras_vae import LinearAnnealing
from keras_vae.quantizers import GumbelQuantizer


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def built(temperature=1.0):
    quantizer = GumbelQuantizer(5, temperature)
    quantizer.build((None, 3, 4))
    quantizer.to_logits.kernel.assign(normal(4, 5))
    return quantizer


def probabilities(quantizer, z_e):
    logits = z_e @ numpy(quantizer.to_logits.kernel)
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def test_evaluation_takes_the_most_probable_code():
    quantizer, z_e = built(), normal(6, 3, 4)
    quantized = quantizer(z_e)
    indices = probabilities(quantizer, z_e).argmax(axis=-1)
    np.testing.assert_array_equal(numpy(quantized.indices), indices)
    np.testing.assert_array_equal(numpy(quantized.z_q), numpy(quantizer.codebook)[indices])


def test_training_draws_from_the_distribution_of_each_position():
    quantizer, z_e = built(temperature=0.1), normal(1, 3, 4)
    seed = keras.random.SeedGenerator(0)
    indices = numpy(quantizer(np.tile(z_e, (4000, 1, 1)), training=True, seed=seed).indices)
    frequencies = np.mean(indices[..., None] == np.arange(5), axis=0)
    expected = probabilities(quantizer, z_e)[0]
    np.testing.assert_allclose(frequencies, expected, atol=4.5 * 0.5 / np.sqrt(4000))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("training", [True, False])
def test_the_cost_is_the_divergence_from_uniform_whatever_was_drawn(training):
    quantizer, z_e = built(), normal(6, 3, 4)
    q = probabilities(quantizer, z_e)
    expected = (q * np.log(5 * q)).sum(axis=(1, 2))
    quantized = quantizer(z_e, training=training, seed=keras.random.SeedGenerator(0))
    np.testing.assert_allclose(numpy(quantized.codebook), expected, rtol=1e-4)
    assert not numpy(quantized.commitment).any()


def test_the_gradient_is_that_of_the_relaxed_code():
    quantizer, z_e, weights, step = built(temperature=0.7), normal(2, 3, 4), normal(4), 1e-2
    _, (gradient,) = gradients.value_and_gradients(
        lambda t: ops.multiply(quantizer(t).z_q, weights), z_e
    )
    codebook = numpy(quantizer.codebook)

    def relaxed(z_e):
        q = probabilities(quantizer, z_e) ** (1 / 0.7)
        return (q / q.sum(axis=-1, keepdims=True) @ codebook * weights).sum()

    for index in [(0, 0, 0), (1, 2, 3)]:
        shift = np.zeros_like(z_e)
        shift[index] = step
        difference = (relaxed(z_e + shift) - relaxed(z_e - shift)) / (2 * step)
        np.testing.assert_allclose(gradient[index], difference, rtol=1e-2, atol=1e-3)

    (of_codebook,) = gradients.gradients_of_weights(
        lambda: ops.multiply(quantizer(z_e).z_q, weights), [quantizer.codebook]
    )
    q = probabilities(quantizer, z_e) ** (1 / 0.7)
    q = (q / q.sum(axis=-1, keepdims=True)).sum(axis=(0, 1))
    np.testing.assert_allclose(of_codebook, q[:, None] * weights, rtol=1e-4)


def test_a_temperature_follows_the_updates(tmp_path):
    def model(temperature):
        keras.utils.set_random_seed(0)
        parts = ConvMapEncoder((8, 8, 1), 3, (4,)), ConvMapDecoder((8, 8, 1), 3, (4,))
        model = VQVAE(*parts, GumbelQuantizer(5, temperature), seed=0)
        model.compile(keras.optimizers.SGD(0.01))
        return model

    x = np.random.default_rng(0).uniform(size=(4, 8, 8, 1)).astype("float32")
    scheduled, by_hand = model(LinearAnnealing(1, start=2.0, end=0.5)), model(2.0)
    scheduled.train_on_batch(x)
    scheduled.save(tmp_path / "model.keras")
    by_hand.train_on_batch(x)
    by_hand.quantizer.temperature = 0.5
    by_hand.train_on_batch(x)
    resumed = keras.saving.load_model(tmp_path / "model.keras")
    for other in (scheduled, resumed):
        other.train_on_batch(x)
        for a, b in zip(other.get_weights(), by_hand.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
    never_lower = model(2.0)
    for _ in range(2):
        never_lower.train_on_batch(x)
    difference = never_lower.quantizer.codebook - by_hand.quantizer.codebook
    assert np.abs(numpy(difference)).max() > 1e-4


def test_a_temperature_follows_the_updates_of_the_model_that_is_trained():
    def model():
        keras.utils.set_random_seed(0)
        parts = ConvMapEncoder((8, 8, 1), 3, (4,)), ConvMapDecoder((8, 8, 1), 3, (4,))
        quantizer = GumbelQuantizer(5, LinearAnnealing(1, start=2.0, end=0.5))
        model = VQVAE(*parts, quantizer, seed=0)
        model.compile(keras.optimizers.SGD(0.01))
        return model

    x = np.random.default_rng(0).uniform(size=(4, 8, 8, 1)).astype("float32")
    alone, shared = model(), model()
    other = VQVAE(shared.encoder, shared.decoder, shared.quantizer)  # has made no updates
    for trained in (alone, shared):
        trained.train_on_batch(x)
        trained.train_on_batch(x)
    assert other.quantizer is shared.quantizer
    for a, b in zip(shared.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("num_embeddings", 1),
        ("num_embeddings", 2.0),
        ("temperature", 0),
        ("temperature", None),
        ("temperature", float("inf")),
    ],
)
def test_arguments_are_checked(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be"):
        GumbelQuantizer(**{"num_embeddings": 4, argument: value})
