import functools

import numpy as np
import pytest
from keras import ops
from scipy import special

from keras_vae.distributions import Categorical
from keras_vae.distributions import OneHotCategorical
from keras_vae.distributions import RelaxableBernoulli
from keras_vae.distributions import kl_divergence
from keras_vae.gradients import straight_through

LOGITS = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")  # 2 codes of 3 classes


KINDS = [lambda logits: OneHotCategorical(logits, 3), RelaxableBernoulli]


every_kind = pytest.mark.parametrize("kind", KINDS, ids=["categorical", "binary"])


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def groups(vectors):
    return numpy(vectors).reshape(*vectors.shape[:-1], -1, 3)


def test_one_hot_by_hand():
    # Odds 1 : 2 : 5 and 3 : 1 : 4.
    one_hot = OneHotCategorical(np.log([[1.0, 2.0, 5.0, 3.0, 1.0, 4.0]]), 3)
    log_prob = float(one_hot.log_prob([[0, 1, 0, 1, 0, 0]])[0])
    assert log_prob == pytest.approx(np.log(2 / 8 * 3 / 8), rel=1e-6)
    expected = [[1 / 8, 2 / 8, 5 / 8, 3 / 8, 1 / 8, 4 / 8]]
    np.testing.assert_allclose(numpy(one_hot.mean), expected, rtol=1e-6)
    np.testing.assert_array_equal(numpy(one_hot.mode), [[0, 0, 1, 0, 0, 1]])
    np.testing.assert_array_equal(numpy(one_hot.indices.mode), [[2, 2]])


def test_one_hot_says_what_the_categorical_of_its_indices_says():
    logits = np.random.default_rng(1).normal(size=(5, 2, 3, 8))  # a grid of 2 codes of 4 classes
    one_hot = OneHotCategorical(logits, 4)
    categorical = Categorical(logits.reshape(5, 2, 3, 2, 4))
    z = numpy(one_hot.sample(seed=1, num_samples=7))
    assert z.shape == (7, 5, 2, 3, 8)
    indices = numpy(categorical.sample(seed=1, num_samples=7))
    np.testing.assert_array_equal(z.reshape(7, 5, 2, 3, 2, 4), np.eye(4)[indices])
    got, expected = one_hot.log_prob(z), categorical.log_prob(indices)
    np.testing.assert_allclose(numpy(got), numpy(expected), rtol=1e-5)


def test_relaxed_draws_sum_to_one_and_tend_to_the_discrete_draw_of_the_same_noise():
    one_hot = OneHotCategorical(LOGITS, 3)
    for temperature in (0.1, 1.0, 10.0):
        z = groups(one_hot.relaxed_sample(temperature, seed=0))
        np.testing.assert_allclose(z.sum(axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(z, 1 / 3, atol=0.2)  # all alike at a temperature of 10
    almost = numpy(one_hot.relaxed_sample(1e-5, seed=0))
    np.testing.assert_allclose(almost, numpy(one_hot.sample(seed=0)), atol=1e-6)


def test_relaxed_bits_by_hand():
    # sigmoid((l + s) / t): the noise s read off at one temperature gives the draw at another.
    bits = RelaxableBernoulli(LOGITS)
    noise = special.logit(numpy(bits.relaxed_sample(2.0, seed=0))) * 2.0 - LOGITS
    expected = special.expit((LOGITS + noise) / 1.5)
    np.testing.assert_allclose(numpy(bits.relaxed_sample(1.5, seed=0)), expected, rtol=1e-3)
    almost = numpy(bits.relaxed_sample(1e-5, seed=0))
    np.testing.assert_allclose(almost, LOGITS + noise > 0, atol=1e-6)


@pytest.mark.first_case_elsewhere
@every_kind
@pytest.mark.parametrize("temperature", [0.3, 3.0])
def test_nearest_code_of_a_relaxed_draw_is_a_draw(kind, temperature):
    size = 20_000
    posterior = kind(np.repeat(LOGITS[:1], size, axis=0))
    drawn = numpy(posterior.nearest(posterior.relaxed_sample(temperature, seed=0)))
    p = numpy(kind(LOGITS[:1]).mean)[0]
    assert set(np.unique(drawn)) == {0, 1}
    assert np.all(np.abs(drawn.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / size))


@pytest.mark.first_case_elsewhere
@every_kind
def test_straight_through_is_the_code_with_the_gradient_of_the_relaxed_draw(
    kind, value_and_gradients
):
    weights = np.random.default_rng(2).normal(size=LOGITS.shape).astype("float32")
    weighted = functools.partial(ops.multiply, ops.convert_to_tensor(weights))

    def soft(logits):
        return kind(logits).relaxed_sample(0.7, seed=0)

    def hard(logits):
        z = soft(logits)
        return straight_through(kind(logits).nearest(z), z)

    z = numpy(hard(LOGITS))
    assert set(np.unique(z)) == {0, 1}
    np.testing.assert_array_equal(z, numpy(kind(LOGITS).nearest(soft(LOGITS))))
    _, [of_hard] = value_and_gradients(lambda logits: weighted(hard(logits)), LOGITS)
    _, [of_soft] = value_and_gradients(lambda logits: weighted(soft(logits)), LOGITS)
    np.testing.assert_allclose(of_hard, of_soft, rtol=1e-6)
    step = 1e-2 * np.eye(6)[1]
    sides = [np.sum(numpy(soft(LOGITS + s)) * weights, axis=1) for s in (step, -step)]
    np.testing.assert_allclose(of_soft[:, 1], (sides[0] - sides[1]) / 2e-2, rtol=1e-2, atol=1e-3)


@pytest.mark.first_case_elsewhere
@every_kind
def test_kl_by_hand_and_by_monte_carlo(kind):
    q, p = kind(LOGITS), kind(np.zeros_like(LOGITS))
    mean, num_classes = numpy(q.mean).astype("float64"), 3 if kind is KINDS[0] else 2
    by_hand = np.sum(mean * np.log(mean * num_classes), axis=1)
    if num_classes == 2:
        by_hand += np.sum((1 - mean) * np.log((1 - mean) * 2), axis=1)
    np.testing.assert_allclose(numpy(kl_divergence(q, p)), by_hand, rtol=1e-4)
    z = q.sample(seed=0, num_samples=20_000)
    ratios = numpy(q.log_prob(z) - p.log_prob(z))
    error = ratios.std(axis=0) / np.sqrt(20_000)
    assert np.all(np.abs(ratios.mean(axis=0) - by_hand) < 4 * error)


def test_extreme_logits_and_temperatures_stay_finite(value_and_gradients):
    logits = np.array([[1e4, 0.0, -1e4]])
    for kind in KINDS:
        draw, gradients = value_and_gradients(
            lambda logits, kind=kind: kind(logits).relaxed_sample(1e-3, seed=0) ** 2, logits
        )
        assert np.isfinite(draw)
        assert np.isfinite(gradients).all()


def test_logits_that_are_no_whole_groups():
    with pytest.raises(ValueError, match=r"multiple of `num_classes`.*\(4, 6\).*latent_dim=N \* 4"):
        OneHotCategorical(LOGITS, 4)
