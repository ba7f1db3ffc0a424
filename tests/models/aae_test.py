import keras
import map_networks
import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.distributions import DiagonalGaussian
from keras_vae.models import AAE
from keras_vae.priors import Prior

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 6)).astype("float32")
DRAWN = np.array([[1.0, -2.0], [0.5, 1.0], [2.0, 0.3], [0.1, -0.5]], "float32")  # `fixed_draws`


def linear_aae(discriminator_outputs=1, **options):
    """z = x W + b, x' = z U + c, and the logit z a + d; p(x|z) = N(x; x', I)."""
    return AAE(
        keras_vae.MLPEncoder((6,), 2, (), num_outputs=1),
        keras_vae.MLPDecoder((6,), 2, ()),
        keras_vae.MLPEncoder((2,), discriminator_outputs, (), num_outputs=1, name="discriminator"),
        keras_vae.GaussianLikelihood(),
        seed=0,
        **options,
    )


def weights(model):
    """Returns W, b, U, c, a and d."""
    networks = model.encoder, model.decoder, model.discriminator
    return [ops.convert_to_numpy(v) for n in networks for v in n.trainable_variables]


def judge_by_first(model, slope):
    """Makes the logit of z slope * z_1."""
    model.discriminator.set_weights([np.array([[slope], [0.0]]), np.zeros(1)])


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def terms(model, x, training=False):
    return {k: ops.convert_to_numpy(v) for k, v in model.terms(x, training=training).items()}


@pytest.fixture
def fixed_draws(monkeypatch):
    monkeypatch.setattr(
        keras.random, "normal", lambda shape, *args, **kwargs: ops.convert_to_tensor(DRAWN)
    )


def test_terms_by_hand(fixed_draws):
    model = linear_aae()
    w, b, u, c, a, d = weights(model)
    z = X @ w + b
    of_codes, of_prior = sigmoid(z @ a + d)[:, 0], sigmoid(DRAWN @ a + d)[:, 0]
    found = terms(model, X)
    gaussian = 0.5 * np.sum((z @ u + c - X) ** 2, axis=1) + 3 * np.log(2 * np.pi)
    np.testing.assert_allclose(found["reconstruction"], gaussian, rtol=1e-4)
    np.testing.assert_allclose(found["adversarial"], -np.log(of_codes), rtol=1e-4)
    both = -np.log(of_prior) - np.log(1 - of_codes)
    np.testing.assert_allclose(found["discriminator"], both, rtol=1e-4)
    right = ((of_codes < 0.5).astype("float32") + (of_prior > 0.5)) / 2
    np.testing.assert_array_equal(found["discriminator_accuracy"], right)
    np.testing.assert_allclose(ops.convert_to_numpy(model.encode(X)), z, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(X), z @ u + c, rtol=1e-4, atol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "slope, adversarial, discriminator, accuracy",
    [(0.0, np.log(2), 2 * np.log(2), 0.5), (300.0, 300.0, 0.0, 1.0)],
)
def test_an_even_game_and_a_perfect_discriminator(
    fixed_draws, slope, adversarial, discriminator, accuracy
):
    model = linear_aae()
    model.encoder.set_weights([np.zeros((6, 2)), np.array([-1.0, 0.0])])  # z = (-1, 0)
    judge_by_first(model, slope)  # which is positive in all draws
    found = terms(model, X)
    np.testing.assert_allclose(found["adversarial"], adversarial, rtol=1e-6)
    np.testing.assert_allclose(found["discriminator"], discriminator, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found["discriminator_accuracy"], accuracy)


def test_each_group_descends_its_own_cost(fixed_draws):
    model, weight = linear_aae(adversarial_weight=3.0), 3.0
    model.compile(keras.optimizers.SGD(1.0))
    before = weights(model)
    w, b, u, c, a, d = before
    model.train_on_batch(X)
    moved = [p - q for p, q in zip(before, weights(model), strict=True)]

    z = X @ w + b
    error = z @ u + c - X  # of the reconstruction by x' (B, 6)
    of_codes, of_prior = sigmoid(z @ a + d), sigmoid(DRAWN @ a + d)  # (B, 1)
    by_code = error @ u.T - weight * (1 - of_codes) * a.T  # of encoder's cost by z (B, 2)
    by_hand = [
        X.T @ by_code,
        by_code.sum(axis=0),
        z.T @ error,
        error.sum(axis=0),
        z.T @ of_codes - DRAWN.T @ (1 - of_prior),
        (of_codes - 1 + of_prior).sum(axis=0),
    ]
    for found, expected in zip(moved, by_hand, strict=True):
        np.testing.assert_allclose(found, expected / len(X), rtol=1e-3, atol=1e-5)


