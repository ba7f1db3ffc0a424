import keras
import numpy as np
import pytest
from families import BY_NAME
from families import PICTURE
from families import mlp
from keras import ops
from linear_gaussian import linear_gaussian_vae
from linear_gaussian import log_marginal

from keras_vae import IWAE
from keras_vae import VAE
from keras_vae import DReGIWAE
from keras_vae import VampPrior

pytestmark = pytest.mark.compiled_once

X = BY_NAME["iwae"].data()


def sharing_parts(kind, vae, **kwargs):
    """A model of another class with the networks of `vae`."""
    return kind(vae.encoder, vae.decoder, vae.likelihood, vae.prior, seed=0, **kwargs)


def evaluated(model, x):
    """Returns `{metric: mean}` over x, with the noise of `evaluate`."""
    model.compile()
    return model.evaluate(x, batch_size=len(x), return_dict=True, verbose=0)


def gradients(model, x, seed):
    """Returns `{path: gradient}` of one SGD step of rate 1 with the training noise of `seed`."""
    if not model.compiled:  # once for all seeds; XLA of TensorFlow would draw other noise
        model.compile(keras.optimizers.SGD(1.0), jit_compile=keras.config.backend() == "jax")
    model.noise.training_stream.state.assign(np.array([seed, 0], "uint32"))
    before = [ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    model.train_on_batch(x)
    after = [ops.convert_to_numpy(v) for v in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, before, strict=True):
        variable.assign(value)
    pairs = zip(model.trainable_variables, before, after, strict=True)
    return {v.path: b - a for v, b, a in pairs}


def test_the_bound_rises_with_the_samples_to_the_marginal():
    vae, parameters = linear_gaussian_vae(posterior_error=1.0)
    x = np.random.default_rng(0).standard_normal((400, 6)).astype("float32")
    exact = log_marginal(x, parameters).mean()
    bounds = [
        -evaluated(sharing_parts(IWAE, vae, num_samples=k), x)["nll_bound"]
        for k in (1, 5, 50, 2000)
    ]
    assert np.all(np.diff(bounds) > 0)
    assert bounds[0] < exact - 0.3
    assert abs(bounds[-1] - exact) < 0.02


def test_one_sample_is_the_elbo():
    keras.utils.set_random_seed(0)
    vae = VAE(*mlp(PICTURE), seed=0)
    logs = evaluated(sharing_parts(IWAE, vae, num_samples=1), X)
    assert logs["nll_bound"] == pytest.approx(-logs["elbo"], rel=1e-6)
    assert logs["loss"] == pytest.approx(logs["nll_bound"], rel=1e-6)
    # The same draws: only the KL is a sample of the VAE's closed form.
    assert logs["reconstruction"] == pytest.approx(evaluated(vae, X)["reconstruction"], rel=1e-5)


def test_the_bound_by_hand():
    model = BY_NAME["iwae"].model()
    log_w = ops.convert_to_numpy(model.log_importance_weights(X, 3))
    model.noise.reset_evaluation()
    bound = ops.convert_to_numpy(model.terms(ops.convert_to_tensor(X))["nll_bound"])
    np.testing.assert_allclose(bound, -np.log(np.exp(log_w).mean(axis=0)), rtol=1e-5)


def test_the_gradient_is_the_finite_difference_of_the_bound_under_fixed_noise():
    model = BY_NAME["iwae"].model()
    found = gradients(model, X, seed=7)
    bound = model.jitted(lambda x: model.terms(x, training=True)["nll_bound"])
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        value = ops.convert_to_numpy(variable).copy()
        direction = rng.standard_normal(value.shape).astype("float32")
        step = 2e-2 / np.linalg.norm(direction)
        costs = []
        for sign in (1, -1):
            variable.assign(value + sign * step * direction)
            model.noise.training_stream.state.assign(np.array([7, 0], "uint32"))
            costs.append(bound(X).astype("float64").mean())
        variable.assign(value)
        slope = (costs[0] - costs[1]) / (2 * step)
        expected = np.sum(found[variable.path] * direction)
        assert expected == pytest.approx(slope, rel=0.02, abs=0.02), variable.path


@pytest.fixture(scope="module")
def estimates():
    """Gradients of the encoder at K = 64 under 150 seeds, `{(class, part): (150, weights)}`, and
    those of the decoder."""
    vae, _ = linear_gaussian_vae(posterior_error=0.5)
    kernel, bias = vae.encoder.get_layer("z_mean").get_weights()
    vae.encoder.get_layer("z_mean").set_weights([kernel, bias + 1.0])  # so there is much to learn
    x = np.random.default_rng(0).standard_normal((1, 6)).astype("float32")
    found = {}
    for kind in (IWAE, DReGIWAE):
        model = sharing_parts(kind, vae, num_samples=64)
        draws = [gradients(model, x, seed) for seed in range(150)]
        for part in ("encoder", "decoder"):
            rows = [np.concatenate([g.ravel() for k, g in d.items() if part in k]) for d in draws]
            found[kind, part] = np.array(rows, "float64")
    return found


def test_dreg_has_the_same_mean_and_a_smaller_variance(estimates):
    plain, dreg = estimates[IWAE, "encoder"], estimates[DReGIWAE, "encoder"]
    error = np.sqrt((plain.var(axis=0) + dreg.var(axis=0)) / len(plain))
    scores = (plain.mean(axis=0) - dreg.mean(axis=0))[error > 0] / error[error > 0]
    assert np.abs(scores).max() < 4.5
    assert np.abs(plain.mean(axis=0)).max() > 0.05  # there is something to estimate
    assert dreg.var(axis=0).sum() < 0.5 * plain.var(axis=0).sum()


def test_dreg_leaves_the_decoders_gradient(estimates):
    plain, dreg = estimates[IWAE, "decoder"], estimates[DReGIWAE, "decoder"]
    np.testing.assert_allclose(plain, dreg, rtol=1e-4, atol=1e-5)


def test_dreg_reports_the_bound_as_its_loss():
    model = BY_NAME["dreg_iwae"].compiled()
    logs = model.train_on_batch(X, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["nll_bound"], rel=1e-6)


def test_dreg_refuses_a_prior_that_shares_the_encoder():
    with pytest.raises(ValueError, match=r"DReGIWAE.*VampPrior"):
        DReGIWAE(*mlp(PICTURE), prior=VampPrior(3))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [0, -1, 2.5, True, "5"])
def test_bad_numbers_of_samples_are_refused(num_samples):
    with pytest.raises(ValueError, match=r"`num_samples`.*positive integer"):
        IWAE(*mlp(PICTURE), num_samples=num_samples)
