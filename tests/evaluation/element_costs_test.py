import keras
import numpy as np
import pytest
from keras import ops
from linear_gaussian import linear_gaussian_vae

import keras_vae
from keras_vae import evaluation

X = np.random.default_rng(0).normal(size=(7, 6)).astype("float32")


def test_against_the_closed_form():
    # E_q[(x - W'z - m)^2] is the square at the mean of q and the variance that W' makes of q's.
    model, parameters = linear_gaussian_vae()
    weights, sigma = parameters["weights"], parameters["sigma"]
    mean = ops.convert_to_numpy(model.encode(X).mean)
    error = (X - mean @ weights - parameters["mean"]) ** 2
    spread = parameters["variance"] @ weights**2
    expected = 0.5 * (np.log(2 * np.pi * sigma**2) + (error + spread) / sigma**2)
    costs = evaluation.element_costs(model, X, num_samples=4000)
    np.testing.assert_allclose(costs, expected, rtol=0.05, atol=0.05)


def test_their_sum_is_the_reconstruction():
    model, _ = linear_gaussian_vae()
    model.compile()
    many = np.repeat(X, 200, axis=0)
    costs = evaluation.element_costs(model, X, num_samples=2000)
    logs = model.evaluate(many, return_dict=True, verbose=0)
    np.testing.assert_allclose(costs.sum(axis=-1).mean(), logs["reconstruction"], rtol=0.02)


def test_a_fault_costs_where_it_is():
    encoder = keras_vae.ConvSeriesEncoder((12, 2), 2, filters=(4,))
    decoder = keras_vae.ConvSeriesDecoder((12, 2), 2, filters=(4,))
    keras.utils.set_random_seed(0)
    model = keras_vae.VAE(encoder, decoder, keras_vae.GaussianLikelihood(0.5), seed=0)
    x = np.zeros((3, 12, 2), "float32")
    x[np.arange(3), [2, 7, 11], 1] = 5
    costs = evaluation.element_costs(model, x).sum(axis=-1)
    assert costs.shape == (3, 12)
    assert costs.argmax(axis=-1).tolist() == [2, 7, 11]
    assert np.array_equal(costs, evaluation.element_costs(model, x).sum(axis=-1))


def test_pictures_of_any_size():
    shape = (None, None, 1)
    networks = (
        keras_vae.ConvMapEncoder(shape, 2, (4,), num_outputs=2),
        keras_vae.ConvMapDecoder(shape, 2, (4,)),
    )
    model = keras_vae.VAE(*networks, seed=0)
    x = (np.random.default_rng(0).random((3, 7, 9, 1)) < 0.5).astype("float32")
    costs = evaluation.element_costs(model, x, num_samples=64)
    assert costs.shape == x.shape
    expected = -model.score_per_feature(x, num_samples=64)  # of other draws
    np.testing.assert_allclose(costs, expected, atol=0.1)


def test_a_condition_is_told():
    labels = keras_vae.LabelCondition(3)
    networks = (
        keras_vae.MLPEncoder((6,), 2, (8,), condition_shape=labels.shape),
        keras_vae.MLPDecoder((6,), 2, (8,), condition_shape=labels.shape),
    )
    model = keras_vae.CVAE(*networks, labels, keras_vae.GaussianLikelihood(), seed=0)
    costs = [evaluation.element_costs(model, X, condition=np.full(7, k)) for k in (0, 1)]
    assert np.abs(costs[0] - costs[1]).max() > 1e-4


@pytest.mark.one_backend
def test_what_has_no_costs():
    model, _ = linear_gaussian_vae()
    with pytest.raises(ValueError, match=r"`num_samples`.*positive"):
        evaluation.element_costs(model, X, num_samples=0)
    plain = keras_vae.Autoencoder(keras_vae.MLPEncoder((6,), 2), keras_vae.MLPDecoder((6,), 2))
    with pytest.raises(ValueError, match=r"no q\(z\|x\)"):
        evaluation.element_costs(plain, np.clip(X, 0, 1))
