import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae import likelihoods

RNG = np.random.default_rng(0)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_categorical_takes_class_indices():
    logits, x = RNG.normal(size=(2, 3, 5)), RNG.integers(0, 5, (2, 3))
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = np.take_along_axis(log_p, x[..., None], -1)[..., 0].sum(axis=1)
    measured = numpy(likelihoods.CategoricalLikelihood(5)(logits).log_prob(x))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_logits_in_blocks_are_those_of_the_last_axis():
    logits, x = RNG.normal(size=(2, 3, 7, 5)), RNG.integers(0, 5, (2, 3, 7))
    blocks = np.concatenate([logits[..., k] for k in range(5)], axis=-1)  # (2, 3, 35)
    likelihood = likelihoods.CategoricalLikelihood(5)
    expected = numpy(likelihood(logits).log_prob(x))
    np.testing.assert_allclose(numpy(likelihood(blocks).log_prob(x)), expected, rtol=1e-5)
    np.testing.assert_allclose(numpy(likelihood(blocks).probs), numpy(likelihood(logits).probs))


def test_shapes_of_data():
    likelihood = likelihoods.CategoricalLikelihood(4)
    assert likelihood.num_parameters == 4
    assert likelihood.data_shape((4,)) == ()
    assert likelihood.data_shape((7, 4)) == (7,)
    assert likelihood.data_shape((28,)) == (7,)
    assert likelihood.data_shape((6, 5, 12)) == (6, 5, 3)
    with pytest.raises(ValueError, match=r"last axis holds 4 logits .* Received: .* of 30\."):
        likelihood.data_shape((30,))


# (H, W) of x is told from (H, W, 1) by the model: both have decoders that end in num_classes.
@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("data_shape", [(), (7,), (6, 5)])
def test_a_model_says_whether_the_axis_of_a_single_channel_is_one_of_x(data_shape):
    logits = RNG.normal(size=(2, *data_shape, 4))
    without, with_axis = (likelihoods.CategoricalLikelihood(4) for _ in range(2))
    without.attach(data_shape)
    with_axis.attach((*data_shape, 1))
    assert without.data_shape((*data_shape, 4)) == data_shape
    assert with_axis.data_shape((*data_shape, 4)) == (*data_shape, 1)
    p = numpy(without(logits).probs)
    assert p.shape == (2, *data_shape, 4)
    np.testing.assert_array_equal(numpy(with_axis(logits).probs), p[..., None, :])


NETWORKS = {
    "vectors": ((7,), keras_vae.MLPEncoder, keras_vae.MLPDecoder),
    "one number": ((1,), keras_vae.MLPEncoder, keras_vae.MLPDecoder),
    "sequences": ((6, 2), keras_vae.MLPEncoder, keras_vae.MLPDecoder),
    "grey pictures": ((6, 5, 1), keras_vae.ConvEncoder, keras_vae.ConvDecoder),
    "pictures": ((6, 5, 3), keras_vae.ConvEncoder, keras_vae.ConvDecoder),
}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("data", NETWORKS)
def test_networks_fit(data, tmp_path):
    shape, encoder, decoder = NETWORKS[data]
    likelihood = likelihoods.CategoricalLikelihood(4)
    decoder = decoder(shape, 3, num_parameters=likelihood.num_parameters)
    model = keras_vae.VAE(encoder(shape, 3), decoder, likelihood, seed=0)
    x = RNG.integers(0, 4, (8, *shape))
    model.compile("adam")
    assert np.isfinite(model.fit(x, batch_size=4, epochs=1, verbose=0).history["elbo"]).all()
    drawn = model.sample(50, seed=0, from_likelihood=True)
    assert drawn.shape == (50, *shape)
    assert set(np.unique(drawn)) <= {0, 1, 2, 3}
    assert model.log_likelihood(x, num_samples=3).shape == (8,)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.reconstruct(x), model.reconstruct(x))


def test_logits_of_a_custom_decoder_have_an_axis_of_their_own():
    decoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(28)])
    decoder.add(keras.layers.Reshape((7, 4)))
    likelihood = likelihoods.CategoricalLikelihood(4)
    model = keras_vae.VAE(keras_vae.MLPEncoder((7,), 3), decoder, likelihood)
    assert model.sample(2, seed=0).shape == (2, 7)
