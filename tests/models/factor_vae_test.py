import keras
import numpy as np
import pytest
from gradients import gradients_of_weights
from keras import ops
from states import largest_difference
from states import state

import keras_vae
from keras_vae.models import VAE
from keras_vae.models import FactorVAE
from keras_vae.models.factor_vae import permuted

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 6)).astype("float32")
DRAWN = RNG.standard_normal((8, 2)).astype("float32")
UNIFORM = RNG.random((8, 2)).astype("float32")
RHO = 0.8


def networks(data_dim=6):
    return keras_vae.MLPEncoder((data_dim,), 2, ()), keras_vae.MLPDecoder((data_dim,), 2, ())


def linear_discriminator(num_outputs=1):
    """The logit z a + d."""
    return keras_vae.MLPEncoder((2,), num_outputs, (), num_outputs=1, name="discriminator")


def quadratic_discriminator():
    """A logit linear in (z_1 z_2, z_1^2, z_2^2), which the log ratio of two Gaussians is."""
    z = keras.Input((2,))
    features = ops.concatenate([z[:, :1] * z[:, 1:], ops.square(z)], axis=-1)
    return keras.Model(z, keras.layers.Dense(1)(features), name="discriminator")


def linear_vae(discriminator=None, seed=0, **options):
    """z_mean = x W + b, x' = z U + c; p(x|z) = N(x; x', I)."""
    keras.utils.set_random_seed(0)
    parts = *networks(), discriminator or linear_discriminator()
    return FactorVAE(*parts, likelihood=keras_vae.GaussianLikelihood(), seed=seed, **options)


def vae_of_codes(discriminator):
    """A model whose codes are its data, of two dimensions, with noise of variance exp(-20)."""
    model = FactorVAE(*networks(2), discriminator, likelihood=keras_vae.GaussianLikelihood())
    model.encoder.get_layer("z_mean").set_weights([np.eye(2), np.zeros(2)])
    model.encoder.get_layer("z_log_var").set_weights([np.zeros((2, 2)), np.full(2, -20.0)])
    return model


def correlated_codes(num_examples):
    covariance = [[1.0, RHO], [RHO, 1.0]]
    drawn = np.random.default_rng(1).multivariate_normal([0, 0], covariance, num_examples)
    return drawn.astype("float32")


TOTAL_CORRELATION = -0.5 * np.log(1 - RHO**2)  # of these, 0.511 nats


def terms(model, x, training=False):
    return {k: ops.convert_to_numpy(v) for k, v in model.terms(x, training=training).items()}


def weights_of(network):
    return [ops.convert_to_numpy(v) for v in network.trainable_variables]


@pytest.fixture
def fixed_draws(monkeypatch):
    for draw, values in {"normal": DRAWN, "uniform": UNIFORM}.items():
        monkeypatch.setattr(
            keras.random, draw, lambda shape, *a, v=values, **k: ops.convert_to_tensor(v)
        )


def test_terms_by_hand(fixed_draws):
    model = linear_vae()
    w, b, v, d = weights_of(model.encoder)  # of z_mean, and of z_log_var
    a, e = weights_of(model.discriminator)
    z = X @ w + b + np.exp(0.5 * (X @ v + d)) * DRAWN
    mixed = np.stack([z[np.argsort(UNIFORM[:, j]), j] for j in range(2)], axis=1)
    found = terms(model, X)
    logits, of_mixed = (z @ a + e)[:, 0], (mixed @ a + e)[:, 0]
    np.testing.assert_allclose(found["total_correlation"], logits, rtol=1e-4, atol=1e-5)
    is_code, is_mixed = 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(-of_mixed))
    cross_entropy = -(np.log(is_code) + np.log(1 - is_mixed)) / 2
    np.testing.assert_allclose(found["discriminator"], cross_entropy, rtol=1e-4)


def test_an_ignorant_discriminator():
    model = linear_vae()
    model.discriminator.set_weights([np.zeros((2, 1)), np.zeros(1)])
    found = terms(model, X)
    np.testing.assert_array_equal(found["total_correlation"], 0.0)
    np.testing.assert_allclose(found["discriminator"], np.log(2), rtol=1e-6)


def test_permuting_keeps_the_marginals_and_destroys_the_dependence():
    z = RNG.multivariate_normal(np.zeros(3), np.full((3, 3), 0.95) + 0.05 * np.eye(3), 4000)
    z = z.astype("float32")
    stream = keras.random.SeedGenerator(0)
    mixed, again = (ops.convert_to_numpy(permuted(z, stream)) for _ in range(2))
    np.testing.assert_array_equal(np.sort(mixed, axis=0), np.sort(z, axis=0))
    assert np.abs(np.corrcoef(z.T) - np.eye(3)).max() > 0.9
    assert np.abs(np.corrcoef(mixed.T) - np.eye(3)).max() < 4 / np.sqrt(4000)
    assert np.abs(np.corrcoef(mixed[:, 0], z[:, 0])[0, 1]) < 4 / np.sqrt(4000)
    assert np.mean(mixed != again) > 0.99


def test_the_best_discriminator_gives_the_closed_form():
    model = vae_of_codes(quadratic_discriminator())
    # log N(z; 0, C) - log N(z; 0, I), C with correlation rho
    inverse = np.linalg.inv([[1.0, RHO], [RHO, 1.0]])
    slopes = [[-inverse[0, 1]], [(1 - inverse[0, 0]) / 2], [(1 - inverse[1, 1]) / 2]]
    model.discriminator.set_weights([np.array(slopes), np.array([TOTAL_CORRELATION])])
    found = terms(model, correlated_codes(20_000))
    logits = found["total_correlation"]
    error = logits.std() / np.sqrt(len(logits))
    assert abs(logits.mean() - TOTAL_CORRELATION) < 4 * error
    assert found["discriminator"].mean() < np.log(2) - 0.05


