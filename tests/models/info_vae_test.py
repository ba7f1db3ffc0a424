import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.models import VAE
from keras_vae.models import InfoVAE
from keras_vae.models.info_vae import unbiased_mmd

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 6)).astype("float32")
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def networks():
    keras.utils.set_random_seed(0)
    return keras_vae.MLPEncoder((6,), 2, ()), keras_vae.MLPDecoder((6,), 2, ())


def small_vae(**options):
    options = {"likelihood": keras_vae.GaussianLikelihood(), "seed": 0, **options}
    return InfoVAE(*networks(), **options)


def terms(model, x, training=False):
    return {k: ops.convert_to_numpy(v) for k, v in model.terms(x, training=training).items()}


def mmd(z, y, kernel, scale):
    return float(ops.convert_to_numpy(unbiased_mmd(z, y, kernel, scale)))


def estimates(pairs, kernel, scale):
    """Returns one estimate for each pair of samples, of (N, 2, B, D)."""
    pairs = ops.convert_to_tensor(pairs.astype("float32"))
    drawn = ops.vectorized_map(lambda p: unbiased_mmd(p[0], p[1], kernel, scale), pairs)
    return ops.convert_to_numpy(drawn)


def kernel_by_hand(kernel, a, b, scale):
    square = float(np.sum((a.astype("float64") - b) ** 2))
    if kernel == "rbf":
        return np.exp(-square / scale)
    return sum(s * scale / (s * scale + square) for s in SCALES)


def double_loop(kernel, z, y, scale):
    size, total = len(z), 0.0
    for i in range(size):
        for j in range(size):
            if i != j:
                within = kernel_by_hand(kernel, z[i], z[j], scale)
                within += kernel_by_hand(kernel, y[i], y[j], scale)
                total += within / (size * (size - 1))
            total -= 2 * kernel_by_hand(kernel, z[i], y[j], scale) / size**2
    return total


every_kernel = pytest.mark.parametrize("kernel", ["rbf", "inverse_multiquadric"])


@pytest.mark.first_case_elsewhere
@every_kernel
def test_the_estimate_is_that_of_a_double_loop(kernel):
    z = RNG.standard_normal((7, 3)).astype("float32")
    y = (2 * RNG.standard_normal((7, 3)) + 1).astype("float32")
    np.testing.assert_allclose(mmd(z, y, kernel, 6.0), double_loop(kernel, z, y, 6.0), rtol=1e-5)


def test_two_draws_by_hand():
    z, y = np.array([[0.0], [2.0]], "float32"), np.array([[0.0], [0.0]], "float32")
    # k = exp(-d^2 / 4): within z exp(-1), within y 1, between 1, 1, exp(-1), exp(-1).
    by_hand = np.exp(-1) + 1 - 2 * (2 + 2 * np.exp(-1)) / 4
    np.testing.assert_allclose(mmd(z, y, "rbf", 4.0), by_hand, atol=1e-6)
    # s C / (s C + d^2), summed over s, is 7 at d = 0.
    far = sum(4 * s / (4 * s + 4) for s in SCALES)
    by_hand = far + 7 - 2 * (2 * 7 + 2 * far) / 4
    np.testing.assert_allclose(mmd(z, y, "inverse_multiquadric", 4.0), by_hand, atol=1e-5)


@pytest.mark.first_case_elsewhere
@every_kernel
def test_equal_samples(kernel):
    same = np.full((5, 3), 0.7, "float32")
    np.testing.assert_allclose(mmd(same, same, kernel, 6.0), 0.0, atol=1e-5)
    # Of other equal samples the statistic leaves out the pairs of a draw with itself on one side
    # only. Without that it is 0.
    z = RNG.standard_normal((6, 3)).astype("float32")
    kernels = [[kernel_by_hand(kernel, a, b, 6.0) for a in z] for b in z]
    of_itself, apart = np.mean(np.diag(kernels)), (np.sum(kernels) - np.trace(kernels)) / 30
    left_out = 2 * (of_itself - apart) / 6
    np.testing.assert_allclose(mmd(z, z, kernel, 6.0) + left_out, 0.0, atol=1e-5)


@pytest.mark.first_case_elsewhere
@every_kernel
def test_the_estimate_is_unbiased(kernel):
    rng = np.random.default_rng(3)
    pairs = rng.standard_normal((1000, 2, 6, 2))
    drawn = estimates(pairs, kernel, 4.0)
    assert abs(drawn.mean()) < 4 * drawn.std() / np.sqrt(len(drawn))
    assert drawn.min() < 0 < drawn.max()


def test_the_mean_is_the_closed_form_of_two_gaussians():
    rng = np.random.default_rng(4)
    shift, std, scale = np.array([1.0, -0.5]), 0.6, 4.0
    pairs = rng.standard_normal((1000, 2, 6, 2))
    pairs[:, 0] = shift + std * pairs[:, 0]
    drawn = estimates(pairs, "rbf", scale)

    def expected_kernel(
        variance, distance=0.0
    ):  # of a difference N(m, variance I), in 2 dimensions
        spread = scale + 2 * variance
        return scale / spread * np.exp(-(distance**2) / spread)

    between = expected_kernel(1 + std**2, np.linalg.norm(shift))
    closed_form = expected_kernel(2 * std**2) + expected_kernel(2.0) - 2 * between
    assert abs(drawn.mean() - closed_form) < 4 * drawn.std() / np.sqrt(len(drawn))
    assert closed_form > 10 * drawn.std() / np.sqrt(len(drawn))


