"""Promises of every distribution, kept by each of them."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import DiscretizedLogistic
from keras_vae.distributions import Mixture

RNG = np.random.default_rng(0)
LEVELS = RNG.integers(0, 256, (4, 3, 2)) / 255
BITS = RNG.integers(0, 2, (4, 3, 2))

# name: (constructor, shapes of its parameters, data of shape (B, *event) = (4, 3, 2))
DISTRIBUTIONS = {
    "gaussian": (DiagonalGaussian, [(4, 3, 2), (4, 3, 2)], RNG.normal(size=(4, 3, 2))),
    "gaussian_one_sigma": (DiagonalGaussian, [(4, 3, 2), ()], RNG.normal(size=(4, 3, 2))),
    "bernoulli": (Bernoulli, [(4, 3, 2)], BITS),
    "bernoulli_grey": (Bernoulli, [(4, 3, 2)], LEVELS),
    "categorical": (Categorical, [(4, 3, 2, 5)], RNG.integers(0, 5, (4, 3, 2))),
    "logistic": (DiscretizedLogistic, [(4, 3, 2), (4, 3, 2)], LEVELS),
    "mixture_of_gaussians": (
        lambda logits, mean, log_var: Mixture(logits, DiagonalGaussian(mean, log_var, 2)),
        [(4, 5), (4, 5, 3, 2), (4, 5, 3, 2)],
        RNG.normal(size=(4, 3, 2)),
    ),
    "mixture_per_pixel": (
        lambda logits, mean, log_scale: Mixture(
            logits, DiscretizedLogistic(mean, log_scale, batch_ndims=3)
        ),
        [(4, 3, 5), (4, 3, 5, 2), (4, 3, 5, 2)],
        LEVELS,
    ),
}


@pytest.fixture(params=DISTRIBUTIONS)
def case(request):
    constructor, shapes, x = DISTRIBUTIONS[request.param]
    rng = np.random.default_rng(1)
    return constructor, [rng.normal(size=shape) for shape in shapes], x


def test_log_prob_sums_over_the_event_and_broadcasts_over_draws(case):
    constructor, parameters, x = case
    distribution = constructor(*parameters)
    each = ops.convert_to_numpy(distribution.log_prob(x))
    draws = ops.convert_to_numpy(distribution.log_prob(np.stack([x, x[::-1]])))
    assert each.shape == (4,)
    assert draws.shape == (2, 4)
    np.testing.assert_allclose(draws[0], each, rtol=1e-6)
    reverse = ops.convert_to_numpy(distribution.log_prob(x[::-1]))
    np.testing.assert_allclose(draws[1], reverse, rtol=1e-6)


def test_examples_are_independent(case):
    constructor, parameters, x = case
    distribution = constructor(*parameters)
    changed = np.concatenate([x[:3], x[:1]])  # another last example
    before, after = (ops.convert_to_numpy(distribution.log_prob(data)) for data in (x, changed))
    np.testing.assert_array_equal(before[:3], after[:3])
    assert before[3] != after[3]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_value_and_gradient_stay_finite_for_parameters_up_to_1e4(case, seed, value_and_gradients):
    constructor, parameters, x = case
    rng = np.random.default_rng(seed)
    values = [-1e4, -300.0, -20.0, -1.0, 0.0, 1.0, 20.0, 300.0, 1e4]
    extreme = [rng.choice(values, p.shape) for p in parameters]
    value, gradients = value_and_gradients(lambda *p: constructor(*p).log_prob(x), *extreme)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize("sign", [-1e4, 1e4])
def test_value_and_gradient_stay_finite_where_all_parameters_are_extreme(
    case, sign, value_and_gradients
):
    constructor, parameters, x = case
    extreme = [np.full(p.shape, sign) for p in parameters]
    value, gradients = value_and_gradients(lambda *p: constructor(*p).log_prob(x), *extreme)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


def test_samples_of_extreme_parameters_are_finite(case):
    constructor, parameters, _ = case
    for sign in (-1e4, 1e4):
        distribution = constructor(*[np.full(p.shape, sign) for p in parameters])
        for draw in (distribution.sample(seed=0), distribution.mean, distribution.mode):
            assert np.isfinite(ops.convert_to_numpy(draw)).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
def test_everything_is_float32_under_every_policy(case, policy):
    constructor, parameters, x = case
    # Numbers that float16 represents, so that only the arithmetic could lose digits.
    parameters = [np.round(p * 8) / 8 for p in parameters]
    expected = ops.convert_to_numpy(constructor(*parameters).log_prob(x))
    before = keras.config.dtype_policy()
    floatx = keras.config.floatx()
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx("float64" if policy == "float64" else "float16")
    try:
        distribution = constructor(*[p.astype("float16") for p in parameters])
        log_prob = distribution.log_prob(x)
        tensors = [log_prob, distribution.mean]
        if not isinstance(distribution, Categorical):
            tensors += [distribution.sample(seed=1), distribution.mode]
        assert {keras.backend.standardize_dtype(t.dtype) for t in tensors} == {"float32"}
    finally:
        keras.config.set_dtype_policy(before)
        keras.config.set_floatx(floatx)
    np.testing.assert_allclose(ops.convert_to_numpy(log_prob), expected, rtol=1e-6)


def test_same_seed_same_sample(case):
    constructor, parameters, _ = case
    distribution = constructor(*parameters)
    draws = [ops.convert_to_numpy(distribution.sample(seed)) for seed in (7, 7, 8)]
    assert draws[0].shape == distribution.shape == (4, 3, 2)
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_a_generator_advances(case):
    constructor, parameters, _ = case
    distribution = constructor(*parameters)
    generator = keras.random.SeedGenerator(7)
    first, second = (ops.convert_to_numpy(distribution.sample(generator)) for _ in range(2))
    assert (first != second).any()


def test_sample_moments_are_the_mean(case):
    constructor, parameters, _ = case
    distribution = constructor(*parameters)
    if isinstance(distribution, DiscretizedLogistic):
        pytest.skip("its mean is documented as the clipped location")
    if isinstance(getattr(distribution, "components", None), DiscretizedLogistic):
        pytest.skip("its components' means are documented as clipped locations")
    draws = ops.convert_to_numpy(distribution.sample(seed=3, num_samples=4000)).astype("float64")
    assert draws.shape == (4000, 4, 3, 2)
    standard_error = draws.std(0) / np.sqrt(len(draws))
    deviation = (draws.mean(0) - ops.convert_to_numpy(distribution.mean)) / standard_error
    # 24 standard normal numbers: mean square 1 +- 3 * sqrt(2 / 24).
    assert np.mean(deviation**2) < 1 + 3 * np.sqrt(2 / deviation.size)


class LogProb(keras.layers.Layer):
    def __init__(self, distribution, **kwargs):
        super().__init__(**kwargs)
        self.distribution = distribution

    def call(self, inputs):
        *parameters, x = inputs
        distribution = self.distribution(*parameters)
        return distribution.log_prob(x) + distribution.log_prob(distribution.sample(seed=1))


def test_traces_with_an_unknown_batch_size(case):
    constructor, parameters, x = case
    parameters = [np.broadcast_to(p, x.shape) if p.ndim == 0 else p for p in parameters]
    inputs = [keras.Input(a.shape[1:]) for a in [*parameters, x]]
    layer = LogProb(constructor)
    model = keras.Model(inputs, layer(inputs))
    arrays = [a.astype("float32") for a in [*parameters, x]]
    traced = model.predict(arrays, verbose=0)
    np.testing.assert_allclose(traced, ops.convert_to_numpy(layer(arrays)), rtol=1e-5)


def test_traces_with_two_unknown_batch_axes():
    inputs = [keras.Input((None, 3, 2)), keras.Input((None, 3, 2))]
    layer = LogProb(lambda logits: Bernoulli(logits, batch_ndims=2))
    model = keras.Model(inputs, layer(inputs))
    arrays = [np.ones((5, 4, 3, 2), "float32")] * 2
    traced = model.predict(arrays, verbose=0)
    np.testing.assert_allclose(traced, ops.convert_to_numpy(layer(arrays)), rtol=1e-5)


def test_an_event_of_another_shape_is_refused():
    distribution = Bernoulli(np.zeros((2, 28, 28, 1)))
    with pytest.raises(ValueError, match=r"trailing axes of `x`.*\(2, 28, 28\)"):
        distribution.log_prob(np.zeros((2, 28, 28)))


def test_batch_ndims_is_checked():
    with pytest.raises(ValueError, match="`batch_ndims` of Bernoulli"):
        Bernoulli(np.zeros(3), batch_ndims=2)


def test_batch_ndims_divides_batch_from_event():
    x = np.ones((2, 3))
    for batch_ndims, axes in [(0, (0, 1)), (1, (1,)), (2, ())]:
        log_prob = DiagonalGaussian(np.zeros((2, 3)), 0.0, batch_ndims).log_prob(x)
        expected = np.sum(np.full((2, 3), -0.5 - 0.5 * np.log(2 * np.pi)), axis=axes)
        np.testing.assert_allclose(ops.convert_to_numpy(log_prob), expected, rtol=1e-6)
