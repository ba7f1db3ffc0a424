import keras
import numpy as np
import pytest
from keras import ops
from linear_gaussian import linear_gaussian_vae
from linear_gaussian import log_marginal

import keras_vae
from keras_vae.models import VAE

RNG = np.random.default_rng(0)
BITS = RNG.integers(0, 2, (64, 6)).astype("float32")


def small_vae(**options):
    networks = keras_vae.MLPEncoder((6,), 3, (8,)), keras_vae.MLPDecoder((6,), 3, (8,))
    return VAE(*networks, seed=0, **options)


def terms(model, x, training):
    return {k: ops.convert_to_numpy(v) for k, v in model.terms(x, training=training).items()}


def fixed_posterior(model, mean, log_var):
    """Makes the encoder return one posterior for every x."""
    for name, value in {"z_mean": mean, "z_log_var": log_var}.items():
        head = model.encoder.get_layer(name)
        head.set_weights([np.zeros_like(head.get_weights()[0]), np.asarray(value)])


def test_elbo_is_the_log_marginal_where_the_posterior_is_exact():
    model, parameters = linear_gaussian_vae()
    x = RNG.standard_normal((2000, 6)).astype("float32")
    found = terms(model, x, training=False)
    bound = -(found["reconstruction"] + found["kl"])
    gap = log_marginal(x, parameters) - bound
    # Analytic KL leaves the noise of log p(x|z); its mean is the ELBO, which is tight here.
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


def test_kl_by_hand():
    model = small_vae()
    mean, variance = np.array([1.0, 0.0, -2.0]), np.array([1.0, 0.5, 2.0])
    fixed_posterior(model, mean, np.log(variance))
    by_hand = 0.5 * np.sum(mean**2 + variance - 1 - np.log(variance))
    np.testing.assert_allclose(terms(model, BITS, False)["kl"], by_hand, rtol=1e-5)


def test_reconstruction_by_hand():
    model = small_vae()
    fixed_posterior(model, np.zeros(3), np.full(3, -20.0))  # z is 0 to 5 digits
    logits = ops.convert_to_numpy(model.decoder(np.zeros((1, 3))))
    by_hand = np.sum(np.logaddexp(0, logits) - BITS * logits, axis=1)
    found = terms(model, BITS, False)["reconstruction"]
    np.testing.assert_allclose(found, by_hand, rtol=1e-4)


@pytest.mark.parametrize("accumulated", [None, 2])
def test_a_schedule_goes_on_from_one_evaluation_to_the_next(accumulated):
    """What is logged in evaluation, |KL - C|, follows C with the updates between them."""
    updates = 4 if accumulated is None else 2  # an epoch
    model = small_vae(capacity=keras_vae.LinearAnnealing(4 * updates, start=100.0, end=500.0))
    model.compile(keras.optimizers.SGD(0.0, gradient_accumulation_steps=accumulated))
    fitted = model.fit(BITS, batch_size=16, epochs=2, validation_data=(BITS, None), verbose=0)
    kl = fitted.history["val_kl"][0]
    assert fitted.history["val_capacity"] == pytest.approx([200 - kl, 300 - kl], rel=1e-4)
    model.fit(BITS, batch_size=16, verbose=0)
    assert model.evaluate(BITS, verbose=0, return_dict=True)["capacity"] == pytest.approx(400 - kl)
    model.fit(BITS, batch_size=16, verbose=0)
    found = model.test_on_batch(BITS, return_dict=True)["capacity"]
    assert float(found) == pytest.approx(500 - kl, rel=1e-4)


def test_free_bits_cost_nothing_below_the_threshold():
    model = small_vae(free_bits=0.5)
    mean = np.array([1.0, 0.1, 2.0])  # KL per dimension 0.5, 0.005, 2
    fixed_posterior(model, mean, np.zeros(3))
    found = terms(model, BITS, training=True)
    total = found["kl"] + found["free_bits"]
    np.testing.assert_allclose(total, 0.5 + 0.5 + 2.0, rtol=1e-5)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(BITS, batch_size=48, validation_data=BITS, verbose=0).history
    np.testing.assert_allclose(logs["loss"][0] - logs["reconstruction"][0], 3.0, rtol=1e-4)
    np.testing.assert_allclose(logs["val_loss"][0], -logs["val_elbo"][0], rtol=1e-6)