@pytest.mark.slow
def test_a_discriminator_learns_the_closed_form():
    model = vae_of_codes(quadratic_discriminator())
    z = correlated_codes(4096)
    model.compile({"main": keras.optimizers.SGD(0.0), "discriminator": keras.optimizers.Adam(0.02)})
    before = terms(model, z)
    model.fit(z, batch_size=512, epochs=60, verbose=0)
    found = terms(model, z)
    np.testing.assert_allclose(found["total_correlation"].mean(), TOTAL_CORRELATION, atol=0.05)
    assert found["discriminator"].mean() < before["discriminator"].mean()


def test_each_group_has_its_optimizer():
    for moving, fixed in (("main", "discriminator"), ("discriminator", "main")):
        model = linear_vae()
        before = {k: [ops.convert_to_numpy(v) for v in g] for k, g in model.groups().items()}
        model.compile({moving: keras.optimizers.SGD(0.1), fixed: keras.optimizers.SGD(0.0)})
        model.fit(X, batch_size=4, verbose=0)
        for name, group in model.groups().items():
            unmoved = [
                np.array_equal(ops.convert_to_numpy(v), b)
                for v, b in zip(group, before[name], strict=True)
            ]
            assert all(unmoved) if name == fixed else not any(unmoved)
        together = linear_vae()
        together.compile(keras.optimizers.SGD(0.1))
        together.train_on_batch(X)
        alone = linear_vae()
        alone.compile({moving: keras.optimizers.SGD(0.1), fixed: keras.optimizers.SGD(0.0)})
        alone.train_on_batch(X)
        for a, b in zip(together.groups()[moving], alone.groups()[moving], strict=True):
            np.testing.assert_allclose(
                ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-6, atol=1e-7
            )


def test_each_group_descends_its_own_cost(fixed_draws):
    model, gamma = linear_vae(total_correlation_weight=3.0), 3.0

    def cost_of_main():
        found = model.terms(X)
        bound = found["reconstruction"] + found["kl"]
        return ops.mean(bound + gamma * found["total_correlation"])

    groups = model.groups()
    expected = {
        "main": gradients_of_weights(cost_of_main, groups["main"]),
        "discriminator": gradients_of_weights(
            lambda: ops.mean(model.terms(X)["discriminator"]), groups["discriminator"]
        ),
    }
    before = {k: [ops.convert_to_numpy(v) for v in group] for k, group in groups.items()}
    model.compile(keras.optimizers.SGD(1.0))
    model.train_on_batch(X)
    for name, group in groups.items():
        for variable, old, gradient in zip(group, before[name], expected[name], strict=True):
            moved = old - ops.convert_to_numpy(variable)
            np.testing.assert_allclose(moved, gradient, rtol=1e-3, atol=1e-5)


def test_logs_and_validation():
    gamma = keras_vae.LinearAnnealing(2, start=1.0, end=5.0)
    model = linear_vae(total_correlation_weight=gamma, kl_weight=2.0)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=8, validation_data=X, epochs=3, verbose=0).history
    parts = {k: np.array(v) for k, v in logs.items()}
    expected = parts["reconstruction"] + 2 * parts["kl"] + parts["discriminator"]
    expected += np.array([1.0, 3.0, 5.0]) * parts["total_correlation"]
    np.testing.assert_allclose(parts["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(parts["val_loss"], -parts["val_elbo"], rtol=1e-6)
    assert {"val_total_correlation", "val_discriminator"} <= logs.keys()


class OneMoreDraw(VAE):
    """A VAE that draws once more in each step, as the permutations do."""

    def terms(self, x, c=None, training=False):
        found = super().terms(x, c, training)
        self.noise.stream(training).next()
        return found


def test_without_weight_it_trains_as_the_vae():
    model = linear_vae(total_correlation_weight=0.0)
    keras.utils.set_random_seed(0)
    vae = OneMoreDraw(*networks(), keras_vae.GaussianLikelihood(), seed=0)
    for m in (model, vae):
        m.compile(keras.optimizers.Adam(0.01))
        m.fit(X, batch_size=3, epochs=3, verbose=0)
    for network in ("encoder", "decoder"):
        found, expected = (weights_of(getattr(m, network)) for m in (model, vae))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_a_file_resumes_both_optimizers_exactly(tmp_path):
    model = linear_vae()
    adams = {"main": keras.optimizers.Adam(0.01), "discriminator": keras.optimizers.Adam(0.03)}
    model.compile(adams)
    model.fit(X, batch_size=4, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    model.fit(X, batch_size=4, epochs=2, verbose=0)
    resumed = keras.models.load_model(tmp_path / "model.keras")
    resumed.fit(X, batch_size=4, epochs=2, verbose=0)
    assert largest_difference(state(resumed), state(model)) == 0.0


def test_a_preset_holds_the_discriminator(tmp_path):
    model = linear_vae(total_correlation_weight=keras_vae.LinearAnnealing(5), kl_weight=2.0)
    model.save_to_preset(tmp_path)
    loaded = FactorVAE.from_preset(tmp_path)
    for a, b in zip(weights_of(loaded), weights_of(model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (loaded.total_correlation_weight.num_steps, loaded.kl_weight) == (5, 2.0)


def test_what_does_not_belong():
    with pytest.raises(ValueError, match=r"one logit. Expected: \(B, 1\).*Received: \(None, 2\)"):
        linear_vae(linear_discriminator(2))
    with pytest.raises(ValueError, match="`total_correlation_weight` must be a number of at least"):
        linear_vae(total_correlation_weight=-1.0)