@pytest.mark.first_case_elsewhere
@every_kernel
def test_codes_are_compared_with_draws_of_the_prior(monkeypatch, kernel):
    noise = iter(RNG.standard_normal((4, 8, 2)).astype("float32"))
    monkeypatch.setattr(
        keras.random, "normal", lambda shape, *a, **k: ops.convert_to_tensor(next(noise))
    )
    model = small_vae(kernel=kernel, prior_std=1.5)
    mean, log_var = (ops.convert_to_numpy(v) for v in model.encoder(X))
    first, second = next(noise), next(noise)
    noise = iter([first, second])
    z = mean + np.exp(0.5 * log_var) * first
    found = terms(model, X)["mmd"]
    expected = double_loop(kernel, z, second, 2 * 2 * 1.5**2)  # C = 2 D prior_std^2
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_wasserstein_autoencoder_is_a_setting_of_it(monkeypatch):
    """Tolstikhin et al. 2018, algorithm 2: squared error + lambda * MMD."""
    draws = RNG.standard_normal((2, 8, 2)).astype("float32")
    model = small_vae(
        kernel="inverse_multiquadric",
        kl_weight=0.0,
        mmd_weight=10.0 / 2,  # lambda / (2 sigma^2)
    )
    encoder, decoder = model.encoder, model.decoder
    mean, log_var = (ops.convert_to_numpy(v) for v in encoder(X))
    z = mean + np.exp(0.5 * log_var) * draws[0]
    decoded = ops.convert_to_numpy(decoder(z))
    wae = np.mean(np.sum((X - decoded) ** 2, axis=1))
    wae += 10.0 * double_loop("inverse_multiquadric", z, draws[1], 4.0)

    noise = iter(draws)
    monkeypatch.setattr(
        keras.random, "normal", lambda shape, *a, **k: ops.convert_to_tensor(next(noise))
    )
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=keras.config.backend() != "jax")
    loss = model.train_on_batch(X, return_dict=True)["loss"]
    constant = 3 * np.log(2 * np.pi)  # of the likelihood, sigma = 1
    np.testing.assert_allclose(2 * (loss - constant), wae, rtol=1e-4)


def test_logs_and_validation():
    weight = keras_vae.LinearAnnealing(2, start=10.0, end=50.0)
    model = small_vae(mmd_weight=weight, kl_weight=0.5)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=8, validation_data=X, epochs=3, verbose=0).history
    parts = {k: np.array(v) for k, v in logs.items()}
    expected = parts["reconstruction"] + 0.5 * parts["kl"]
    expected += np.array([10.0, 30.0, 50.0]) * parts["mmd"]
    np.testing.assert_allclose(parts["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(parts["val_loss"], -parts["val_elbo"], rtol=1e-6)
    assert "val_mmd" in logs


class OneMoreDraw(VAE):
    """A VAE that draws once more in each step, as the prior does."""

    def terms(self, x, c=None, training=False):
        found = super().terms(x, c, training)
        self.noise.stream(training).next()
        return found


def test_without_weight_it_trains_as_the_vae():
    model = small_vae(mmd_weight=0.0)
    vae = OneMoreDraw(*networks(), keras_vae.GaussianLikelihood(), seed=0)
    for m in (model, vae):
        m.compile(keras.optimizers.Adam(0.01))
        m.fit(X, batch_size=3, epochs=3, verbose=0)
    for a, b in zip(model.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.first_case_elsewhere
@every_kernel
def test_codes_come_to_follow_the_prior(kernel):
    x = (4 + 3 * np.random.default_rng(1).standard_normal((512, 2))).astype("float32")
    keras.utils.set_random_seed(0)
    encoder, decoder = keras_vae.MLPEncoder((2,), 2, ()), keras_vae.MLPDecoder((2,), 2, ())
    encoder.get_layer("z_log_var").set_weights([np.zeros((2, 2)), np.full(2, -4.0)])
    encoder.get_layer("z_log_var").trainable = False
    options = {"likelihood": keras_vae.GaussianLikelihood(), "kl_weight": 0.0, "seed": 0}
    model = InfoVAE(encoder, decoder, mmd_weight=300.0, kernel=kernel, **options)
    assert ops.convert_to_numpy(model.encode(x).mean).std(axis=0).max() > 2
    model.compile(keras.optimizers.Adam(0.03))
    model.fit(x, batch_size=256, epochs=60, verbose=0)
    z = ops.convert_to_numpy(model.encode(x).sample(seed=0))
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=0.25)
    np.testing.assert_allclose(np.cov(z.T), np.eye(2), atol=0.35)


def test_a_single_example_has_no_discrepancy():
    assert terms(small_vae(), X[:1])["mmd"] == 0.0


def test_priors_of_any_kind():
    for prior in (keras_vae.GaussianMixture(3), keras_vae.VampPrior(4)):
        assert np.isfinite(terms(small_vae(prior=prior), X)["mmd"])


def test_a_preset_holds_the_arguments(tmp_path):
    small_vae(kernel="inverse_multiquadric", prior_std=2.0, kl_weight=0.0).save_to_preset(tmp_path)
    loaded = InfoVAE.from_preset(tmp_path)
    found = loaded.kernel, loaded.prior_std, loaded.kl_weight
    assert found == ("inverse_multiquadric", 2.0, 0.0)


def test_what_does_not_belong():
    with pytest.raises(ValueError, match=r"`kernel`.*one of 'rbf', 'inverse_multiquadric'"):
        small_vae(kernel="linear")
    with pytest.raises(ValueError, match=r"`prior_std`.*greater than 0"):
        small_vae(prior_std=0.0)
    with pytest.raises(ValueError, match=r"`mmd_weight`.*at least 0"):
        small_vae(mmd_weight=-1.0)
