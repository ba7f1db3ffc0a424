"""Networks of series, recurrent and convolutional: the same promises, and a closed form."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_vae import VAE
from keras_vae import ConvSeriesDecoder
from keras_vae import ConvSeriesEncoder
from keras_vae import GaussianLikelihood
from keras_vae import PerPixelGaussianLikelihood
from keras_vae import RecurrentSeriesDecoder
from keras_vae import RecurrentSeriesEncoder

pytestmark = pytest.mark.compiled_once

T, C, D = 7, 2, 3
X = np.random.default_rng(0).normal(size=(6, T, C)).astype("float32")
Z = np.random.default_rng(1).normal(size=(6, D)).astype("float32")
PAIRS = {
    "gru": (RecurrentSeriesEncoder, RecurrentSeriesDecoder, {"units": 8}),
    "lstm": (RecurrentSeriesEncoder, RecurrentSeriesDecoder, {"units": 8, "cell": "lstm"}),
    "conv": (ConvSeriesEncoder, ConvSeriesDecoder, {"filters": (4, 4), "kernel_size": 3}),
}
every_kind = pytest.mark.parametrize("kind", PAIRS)


def networks(kind, **of_decoder):
    encoder, decoder, options = PAIRS[kind]
    return encoder((T, C), D, **options), decoder((T, C), D, **options, **of_decoder)


def numpy(tensors):
    return [ops.convert_to_numpy(t) for t in keras.tree.flatten(tensors)]


@every_kind
def test_a_vae_of_series_learns_samples_and_reconstructs(kind):
    keras.utils.set_random_seed(0)
    model = VAE(*networks(kind), GaussianLikelihood(0.5), seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    losses = model.fit(X, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 1
    assert model.sample(3, seed=0).shape == (3, T, C)
    assert model.reconstruct(X).shape == X.shape
    assert model.log_likelihood(X, num_samples=4, seed=0).shape == (6,)


@every_kind
def test_every_step_depends_on_z_and_z_on_every_step(kind):
    encoder, decoder = networks(kind)
    rng = np.random.default_rng(2)
    for v in [*encoder.trainable_variables, *decoder.trainable_variables]:
        v.assign(rng.normal(size=v.shape))
    first, second = (numpy(decoder(z))[0] for z in (Z, Z + 0.5))
    assert np.abs(first - second).max(axis=(0, 2)).min() > 1e-3
    means = numpy(encoder(X))[0]
    for t in range(T):
        changed = X.copy()
        changed[:, t] += 1
        assert np.abs(numpy(encoder(changed))[0] - means).max() > 1e-5


@every_kind
def test_a_decoder_begins_at_the_mean_of_the_data(kind):
    _, decoder = networks(kind, num_parameters=2)
    decoder.set_output_bias(X.mean(axis=0))
    assert decoder.output_shape == (None, T, 2 * C)
    likelihood = PerPixelGaussianLikelihood()
    at_zero = likelihood(decoder(np.zeros((1, D), "float32")))
    if kind == "conv":  # without biases before it, z = 0 gives the output bias alone
        np.testing.assert_allclose(numpy(at_zero.mean)[0][0], X.mean(axis=0), atol=1e-6)
    assert at_zero.shape[1:] == (T, C)


@pytest.mark.parametrize("num_steps", [1, 2, 5, 8])
def test_convolutions_fit_every_length(num_steps):
    encoder = ConvSeriesEncoder((num_steps, C), D, filters=(4, 4))
    decoder = ConvSeriesDecoder((num_steps, C), D, filters=(4, 4))
    assert encoder.output_shape[0] == (None, D)
    assert decoder.output_shape == (None, num_steps, C)


@pytest.mark.first_case_elsewhere
@every_kind
def test_a_file_keeps_the_networks(kind, tmp_path):
    for network, inputs in zip(networks(kind), (X, Z), strict=True):
        network.save(tmp_path / "network.keras")
        again = keras.models.load_model(tmp_path / "network.keras")
        assert again.get_config() == network.get_config()
        for a, b in zip(numpy(network(inputs)), numpy(again(inputs)), strict=True):
            assert np.array_equal(a, b)


@every_kind
def test_parameters_are_float32_under_every_policy(kind):
    encoder, decoder, options = PAIRS[kind]
    encoder = encoder((T, C), D, dtype="mixed_float16", **options)
    decoder = decoder((T, C), D, dtype="mixed_float16", **options)
    assert {a.dtype.name for a in numpy([encoder(X), decoder(Z)])} == {"float32"}


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: ConvSeriesEncoder((7,), D), r"`input_shape`.*\(7, 1\)"),
        (lambda: ConvSeriesDecoder((8, 7, 2), D), r"`output_shape`.*Omit the batch axis"),
        (lambda: RecurrentSeriesEncoder((0, 2), D), "`input_shape`.*positive"),
        (lambda: RecurrentSeriesDecoder((7, 2), D, cell="rnn"), "`cell`.*'gru'"),
        (lambda: ConvSeriesEncoder((7, 2), D, filters=()), "`filters`.*at least one"),
    ],
)
def test_what_makes_no_network(make, word):
    with pytest.raises(ValueError, match=word):
        make()


# A linear dynamical system: s_0 ~ N(0, I), s_{t+1} = A s_t, x_t = H s_t + b_t + noise. Given s_0
# all is linear, x = O s_0 + b with the rows H A^t of O, so that log p(x) is that of a Gaussian.

SIGMA = 0.4


def dynamics():
    """Returns O (T C, D) and b (T C,)."""
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(D, D)))[0] * np.array([0.95, 0.9, 0.8])
    observed = rng.normal(size=(C, D))
    rows = [observed @ np.linalg.matrix_power(turn, t) for t in range(T)]
    return np.concatenate(rows), rng.normal(size=T * C)


def exact_model():
    """Returns a VAE whose linear convolutions are set to p(x|z) and the exact posterior.

    The prior does not change when z is turned: along the singular vectors of O the posterior is
    diagonal, as q(z|x) is.
    """
    matrix, offset = dynamics()
    left, scales, _ = np.linalg.svd(matrix, full_matrices=False)
    weights = (left * scales).T  # (D, T C), orthogonal rows
    variance = 1 / (1 + scales**2 / SIGMA**2)
    gain = (weights / SIGMA**2 * variance[:, None]).T  # (T C, D)
    options = {"filters": (2 * C,), "kernel_size": 3, "activation": "linear"}
    encoder = ConvSeriesEncoder((T, C), D, **options)
    decoder = ConvSeriesDecoder((T, C), D, **options)

    # T is odd: the window of feature i is x_{2i-1}, x_{2i}, x_{2i+1}. The features hold the last
    # two of them, each step once.
    pick = np.zeros((3, C, 2 * C))
    pick[1, :, :C] = pick[2, :, C:] = np.eye(C)
    padded = np.zeros(((T + 1) * C, D))
    padded[: T * C] = gain
    encoder.get_layer("conv_1").set_weights([pick, np.zeros(2 * C)])
    encoder.get_layer("z_mean").set_weights([padded, -offset @ gain])
    encoder.get_layer("z_log_var").set_weights([np.zeros_like(padded), np.log(variance)])

    same = np.zeros((3, 2 * C, 2 * C))
    same[1] = np.eye(2 * C)
    decoder.get_layer("dense").set_weights([padded_rows(weights), np.zeros((T + 1) * C)])
    decoder.get_layer("output").set_weights([same])
    decoder.set_output_bias(offset.reshape(T, C))
    return VAE(encoder, decoder, GaussianLikelihood(SIGMA), seed=0)


def padded_rows(weights):
    return np.concatenate([weights, np.zeros((D, C))], axis=1)


def test_the_bound_of_a_linear_gaussian_series_is_its_closed_form():
    matrix, offset = dynamics()
    covariance = matrix @ matrix.T + SIGMA**2 * np.eye(T * C)
    exact = stats.multivariate_normal(offset, covariance)
    x = exact.rvs(200, random_state=0).reshape(200, T, C).astype("float32")
    log_p = exact.logpdf(x.reshape(200, -1))
    model = exact_model()
    # With the exact posterior every draw has the same weight.
    estimate = model.log_likelihood(x, num_samples=1, seed=0)
    np.testing.assert_allclose(estimate, log_p, atol=0.02)
    model.compile()
    elbo = model.evaluate(np.tile(x, (50, 1, 1)), batch_size=500, verbose=0, return_dict=True)[
        "elbo"
    ]
    np.testing.assert_allclose(elbo, log_p.mean(), atol=0.05)  # 5 standard errors of 10,000 draws


def test_its_samples_have_the_covariance_of_the_dynamics():
    matrix, _ = dynamics()
    x = exact_model().sample(20_000, seed=0, from_likelihood=True).reshape(20_000, -1)
    covariance = matrix @ matrix.T + SIGMA**2 * np.eye(T * C)
    error = np.abs(np.cov(x.T) - covariance).max() / np.abs(covariance).max()
    assert error < 0.04
