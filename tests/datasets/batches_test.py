import keras
import numpy as np
import pytest

from keras_vae.datasets.batches import Batches

pytestmark = pytest.mark.one_backend


def epoch(batches):
    batches.on_epoch_begin()
    return [batches[i] for i in range(len(batches))]


def order(batches):
    return np.concatenate([batch[0] for batch in epoch(batches)]).tolist()


def test_an_epoch_by_hand():
    batches = Batches(np.arange(6), 10 * np.arange(6), batch_size=4, seed=3, clock=lambda: 5)
    assert len(batches) == 2
    first, second = epoch(batches)
    # np.random.default_rng([3, 5]).permutation(6)
    np.testing.assert_array_equal(first[0], [5, 0, 2, 4])
    np.testing.assert_array_equal(first[1], [50, 0, 20, 40])
    np.testing.assert_array_equal(second[0], [1, 3])
    np.testing.assert_array_equal(second[1], [10, 30])


def test_every_epoch_has_every_example_once_in_an_order_of_its_own():
    batches = Batches(np.arange(100), batch_size=7)
    orders = [order(batches) for _ in range(3)]
    assert all(sorted(o) == list(range(100)) for o in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_the_clock_decides_and_not_the_history():
    times = iter([0, 10, 20, 10])
    batches = Batches(np.arange(50), clock=lambda: next(times))
    orders = [order(batches) for _ in range(4)]
    resumed = Batches(np.arange(50), clock=lambda: 20)
    assert order(resumed) == orders[2]
    assert orders[1] == orders[3]


def test_the_key_is_taken_once_an_epoch():
    time = iter(range(100))
    batches = Batches(np.arange(10), batch_size=2, clock=lambda: next(time))
    assert sorted(order(batches)) == list(range(10))
    assert next(time) == 1


def test_the_seed_matters_and_global_seeds_do_not():
    orders = []
    for global_seed, seed in ((1, 0), (2, 0), (1, 1)):
        keras.utils.set_random_seed(global_seed)
        orders.append(order(Batches(np.arange(50), seed=seed)))
    assert orders[0] == orders[1] != orders[2]


def test_without_shuffling_the_data_keep_their_order():
    batches = Batches(np.arange(5), batch_size=2, shuffle=False)
    for _ in range(2):
        assert order(batches) == [0, 1, 2, 3, 4]


def test_a_batch_before_any_epoch_is_one_of_the_first():
    batches = Batches(np.full((64, 9), 0.5), batch_size=8, binarize=True)
    early = batches[3][0]
    batches.on_epoch_begin()
    np.testing.assert_array_equal(batches[3][0], early)
    batches.on_epoch_begin()
    assert not np.array_equal(batches[3][0], early)


def test_a_drawn_batch_depends_on_its_place_alone():
    x = np.random.default_rng(0).random((60, 28, 28, 1), dtype="float32")
    forwards, backwards = (Batches(x, batch_size=16, binarize=True) for _ in range(2))
    there = [forwards[i][0] for i in (0, 1, 2, 3)]
    back = [backwards[i][0] for i in (3, 2, 1, 0)]
    for a, b in zip(there, reversed(back), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(forwards[2][0], there[2])


def test_dynamic_binarisation_draws_anew_with_the_right_mean():
    x = np.broadcast_to(np.array([0.0, 0.25, 1.0], dtype="float32"), (4000, 3))
    batches = Batches(x, batch_size=1000, binarize=True)
    first, second = (np.concatenate([batch[0] for batch in epoch(batches)]) for _ in range(2))
    assert first.dtype == np.float32
    assert set(np.unique(first)) == {0.0, 1.0}
    np.testing.assert_allclose(first.mean(axis=0), [0, 0.25, 1], atol=5 * 0.43 / np.sqrt(4000))
    # Two independent draws of probability 1/4 differ in 3/8 of the cases.
    assert np.mean(first[:, 1] != second[:, 1]) == pytest.approx(0.375, abs=0.04)


def test_batches_of_an_epoch_have_noise_of_their_own():
    batches = Batches(np.full((512, 100), 0.5), batch_size=256, binarize=True)
    (a,), (b,) = epoch(batches)
    assert np.mean(a != b) == pytest.approx(0.5, abs=0.02)


def test_dicts_tuples_and_weights_stay_together():
    n = np.arange(9)
    batches = Batches({"image": n, "label": -n}, (n + 1, n + 2), n + 3, batch_size=4)
    for x, (y1, y2), weight in epoch(batches):
        np.testing.assert_array_equal(x["label"], -x["image"])
        np.testing.assert_array_equal(y1, x["image"] + 1)
        np.testing.assert_array_equal(y2, x["image"] + 2)
        np.testing.assert_array_equal(weight, x["image"] + 3)


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_changed_batch_does_not_change_the_data(shuffle):
    x, y = np.ones((4, 2)), np.ones(4)
    batches = Batches(x, y, batch_size=4, shuffle=shuffle)
    for part in batches[0]:
        part[...] = 7
    np.testing.assert_array_equal(x, 1)
    np.testing.assert_array_equal(y, 1)


def test_wrong_arguments_say_so():
    with pytest.raises(ValueError, match="no examples"):
        Batches(np.zeros((0, 3)))
    with pytest.raises(ValueError, match=r"\(4, 3\), \(5,\)"):
        Batches(np.zeros((4, 3)), np.zeros(5))
    with pytest.raises(ValueError, match="first axis"):
        Batches(np.zeros(4), 1.0)
    with pytest.raises(ValueError, match="`sample_weight` needs `y`"):
        Batches(np.zeros(4), sample_weight=np.ones(4))
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
        Batches(np.zeros(4), batch_size=0)
    with pytest.raises(ValueError, match="type dict"):
        Batches({"a": np.zeros(4)}, binarize=True)
    with pytest.raises(ValueError, match="divided by 255"):
        Batches(np.array([0, 255], dtype="uint8"), binarize=True)
    with pytest.raises(IndexError):
        Batches(np.zeros(4))[1]


class Reconstruction(keras.Model):
    """x -> x by one dense layer, with a loss that needs no targets."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(6, kernel_initializer="zeros")
        self.dense.build((None, 6))
        self.built = True

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.mean((y_pred - x) ** 2, axis=-1) * sample_weight)


def fitted(x, weights, epochs, start=None):
    model = Reconstruction()
    model.compile(keras.optimizers.SGD(0.1))
    if start is not None:
        model.set_weights(start.get_weights())
        model.optimizer.iterations.assign(start.optimizer.iterations)
    batches = Batches(
        x,
        x,
        weights,
        batch_size=4,
        binarize=True,
        clock=lambda: int(model.optimizer.iterations),
    )
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0)
    return model


def test_fit_sees_the_documented_batches_and_a_resumed_run_the_same_ones():
    x = np.random.default_rng(0).random((10, 6), dtype="float32")
    weights = np.linspace(0.5, 2, 10, dtype="float32")
    whole = fitted(x, weights, epochs=4)
    half = fitted(x, weights, epochs=2)
    resumed = fitted(x, weights, epochs=2, start=half)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(whole.get_weights()[0], by_hand(x, weights, epochs=4), rtol=1e-5)


def by_hand(x, weights, epochs):
    """The kernel of `Reconstruction` after gradient descent in plain NumPy."""
    kernel, bias, step = np.zeros((6, 6)), np.zeros(6), 0
    for _ in range(epochs):
        key = step
        rows = np.random.default_rng([0, key]).permutation(10)
        for index in range(3):
            chosen = rows[4 * index : 4 * index + 4]
            noise = np.random.default_rng([0, key, index + 1]).random(x[chosen].shape, np.float32)
            b = (noise < x[chosen]).astype("float64")
            error = 2 / 6 * (b @ kernel + bias - b) * weights[chosen, None] / len(chosen)
            kernel, bias = kernel - 0.1 * b.T @ error, bias - 0.1 * error.sum(axis=0)
            step += 1
    return kernel
