import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.datasets import load
from keras_vae.quantizers import DeadCodeRevival
from keras_vae.quantizers import EMAUpdate
from keras_vae.quantizers import GradientUpdate
from keras_vae.quantizers import VectorQuantizer


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def started(codebook, **options):
    """A quantizer that begins at the codebook."""
    options = {"initialization": "uniform", "revival": None, **options}
    quantizer = VectorQuantizer(len(codebook), **options)
    quantizer.build((None, None, codebook.shape[1]))
    quantizer.codebook.assign(codebook)
    return quantizer


def learn(quantizer, rows, seed=0):
    quantizer(rows[None], training=True, seed=keras.random.SeedGenerator(seed))
    return numpy(quantizer.codebook)


def nearest(rows, codebook):
    return np.square(rows[:, None] - codebook).sum(axis=-1).argmin(axis=1)


def numpy_ema(codebook, batches, decay, epsilon):
    """The recursion of the paper's appendix A.1, debiased and smoothed; yields every codebook."""
    codebook, size = codebook.astype("float64"), len(codebook)
    counts, sums = np.zeros(size), np.zeros_like(codebook)
    for t, rows in enumerate(batches, start=1):
        one_hot = np.eye(size)[nearest(rows, codebook)]
        counts = decay * counts + (1 - decay) * one_hot.sum(axis=0)
        sums = decay * sums + (1 - decay) * one_hot.T @ rows
        debiased_counts, debiased_sums = counts / (1 - decay**t), sums / (1 - decay**t)
        total = debiased_counts.sum()
        smoothed = (debiased_counts + epsilon) / (total + size * epsilon) * total
        used = counts > 0
        codebook = codebook.copy()
        codebook[used] = debiased_sums[used] / smoothed[used, None]
        yield codebook


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(("decay", "epsilon"), [(0.9, 1e-5), (0.5, 0.1), (0.0, 0.0)])
def test_running_means_agree_with_numpy(decay, epsilon):
    codebook = normal(6, 3)
    codebook[5] = 100  # no row is ever nearest to it
    batches = [normal(20, 3, seed=i) + i / 4 for i in range(1, 6)]
    quantizer = started(codebook, update=EMAUpdate(decay, epsilon))
    for rows, expected in zip(batches, numpy_ema(codebook, batches, decay, epsilon), strict=True):
        np.testing.assert_allclose(learn(quantizer, rows), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(numpy(quantizer.codebook)[5], 100)


def test_a_code_moves_to_the_mean_of_the_first_rows_nearest_to_it():
    codebook, rows = normal(4, 3), normal(30, 3, seed=1)
    groups = nearest(rows, codebook)
    means = [rows[groups == k].mean(axis=0) for k in range(4)]
    np.testing.assert_allclose(learn(started(codebook), rows), means, rtol=1e-4, atol=1e-5)


def test_evaluation_moves_nothing():
    quantizer = started(normal(4, 3), revival=DeadCodeRevival())
    learn(quantizer, normal(30, 3, seed=1))
    before = quantizer.get_weights()
    quantizer(normal(1, 30, 3, seed=2))
    for a, b in zip(before, quantizer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_not_a_number_is_left_out(value):
    codebook, rows = normal(4, 3), normal(30, 3, seed=1)
    spoiled = np.insert(rows, 7, [0, value, 0], axis=0)
    expected = learn(started(codebook), rows)
    np.testing.assert_allclose(learn(started(codebook), spoiled), expected, rtol=1e-6)


def test_sums_are_those_of_all_devices():
    codebook, rows = normal(4, 3), normal(30, 3, seed=1)
    one, several = started(codebook), started(codebook)
    several.across_replicas = lambda statistics: 2 * statistics
    learn(one, np.concatenate([rows, rows]))
    learn(several, rows)
    for a, b in zip(one.get_weights(), several.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_only_gradients_move_codes_of_the_gradient_update():
    codebook = normal(4, 3)
    quantizer = started(codebook, update=GradientUpdate())
    np.testing.assert_array_equal(learn(quantizer, normal(30, 3, seed=1)), codebook)
    assert [v.name for v in quantizer.trainable_variables] == ["codebook"]
    assert not started(codebook, update=EMAUpdate()).trainable_variables


def test_shares_by_hand():
    codebook = np.array([[0.0], [1.0], [2.0], [3.0]], "float32")
    quantizer = started(codebook, update=GradientUpdate(), revival=DeadCodeRevival(0.1, 0.75))
    learn(quantizer, np.array([[0.1], [0.0], [-1.0], [3.0]], "float32"))
    shares = numpy(quantizer.memory["shares"])
    np.testing.assert_allclose(shares, [0.75 + 0.75, 0.75, 0.75, 0.75 + 0.25])


def test_a_batch_without_rows_leaves_shares():
    quantizer = started(normal(4, 3), update=GradientUpdate(), revival=DeadCodeRevival(0.1, 0.75))
    learn(quantizer, np.full((5, 3), np.nan, "float32"))
    np.testing.assert_array_equal(numpy(quantizer.memory["shares"]), np.ones(4))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("update", [EMAUpdate(), GradientUpdate()])
def test_a_code_without_rows_is_put_on_one_when_its_share_falls_below_the_threshold(update):
    codebook, rows = normal(3, 2), normal(20, 2, seed=1)
    codebook[1] = 100
    quantizer = started(codebook, update=update, revival=DeadCodeRevival(0.1, 0.5))
    for _ in range(4):  # 1/2, 1/4, 1/8, 1/16
        np.testing.assert_array_equal(learn(quantizer, rows)[1], 100)
    before = numpy(quantizer.codebook)
    after = learn(quantizer, rows)
    if isinstance(update, GradientUpdate):
        assert (after[1] == rows).all(axis=1).any()
        np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])
    else:  # at the mean of the rows nearest to one of them, nothing of 100 being left
        placed = [np.stack([before[0], row, before[2]]) for row in rows]
        means = [rows[nearest(rows, codes) == 1].mean(axis=0) for codes in placed]
        assert np.abs(after[1] - means).max(axis=1).min() < 1e-2
    assert numpy(quantizer.memory["shares"])[1] > 0.5


def test_by_default_a_code_is_dead_after_90_steps():
    quantizer = started(normal(3, 2))
    assert 0.95**90 < DeadCodeRevival().threshold < 0.95**89
    assert VectorQuantizer(3).revival.get_config() == DeadCodeRevival().get_config()
    assert quantizer.revival is None


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("update", [EMAUpdate(), GradientUpdate()])
def test_a_codebook_of_dead_codes_comes_to_life(update):
    # 4 x 4 patches of digits, and 99 of 100 codes far away from all of them.
    patches = load("mnist_mini").train.x[:300].reshape(-1, 7, 4, 7, 4).swapaxes(2, 3)
    patches = patches.reshape(-1, 16).astype("float32")
    batches = patches[patches.max(axis=1) > 0][:5500].reshape(10, 550, 16)  # none all black
    codebook = np.full((100, 16), 50, "float32")
    codebook[0] = 0.5
    quantizer = started(codebook, update=update, revival=DeadCodeRevival(decay=0.6))
    assert not nearest(batches[0], codebook).any()
    noise = keras.random.SeedGenerator(0)
    for _ in range(3):
        for rows in batches:
            quantizer(rows[None], training=True, seed=noise)
    assert len(np.unique(numpy(quantizer(batches).indices))) >= 90


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("wrong", [-0.1, 1.0])
def test_arguments_are_checked(wrong):
    for part in (EMAUpdate, DeadCodeRevival):
        with pytest.raises(ValueError, match=r"`decay`.*lie in \[0, 1\). Received: "):
            part(decay=wrong)
    with pytest.raises(ValueError, match=r"`threshold`.*lie in \(0, 1\). Received: "):
        DeadCodeRevival(threshold=wrong)
    with pytest.raises(ValueError, match=r"`epsilon`.*at least 0"):
        EMAUpdate(epsilon=-1)
