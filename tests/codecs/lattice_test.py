import numpy as np
import pytest

pytest.importorskip("constriction")

from keras_vae.codecs import lattice
from keras_vae.codecs import offsets
from keras_vae.codecs.stack import Stack

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)
N = 3000
MEAN = RNG.normal(scale=1.5, size=N)
LOG_VAR = RNG.uniform(-5.0, 0.0, size=N)
DIVERGENCE = 0.5 * (np.exp(LOG_VAR) - LOG_VAR - 1 + MEAN**2)
PLACES = lattice.lattice_for(MEAN, LOG_VAR, DIVERGENCE, 4e-5)
CODE = lattice.GaussianCode(PLACES)
MARGINS = 4e-5, 1e-4
BLOCKS = offsets.blocks_for(CODE.clearance(MEAN, LOG_VAR, np.zeros(N), MARGINS))


def rounded(mean=MEAN, log_var=LOG_VAR):
    shift = BLOCKS.of_positions(CODE.settle(MEAN, LOG_VAR, MARGINS, BLOCKS), N)
    return CODE.rounded(mean, log_var, shift)


def test_a_lattice_is_as_fine_as_the_posteriors_and_holds_them():
    spacing = 2.0**PLACES.spacing
    assert np.exp(-5 / 2) / 2 < spacing <= np.exp(-4.8 / 2)
    assert 2.0**PLACES.reach >= np.abs(MEAN).max() + 6
    assert PLACES.num_in_window * spacing >= 10


def test_bits_back_costs_the_divergence():
    # Draws from q, written with p = N(0, 1): KL(q || p) each, and no more.
    stack, prior = Stack(), (np.zeros(N), np.ones(N))
    stack.push(RNG.integers(0, 256, 40_000), np.ones(256))
    before = 32 * stack.num_words
    points = CODE.pop(stack, *rounded(), window=True)
    CODE.push(stack, points, *prior, window=False)
    nats = (32 * stack.num_words - before) * np.log(2)
    z = PLACES.value(points)
    sampled = -0.5 * (z - MEAN) ** 2 / np.exp(LOG_VAR) - 0.5 * LOG_VAR + 0.5 * z**2
    assert nats == pytest.approx(sampled.sum(), rel=0.005)


def test_draws_have_the_mean_and_the_variance_of_the_posterior():
    z = PLACES.value(CODE.pop(Stack(), *rounded(), window=True))
    standardised = (z - MEAN) / np.exp(0.5 * LOG_VAR)
    assert np.mean(standardised) == pytest.approx(0, abs=4 / N**0.5)
    assert np.var(standardised) == pytest.approx(1, abs=4 * (2 / N) ** 0.5)


def test_parameters_that_are_a_margin_off_are_rounded_alike():
    mean = MEAN + RNG.uniform(-0.99, 0.99, size=N) * 4e-5
    log_var = LOG_VAR + RNG.uniform(-0.99, 0.99, size=N) * 1e-4
    for one, other in zip(rounded(mean, log_var), rounded(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_latent_that_is_always_zero_is_rounded_to_it():
    mean, std = CODE.rounded(np.zeros(3), np.zeros(3), np.zeros(3))
    np.testing.assert_array_equal(mean, 0)
    np.testing.assert_array_equal(std, 1)


def test_narrow_posteriors_of_no_consequence_count_as_wider():
    narrow = np.concatenate([LOG_VAR, np.full(N, -14.0)])
    divergence = np.concatenate([DIVERGENCE, np.zeros(N)])
    places = lattice.lattice_for(np.concatenate([MEAN, MEAN]), narrow, divergence, 4e-5)
    assert places == PLACES
    _, std = lattice.GaussianCode(places).rounded(MEAN, np.full(N, -14.0), np.zeros(N))
    np.testing.assert_allclose(std, 2.0**places.spacing, rtol=0.14)


def test_elements_no_wider_than_the_spacing_may_be_skipped():
    skipping = lattice.GaussianCode(PLACES, skips_narrow=True)
    log_var = np.array([-12.0, -1.0, -1.0])
    is_coded = skipping.coded(log_var, np.zeros(3), np.array([True, True, False]))
    np.testing.assert_array_equal(is_coded, [False, True, False])
    mean, _ = skipping.rounded(np.full(3, 0.3), log_var, np.zeros(3), np.array([True] * 3))
    assert mean[0] == np.round(0.3 / 2.0**PLACES.spacing) * 2.0**PLACES.spacing
    np.testing.assert_array_equal(CODE.coded(log_var, np.zeros(3), np.full(3, True)), True)


@pytest.mark.parametrize("margin", [1e-7, 1e-5, 1e-3])
def test_steps_of_means_leave_room_for_margins_and_cost_little(margin):
    places = lattice.lattice_for(MEAN, LOG_VAR - 6, DIVERGENCE + 3, margin)
    code = lattice.GaussianCode(places)
    cells = np.arange(code._least_cell, len(lattice._STDS))
    steps, stds = code._steps[cells], lattice._STDS[cells]
    assert np.all(steps >= 4 * margin * (1 + 2.0**places.reach))
    room = np.maximum(steps, 1e-300)
    cost = (steps / stds) ** 2 / 24 + 1.3 * 2 * 1.5 * margin / room  # nats of a mean near 0
    best = np.minimum((6 * margin / stds) ** (2 / 3), 1.0)
    is_free = (steps < 0.75 * stds) & (steps > 8.1 * margin * (1 + 2.0**places.reach))
    assert np.all(cost[is_free] <= 1.1 * best[is_free] + 3e-4)


def test_narrow_posteriors_far_from_zero_are_coded_on_a_fine_lattice():
    """Where margins are large, means are rounded to wider steps, and not their z."""
    log_var = np.full(N, -9.0)
    places = lattice.lattice_for(2 * MEAN, log_var, np.full(N, 20.0), margin=7e-5)
    assert 2.0**places.spacing <= np.exp(-4.5)
    code = lattice.GaussianCode(places)
    margins = 7e-5, 7e-5
    blocks = offsets.blocks_for(code.clearance(2 * MEAN, log_var, np.zeros(N), margins))
    shift = blocks.of_positions(code.settle(2 * MEAN, log_var, margins, blocks), N)
    mean, std = code.rounded(2 * MEAN, log_var, shift)
    np.testing.assert_allclose(std, np.exp(-4.5), rtol=0.14)
    assert np.mean((mean - 2 * MEAN) ** 2 / std**2) / 2 < 0.1  # nats


def test_means_far_out_and_tiny_variances_are_coded():
    mean, log_var = np.array([1e5, -1e5, 0.0]), np.array([-90.0, 40.0, -90.0])
    parameters, stack = CODE.rounded(mean, log_var, np.zeros(3)), Stack()
    points = CODE.pop(stack, *parameters, window=True)
    assert points.min() >= 0
    assert points.max() < PLACES.num_points
    CODE.push(stack, points, *parameters, window=True)
    assert stack.is_back_at_start()
