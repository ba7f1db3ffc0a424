import numpy as np
import pytest

from keras_vae.datasets import LengthBatches

pytestmark = pytest.mark.one_backend
LENGTHS = np.random.default_rng(0).integers(1, 12, 50)
X = np.where(np.arange(12) < LENGTHS[:, None], np.arange(3, 53)[:, None], 0)


def epoch(batches):
    batches.on_epoch_begin()
    return [batches[i][0] for i in range(len(batches))]


def test_each_row_comes_once_and_whole():
    batches = epoch(LengthBatches(X, batch_size=4, seed=1))
    rows = np.concatenate([np.pad(b, ((0, 0), (0, 12 - b.shape[1]))) for b in batches])
    assert np.array_equal(rows[np.argsort(rows[:, 0])], X)
    assert max(map(len, batches)) == 4


def test_the_rows_of_a_batch_are_of_one_bucket():
    for x in epoch(LengthBatches(X, batch_size=4, width=3)):
        lengths = (x > 0).sum(axis=1)
        assert x.shape[1] % 3 == 0
        assert (-(-lengths // 3) == x.shape[1] // 3).all()


def test_in_order_the_rows_are_those_of_the_array():
    batches = epoch(LengthBatches(X, batch_size=4, seed=1).in_order())
    assert np.array_equal(np.concatenate(batches), X)


def test_the_order_follows_from_the_seed_and_the_epoch():
    one, other = LengthBatches(X, batch_size=4, seed=1), LengthBatches(X, batch_size=4, seed=1)
    for _ in range(2):
        assert all(map(np.array_equal, epoch(one), epoch(other)))
    keys = [[b[0, 0] for b in epoch(one)] for _ in range(2)]
    assert keys[0] != keys[1]
    in_order = LengthBatches(X, batch_size=4, shuffle=False)
    assert [b.shape for b in epoch(in_order)] == sorted(
        (b.shape for b in epoch(in_order)), key=lambda shape: shape[1]
    )


def test_a_bucket_may_be_longer_than_the_rows():
    assert LengthBatches(X, width=5)[0][0].shape[1] <= 12
    assert {b.shape[1] for b in epoch(LengthBatches(X, width=5))} == {5, 10, 12}


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: LengthBatches(X[0]), r"\(N, T\).*\(12,\)"),
        (lambda: LengthBatches(X, width=0), "`width`.*positive"),
        (lambda: LengthBatches(X[:0]), "no examples"),
    ],
)
def test_what_makes_no_batches(make, word):
    with pytest.raises(ValueError, match=word):
        make()
