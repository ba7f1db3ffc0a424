import numpy as np
from keras import ops

from keras_vae.datasets import Batches
from keras_vae.steps.chunks import Chunks

X = np.arange(300.0).reshape(150, 2).astype("float32")


def test_rows_of_resident_data():
    chunks = Chunks(Batches(X, batch_size=4))
    assert (len(chunks), chunks.steps_of(0), chunks.steps_of(1)) == (2, 32, 38)
    rows = np.concatenate([chunks[i][0] for i in range(2)])
    np.testing.assert_array_equal(rows, chunks.batches.order)
    np.testing.assert_array_equal(ops.convert_to_numpy(chunks.resident[0]), X)


def test_examples_where_they_are_drawn_anew():
    batches = Batches(X / 300, batch_size=4, binarize=True)
    chunks = Chunks(batches)
    assert chunks.resident is None
    examples = np.concatenate([chunks[i][0] for i in range(2)])
    np.testing.assert_array_equal(examples, np.concatenate([batches[i][0] for i in range(38)]))


def test_an_epoch_has_an_order_of_its_own():
    chunks = Chunks(Batches(X, batch_size=4))
    orders = []
    for _ in range(2):
        chunks.on_epoch_begin()
        orders.append(chunks[0][0])
    assert (orders[0] != orders[1]).any()