def test_logs_and_validation():
    model = linear_aae(adversarial_weight=keras_vae.LinearAnnealing(2, start=1.0, end=5.0))
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(X, batch_size=4, validation_data=X, epochs=3, verbose=0).history
    parts = {k: np.array(v) for k, v in logs.items()}
    weighted = np.array([1.0, 3.0, 5.0]) * parts["adversarial"]
    expected = parts["reconstruction"] + weighted + parts["discriminator"]
    np.testing.assert_allclose(parts["loss"], expected, rtol=1e-5)
    np.testing.assert_array_equal(parts["val_loss"], parts["val_reconstruction"])


@pytest.mark.slow
def test_codes_come_to_follow_the_prior():
    model = AAE(
        keras_vae.MLPEncoder((2,), 2, (), num_outputs=1),
        keras_vae.MLPDecoder((2,), 2, ()),
        keras_vae.MLPEncoder((2,), 1, (16,), num_outputs=1, name="discriminator"),
        keras_vae.GaussianLikelihood(),
        adversarial_weight=3.0,
        seed=0,
    )
    x = 3 * np.random.default_rng(1).standard_normal((512, 2)).astype("float32")
    assert ops.convert_to_numpy(model.encode(x)).std(axis=0).max() > 2
    model.compile(keras.optimizers.Adam(0.03, beta_1=0.5))
    model.fit(x, batch_size=64, epochs=40, verbose=0)
    z = ops.convert_to_numpy(model.encode(x))
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=0.2)
    np.testing.assert_allclose(z.std(axis=0), 1.0, atol=0.3)
    assert np.mean((model.reconstruct(x) - x) ** 2) < 0.5  # of 9


def test_samples_are_decoded_draws_of_the_prior():
    model = linear_aae()
    u = weights(model)[2]
    drawn = model.sample(5_000, seed=0)
    np.testing.assert_allclose(np.cov(drawn.T), u.T @ u, atol=0.2)
    np.testing.assert_array_equal(model.sample(3, seed=0), drawn[:3])


class LearnedMean(Prior):
    """N(mean, I)."""

    def build(self, latent_shape, condition_shape=None):
        super().build(latent_shape, condition_shape)
        self.mean = self.add_weight(name="mean", shape=latent_shape, initializer="ones")

    def call(self, condition=None):
        return DiagonalGaussian(self.mean, 0.0, batch_ndims=0)


def test_a_prior_must_not_learn(fixed_draws):
    with pytest.raises(ValueError, match=r"trainable.*LearnedMean.*prior.trainable = False"):
        linear_aae(prior=LearnedMean())
    model = linear_aae(prior=LearnedMean(trainable=False))
    judge_by_first(model, 1.0)
    by_hand = np.log1p(np.exp(-(DRAWN[:, 0] + 1)))  # -log D of draws of N(1, I)
    z = ops.convert_to_numpy(model.encode(X))[:, 0]
    by_hand += np.log1p(np.exp(z))
    np.testing.assert_allclose(terms(model, X)["discriminator"], by_hand, rtol=1e-4)


def test_a_preset_holds_the_discriminator(tmp_path):
    model = linear_aae(adversarial_weight=keras_vae.LinearAnnealing(5))
    model.save_to_preset(tmp_path)
    loaded = AAE.from_preset(tmp_path)
    for found, expected in zip(weights(loaded), weights(model), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert loaded.adversarial_weight.num_steps == 5


def test_what_does_not_belong():
    with pytest.raises(ValueError, match=r"one logit. Expected: \(B, 1\).*Received: \(None, 2\)"):
        linear_aae(discriminator_outputs=2)
    with pytest.raises(ValueError, match=r"`adversarial_weight`.*at least 0"):
        linear_aae(adversarial_weight=-1.0)
    with pytest.raises(NotImplementedError, match=r"AAE.*no density"):
        linear_aae().log_likelihood(X, num_samples=2)


def test_latents_of_any_size_are_refused():
    z = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(z)
    discriminator = keras.Model(z, keras.layers.Dense(1)(pooled))
    with pytest.raises(ValueError, match=r"AAE compares .* fixed `input_shape`"):
        AAE(*map_networks.networks(num_outputs=1), discriminator=discriminator)
