import numpy as np
import pytest

pytest.importorskip("constriction")

from keras_vae.codecs import data_codes
from keras_vae.codecs.stack import Stack
from keras_vae.distributions import Bernoulli
from keras_vae.distributions import Categorical
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import DiscretizedLogistic
from keras_vae.distributions import NegativeBinomial
from keras_vae.distributions import Poisson
from keras_vae.distributions import ZeroInflated

RNG = np.random.default_rng(0)
SHAPE = (40, 6, 5)


def bernoulli():
    return Bernoulli(RNG.normal(scale=3.0, size=SHAPE).astype("float32"))


def categorical():
    return Categorical(RNG.normal(scale=2.0, size=(*SHAPE, 11)).astype("float32"))


def logistic():
    mean = RNG.uniform(size=SHAPE).astype("float32")
    return DiscretizedLogistic(mean, np.full((1, 1, 1), -2.5, "float32"))


def poisson():
    return Poisson(RNG.normal(scale=1.5, size=SHAPE).astype("float32"))


def negative_binomial():
    return NegativeBinomial(RNG.normal(1.0, 1.5, size=SHAPE).astype("float32"), np.zeros(5))


def zero_inflated():
    logits = RNG.normal(scale=1.5, size=SHAPE).astype("float32")
    return ZeroInflated(negative_binomial(), logits)


COPIES = 10
MAKERS = [bernoulli, categorical, logistic, poisson, negative_binomial, zero_inflated]


@pytest.mark.parametrize("make", MAKERS)
def test_draws_cost_their_log_probability_and_come_back(make):
    distribution = make()
    x = np.asarray(
        distribution.sample(seed=1).cpu()
        if hasattr(distribution.sample(1), "cpu")
        else distribution.sample(seed=1)
    )
    if make is logistic:  # a backend may divide by 255 to another last digit
        x = (np.round(x * 255) / 255).astype("float32")
    code = data_codes.code_of(distribution)
    code.margins = [1e-5] * len(code.kinds)
    parameters = [
        np.asarray(p.cpu() if hasattr(p, "cpu") else p, "float64")
        for p in code.parameters(distribution)
    ]
    flat = [p.reshape(x.size, -1) if p.size > x.size else p.ravel() for p in parameters]
    symbols, blocks, stack = code.symbols(x).ravel(), code.blocks(*flat), Stack()
    for _ in range(COPIES):  # so many that whole words do not matter
        code.push(stack, symbols, blocks, *flat)
    words, num_initial = stack.words()
    log_prob = np.asarray(distribution.log_prob(x)).sum()
    num_bits = -COPIES * log_prob / np.log(2)
    assert 32 * (len(words) - num_initial) == pytest.approx(num_bits, rel=0.02)

    reader = data_codes.code_of(distribution)  # which knows no margins
    stack = Stack(words, num_initial)
    for _ in range(COPIES):
        found = reader.pop(stack, blocks, *flat)
        np.testing.assert_array_equal(found, symbols)
    np.testing.assert_array_equal(code.data(found).astype("float32").reshape(x.shape), x)


def test_grey_pixels_are_no_binary_data():
    with pytest.raises(ValueError, match=r"`x` must be binary.*Received: 0.25"):
        data_codes.code_of(bernoulli()).symbols(np.array([0.0, 1.0, 0.25]))


def test_densities_have_no_code():
    with pytest.raises(NotImplementedError, match=r"discrete data.*DiagonalGaussian"):
        data_codes.code_of(DiagonalGaussian(np.zeros((1, 3)), 0.0))


def test_counts_must_fit_into_an_integer():
    with pytest.raises(ValueError, match=r"below 2\*\*31"):
        data_codes.code_of(poisson()).symbols(np.array([1.0, 2.0**31]))


def test_zeros_are_added_to_counts_only():
    other = ZeroInflated(bernoulli(), np.zeros(SHAPE, "float32"))
    with pytest.raises(NotImplementedError, match="Bernoulli"):
        data_codes.code_of(other)


def test_a_class_of_ones_own():
    class Halves(Bernoulli):
        pass

    assert isinstance(data_codes.code_of(Halves(np.zeros((1, 2)))), data_codes.BernoulliCode)