def test_free_bits_may_follow_a_schedule():
    model = small_vae(free_bits=keras_vae.LinearAnnealing(2, 0.5, 1.5))
    model.compile(keras.optimizers.SGD(0.0))
    mean = np.array([1.0, 0.1, 2.0])  # KL per dimension 0.5, 0.005, 2
    fixed_posterior(model, mean, np.zeros(3))
    logs = model.fit(BITS, batch_size=len(BITS), epochs=3, verbose=0).history
    found = np.subtract(logs["loss"], logs["reconstruction"])
    np.testing.assert_allclose(found, [3.0, 4.0, 5.0], rtol=1e-4)


def test_free_bits_give_no_gradient_to_a_dimension_below_the_threshold():
    model = small_vae(free_bits=100.0)  # every dimension is below
    model.compile(keras.optimizers.SGD(0.1))
    decoder_blind = model.decoder.get_layer("dense_1")
    decoder_blind.set_weights([np.zeros_like(w) for w in decoder_blind.get_weights()])
    decoder_blind.trainable = False  # so z reaches no cost but the KL
    before = model.encoder.get_layer("z_mean").get_weights()[0]
    model.fit(BITS, epochs=1, verbose=0)
    np.testing.assert_allclose(model.encoder.get_layer("z_mean").get_weights()[0], before)


def test_free_bits_are_weighed_as_the_kl_is():
    model = small_vae(free_bits=5.0)  # every dimension is below
    model.compile(keras.optimizers.SGD(0.0))
    weights = np.where(np.arange(len(BITS)) % 4, 0.0, 4.0)
    logs = model.fit(BITS, batch_size=64, sample_weight=weights, verbose=0).history
    np.testing.assert_allclose(logs["kl"][0] + logs["free_bits"][0], 3 * 5.0, rtol=1e-5)


