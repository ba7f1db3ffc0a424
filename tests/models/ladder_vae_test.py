import numpy as np
import pytest
from keras import ops

from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae.distributions import DiagonalGaussian
from keras_vae.models import LadderVAE
from keras_vae.models.ladder_vae import precision_weighted
from keras_vae.networks import LadderDecoder
from keras_vae.networks import LadderEncoder

pytestmark = pytest.mark.compiled_once


def numpy(*tensors):
    return [ops.convert_to_numpy(t) for t in tensors]


def test_precision_weighting_by_hand():
    a = DiagonalGaussian([[1.0, 0.0]], np.log([[1.0, 2.0]]))
    b = DiagonalGaussian([[4.0, 3.0]], np.log([[0.5, 2.0]]))
    product = precision_weighted(a, b)
    mean, variance = numpy(product.mean, ops.exp(product.log_var))
    np.testing.assert_allclose(mean, [[(1 * 1 + 4 * 2) / 3, 1.5]], rtol=1e-6)
    np.testing.assert_allclose(variance, [[1 / 3, 1.0]], rtol=1e-6)


def test_product_is_proportional_to_both_densities_at_extreme_variances():
    a = DiagonalGaussian([[1.0, 5.0]], [[-18.0, 19.0]])
    b = DiagonalGaussian([[1.0001, -2.0]], [[-17.0, -19.0]])
    product = precision_weighted(a, b)
    mean = numpy(product.mean)[0]
    ratios = [
        sum(numpy(a.log_prob(x), b.log_prob(x))) - numpy(product.log_prob(x))[0]
        for x in (mean, mean + 1e-5)
    ]
    np.testing.assert_allclose(ratios[0], ratios[1], atol=1e-2)


def test_inference_is_the_walk_down_by_hand():
    encoders = [MLPEncoder((6,), 3, (8,), num_outputs=3), MLPEncoder((8,), 2, ())]
    decoders = [MLPDecoder((6,), 3, ()), MLPEncoder((2,), 3, ())]
    model = LadderVAE(encoders, decoders, seed=0)
    x = np.random.default_rng(0).integers(0, 2, (4, 6)).astype("float32")
    mean_1, log_var_1, features = encoders[0](x)
    mean_2, log_var_2 = numpy(*encoders[1](features))
    mean_p, log_var_p = numpy(*decoders[1](mean_2))
    precision, precision_p = np.exp(-numpy(log_var_1)[0]), np.exp(-log_var_p)
    variance = 1 / (precision + precision_p)
    mean = variance * (numpy(mean_1)[0] * precision + mean_p * precision_p)
    first, second = model.encode(x)
    found = numpy(first.mean, ops.exp(first.log_var), second.mean, second.log_var)
    for got, wanted in zip(found, [mean, variance, mean_2, log_var_2], strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)
    expected = numpy(ops.sigmoid(decoders[0](mean)))[0]
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)


def test_levels_about_which_x_says_nothing_cost_nothing():
    encoders = [MLPEncoder((6,), 3, (8,), num_outputs=3), MLPEncoder((8,), 2, ())]
    kernel, bias = encoders[0].get_layer("z_log_var").get_weights()
    encoders[0].get_layer("z_log_var").set_weights([0 * kernel, bias + 20.0])
    model = LadderVAE(encoders, [MLPDecoder((6,), 3, ()), MLPEncoder((2,), 3, ())], seed=0)
    terms = model.terms(np.ones((4, 6), "float32"))
    assert np.abs(numpy(terms["kl_1"])[0]).max() < 1e-6
    assert numpy(terms["kl_2"])[0].min() > 1e-3


def test_encoders_below_the_top_must_give_features():
    encoders = [MLPEncoder((6,), 3, (8,)), MLPEncoder((8,), 2, ())]
    with pytest.raises(ValueError, match=r"`encoders\[0\]` must return .*features.*2 tensors"):
        LadderVAE(encoders, [MLPDecoder((6,), 3, ()), MLPEncoder((2,), 3, ())])


@pytest.mark.slow
def test_deep_ladder_of_maps_trains():
    shapes = [(14, 10, 2), (7, 5, 3), (4, 3, 2), (4, 3, 2), (2, 2, 4)]  # of z_1 ... z_5
    seen = [(14, 10, 1), *((*shape[:2], 5) for shape in shapes[:4])]
    states = [*((*shape[:2], shape[2] + 6) for shape in shapes[:4]), shapes[4]]
    encoders = [LadderEncoder(a, b, 5, 1) for a, b in zip(seen, shapes, strict=True)]
    priors = [LadderEncoder(a, b, 6, 1) for a, b in zip(states[1:], shapes[:4], strict=True)]
    decoder = LadderDecoder(states[0], (14, 10, 1), 6, num_blocks=1)
    model = LadderVAE(encoders, [decoder, *priors], seed=0)
    assert model.latent_shapes == tuple(shapes)
    model.compile("sgd")
    before = model.get_weights()
    x = np.random.default_rng(0).integers(0, 2, (4, 14, 10, 1)).astype("float32")
    logs = model.fit(x, batch_size=2, verbose=0).history  # a second step leaves the zero kernels
    assert np.isfinite([logs[f"kl_{i}"] for i in range(1, 6)]).all()
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))
    assert model.sample(2, seed=0).shape == (2, 14, 10, 1)
