import itertools

import numpy as np
import pytest

from keras_vae.evaluation import beta_vae_score
from keras_vae.evaluation import dci
from keras_vae.evaluation import factor_vae_score
from keras_vae.evaluation import mutual_information_gap

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
# All combinations of three factors of 3, 4 and 5 values, twenty times.
FACTORS = np.array(list(itertools.product(range(3), range(4), range(5))) * 20)
IDEAL = FACTORS.astype("float64")
NOISE = RNG.normal(size=IDEAL.shape)
SCORES = (
    mutual_information_gap,
    lambda z, factors: dci(z, factors).disentanglement,
    lambda z, factors: dci(z, factors).completeness,
    factor_vae_score,
    beta_vae_score,
)


@pytest.mark.parametrize("score", SCORES)
def test_ideal_codes_have_the_best_score(score):
    assert score(IDEAL, FACTORS) > 0.98


@pytest.mark.parametrize("score", SCORES)
def test_order_sign_and_scale_of_dimensions_do_not_matter(score):
    moved = IDEAL[:, [2, 0, 1]] * [-1.0, 10.0, 0.5] + 3
    np.testing.assert_allclose(score(moved, FACTORS), score(IDEAL, FACTORS), atol=0.02)


@pytest.mark.parametrize("score", SCORES)
def test_noise_has_a_bad_score(score):
    assert score(NOISE, FACTORS) < 0.5


def test_ideal_codes_have_a_gap_of_one():
    np.testing.assert_allclose(mutual_information_gap(IDEAL, FACTORS), 1)


def test_a_factor_that_is_held_twice_has_no_gap():
    twice = IDEAL[:, [0, 0, 1, 2]]
    np.testing.assert_allclose(mutual_information_gap(twice, FACTORS), 2 / 3)


def test_the_gap_of_a_code_that_knows_half():
    # The first dimension tells 0 and 1 from 2 and 3: log 2 of log 4 nats; the second tells nothing.
    factor = np.repeat(np.arange(4), 5)
    z = np.stack([factor // 2, np.zeros(20)], axis=1)
    np.testing.assert_allclose(mutual_information_gap(z, factor), 0.5)


def test_turned_codes_are_less_disentangled_but_as_informative():
    turned, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    z = (IDEAL - IDEAL.mean(axis=0)) / IDEAL.std(axis=0)
    straight, mixed = dci(z, FACTORS), dci(z @ turned, FACTORS)
    assert mixed.disentanglement < 0.6 < 0.98 < straight.disentanglement
    assert mixed.informativeness > straight.informativeness - 0.05
    assert mutual_information_gap(z @ turned, FACTORS) < 0.5


def test_votes_of_noise_are_right_by_chance():
    assert abs(factor_vae_score(NOISE, FACTORS) - 1 / 3) < 0.15


def test_dimensions_that_stand_still_do_not_vote():
    z = np.column_stack([np.full(len(IDEAL), 2.0), IDEAL, NOISE[:, 0] * 1e-3])
    assert factor_vae_score(z, FACTORS) > 0.98
    assert factor_vae_score(np.zeros((60, 3)), FACTORS[:60]) == 1 / 3


def test_a_seed_makes_a_score_repeat():
    z = IDEAL + NOISE
    for score in (factor_vae_score, beta_vae_score):
        assert score(z, FACTORS, seed=3) == score(z, FACTORS, seed=3)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    "z, factors, message",
    [
        (IDEAL[:5], FACTORS, "`z`"),
        (IDEAL, FACTORS + 0.5, "integers"),
        (IDEAL * np.nan, FACTORS, "finite"),
        (IDEAL, FACTORS * 0, "several values"),
    ],
)
def test_what_cannot_be_scored(score, z, factors, message):
    with pytest.raises(ValueError, match=message):
        score(z, factors)
