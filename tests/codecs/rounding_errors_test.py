import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

import keras_vae
from keras_vae.codecs.rounding_errors import LARGEST_RATIO
from keras_vae.codecs.rounding_errors import convolves
from keras_vae.codecs.rounding_errors import margins
from keras_vae.codecs.rounding_errors import probed

KERNELS = {
    "Conv{}D": "filters",
    "Conv{}DTranspose": "filters",
    "DepthwiseConv{}D": "depth_multiplier",
}


def posterior_of(model):
    def parameters(x):
        posterior = model.infer(x)
        return posterior.mean, posterior.log_var

    return parameters


def test_a_margin_is_ten_times_the_difference_to_be_expected():
    family, model = BY_NAME["vae"], BY_NAME["vae"].model()
    kinds = "mean", "log_var"
    found = margins(model, kinds, posterior_of(model), family.pairs())
    moved = probed(model, kinds, posterior_of(model), family.pairs())
    for kind, margin, (rms, largest) in zip(kinds, found, moved, strict=True):
        assert margin.shape == model.latent_shape
        assert np.all(margin >= 10 * (LARGEST_RATIO[kind] * rms))
        assert np.all(margin >= 10 * largest)
        assert np.all(margin >= 10 * 2.0**-23)


def test_a_model_whose_outputs_cancel_gets_a_wider_margin():
    dense = keras.layers.Dense(1)
    network = keras.Sequential([keras.Input((100,)), dense])
    decoder = keras.Sequential([keras.Input((1,)), keras.layers.Dense(100)])
    model = keras_vae.Autoencoder(network, decoder, keras_vae.GaussianLikelihood())
    x = np.random.default_rng(0).normal(size=(8, 100)).astype("float32")
    found = []
    for scale in (1.0, 1e5):
        dense.set_weights([np.full((100, 1), scale, "float32"), np.zeros(1, "float32")])
        centred = x - x.mean(axis=1, keepdims=True)  # sums to about 0
        (margin,) = margins(model, ("logits",), lambda t: (network(t),), [centred])
        found.append(margin)
    assert found[1] > 100 * found[0]


def test_the_model_is_left_as_it_was():
    family = BY_NAME["vae"]
    model = family.model()
    before = model.get_weights()
    margins(model, ("mean", "log_var"), posterior_of(model), family.pairs())
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("kind", "scale"), [("log_var", 1.0), ("logits", 8.0)])
def test_differences_are_relative_to_the_size_of_an_output(kind, scale):
    model = BY_NAME["vae"].model()
    variable = model.trainable_weights[0]
    variable.assign(ops.full(variable.shape, 15.0))

    def output(x):
        return (ops.reshape(ops.convert_to_tensor(variable), (-1,))[:1],)

    ((rms, largest),) = probed(model, (kind,), output, [np.zeros((4, 1), "float32")])
    assert largest == pytest.approx(15 * 2**-24 / (1 + 15 / scale), rel=0.2)
    assert 0 < rms <= largest


def test_what_is_compared_may_be_made_of_the_outputs():
    family, model = BY_NAME["vae"], BY_NAME["vae"].model()
    kinds = ("mean",)
    both = margins(model, ("mean", "mean"), posterior_of(model), family.pairs())
    (one,) = margins(model, kinds, posterior_of(model), family.pairs(), lambda o: [o[1]])
    np.testing.assert_allclose(one, both[1])


def test_dimensions_of_which_more_is_added_up_have_wider_margins():
    dense = keras.layers.Dense(3, use_bias=False)
    network = keras.Sequential([keras.Input((100,)), dense])
    kernel = np.random.default_rng(1).normal(size=(100, 3)) * [1.0, 30.0, 0.0]
    dense.set_weights([kernel.astype("float32")])
    decoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(100)])
    model = keras_vae.Autoencoder(network, decoder, keras_vae.GaussianLikelihood())
    x = np.random.default_rng(0).normal(size=(32, 100)).astype("float32") / 1000  # outputs near 0
    (of_each,) = margins(model, ("mean",), lambda t: (network(t),), [x])
    assert of_each.shape == (3,)
    assert of_each[1] > 2 * of_each[0]
    assert of_each[2] > 0  # more than what was seen of it


@pytest.mark.parametrize(
    ("encoder", "decoder", "shape", "expected"),
    [
        (keras_vae.ConvSeriesEncoder, keras_vae.ConvSeriesDecoder, (8, 1), True),
        (keras_vae.ConvEncoder, keras_vae.ConvDecoder, (8, 8, 1), True),
        (keras_vae.RecurrentSeriesEncoder, keras_vae.RecurrentSeriesDecoder, (8, 1), False),
        (keras_vae.MLPEncoder, keras_vae.MLPDecoder, (8, 8, 1), False),
    ],
)
def test_convolutions_are_known_in_any_number_of_dimensions(encoder, decoder, shape, expected):
    assert convolves(keras_vae.VAE(encoder(shape, 2), decoder(shape, 2))) is expected


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("kind", ["Conv{}D", "Conv{}DTranspose", "DepthwiseConv{}D"])
def test_kinds_of_convolutions(kind, rank):
    x = keras.Input((*[8] * rank, 2))
    y = getattr(keras.layers, kind.format(rank))(**{KERNELS[kind]: 2}, kernel_size=3)(x)
    assert convolves(keras.Sequential([keras.Model(x, y)]))
    assert not convolves(keras.Model(x, keras.layers.Dense(3)(x)))
    heads = keras.Input((4, 8))
    assert not convolves(keras.Model(heads, keras.layers.MultiHeadAttention(2, 4)(heads, heads)))