def test_free_bits_give_no_gradient_below_the_threshold_whatever_the_weights():
    model = small_vae(free_bits=100.0)
    model.compile(keras.optimizers.SGD(0.1))
    blind = model.decoder.get_layer("dense_1")
    blind.set_weights([np.zeros_like(w) for w in blind.get_weights()])
    blind.trainable = False  # so z reaches no cost but the KL
    before = model.encoder.get_weights()
    weights = np.linspace(0, 3, len(BITS), dtype="float32")
    model.fit(BITS, sample_weight=weights, verbose=0)
    for a, b in zip(before, model.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_capacity_by_hand_and_in_the_loss():
    model = small_vae(capacity=3.0, kl_weight=10.0)
    fixed_posterior(model, np.array([2.0, 0.0, 0.0]), np.zeros(3))  # KL = 2
    found = terms(model, BITS, training=True)
    np.testing.assert_allclose(found["capacity"], 1.0, rtol=1e-5)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(BITS, batch_size=64, verbose=0, shuffle=False).history
    expected = logs["reconstruction"][0] + 10.0 * 1.0
    np.testing.assert_allclose(logs["loss"][0], expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("kl_weight", [0.0, 0.5, 4.0])
def test_beta_weighs_training_and_not_validation(kl_weight):
    model = small_vae(kl_weight=kl_weight)
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.fit(BITS, batch_size=64, validation_data=BITS, verbose=0).history
    trained = logs["reconstruction"][0] + kl_weight * logs["kl"][0]
    np.testing.assert_allclose(logs["loss"][0], trained, rtol=1e-5)
    np.testing.assert_allclose(logs["val_loss"][0], -logs["val_elbo"][0], rtol=1e-6)
    bound = logs["val_reconstruction"][0] + logs["val_kl"][0]
    np.testing.assert_allclose(logs["val_loss"][0], bound, rtol=1e-5)


def test_annealed_weight_is_the_schedule_of_the_updates_made():
    model = small_vae(kl_weight=keras_vae.LinearAnnealing(num_steps=4, end=2.0))
    model.compile(keras.optimizers.SGD(0.0))
    for weight in (0.0, 0.5, 1.0, 1.5, 2.0, 2.0):
        logs = model.train_on_batch(BITS, return_dict=True)
        # train_on_batch keeps running means over calls unless they are reset.
        model.reset_metrics()
        expected = logs["reconstruction"] + weight * logs["kl"]
        np.testing.assert_allclose(logs["loss"], expected, rtol=1e-5)


def test_samples_follow_the_prior_and_the_decoder():
    model, parameters = linear_gaussian_vae()
    drawn = model.sample(20_000, seed=0, from_likelihood=True)
    weights = parameters["weights"]
    covariance = weights.T @ weights + parameters["sigma"] ** 2 * np.eye(6)
    np.testing.assert_allclose(drawn.mean(axis=0), parameters["mean"], atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.1)
    means = model.sample(20_000, seed=0)
    np.testing.assert_allclose(np.cov(means.T), weights.T @ weights, atol=0.1)


def test_a_seed_fixes_samples_whatever_their_number():
    model = small_vae()
    many = model.sample(300, seed=1)
    np.testing.assert_array_equal(model.sample(5, seed=1), many[:5])
    assert np.abs(model.sample(5, seed=2) - many[:5]).max() > 0
    assert np.abs(model.sample(5) - model.sample(5)).max() > 0
    assert np.abs(many[:5] - many[128:133]).max() > 0  # another batch, other noise


def test_importance_weights_by_hand():
    model, parameters = linear_gaussian_vae(posterior_error=0.5)
    x = RNG.standard_normal((4, 6)).astype("float32")
    log_w = ops.convert_to_numpy(model.log_importance_weights(ops.convert_to_tensor(x), 5000))
    assert log_w.shape == (5000, 4)
    # E[w] = p(x), for each example by itself.
    estimate = np.log(np.mean(np.exp(log_w.astype("float64")), axis=0))
    np.testing.assert_allclose(estimate, log_marginal(x, parameters), atol=0.1)


def test_reconstruct_is_the_decoded_posterior_mean_without_noise():
    model, parameters = linear_gaussian_vae()
    x = RNG.standard_normal((5, 6)).astype("float32")
    kernel, bias = model.encoder.get_layer("z_mean").get_weights()
    expected = (x @ kernel + bias) @ parameters["weights"] + parameters["mean"]
    np.testing.assert_allclose(model.reconstruct(x), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.reconstruct(x), model.predict(x, verbose=0))


def test_encoder_must_give_two_outputs():
    inputs = keras.Input((6,))
    with pytest.raises(ValueError, match=r"must return \(z_mean, z_log_var\).*one tensor"):
        VAE(keras.Model(inputs, keras.layers.Dense(3)(inputs)), keras_vae.MLPDecoder((6,), 3))


def test_decoder_must_give_back_the_data():
    with pytest.raises(ValueError, match=r"decoder.*shape of the data.*\(6,\)"):
        VAE(keras_vae.MLPEncoder((6,), 3), keras_vae.MLPDecoder((7,), 3))
    with pytest.raises(ValueError, match="num_parameters=2"):
        VAE(
            keras_vae.MLPEncoder((5,), 3),
            keras_vae.MLPDecoder((5,), 3),
            keras_vae.PerPixelGaussianLikelihood(),
        )


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("options", [{"kl_weight": -1}, {"free_bits": -0.1}, {"capacity": "big"}])
def test_bad_weights(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}`.*at least 0"):
        small_vae(**options)


def test_wrong_parts_are_named():
    with pytest.raises(TypeError, match=r"`prior`.*layer"):
        small_vae(prior="normal")
    with pytest.raises(TypeError, match=r"`likelihood`.*layer"):
        small_vae(likelihood="bernoulli")


def test_sigmoid_decoder_is_seen():
    inputs = keras.Input((3,))
    probabilities = keras.layers.Dense(6, activation="sigmoid")(inputs)
    model = VAE(keras_vae.MLPEncoder((6,), 3), keras.Model(inputs, probabilities), seed=0)
    assert isinstance(model.likelihood, keras_vae.BernoulliProbabilityLikelihood)
    assert type(small_vae().likelihood) is keras_vae.BernoulliLikelihood


def test_config_keeps_schedules_and_options():
    options = {"kl_weight": keras_vae.CyclicAnnealing(100), "free_bits": 0.1, "capacity": 2.0}
    model = VAE.from_config(small_vae(**options).get_config())
    assert model.kl_weight.get_config() == options["kl_weight"].get_config()
    assert (model.free_bits, model.capacity, model.noise.seed) == (0.1, 2.0, 0)
