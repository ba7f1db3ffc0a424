import keras
import numpy as np
import pytest

if keras.config.backend() != "torch":
    pytest.skip("runs on PyTorch", allow_module_level=True)

from keras_vae.datasets import Batches
from keras_vae.steps.torch_batches import BatchesLoader

X = np.random.default_rng(0).uniform(size=(10, 3)).astype("float32")
Y = np.arange(10)


def made(**options):
    return Batches(batch_size=4, seed=3, **options)


@pytest.mark.parametrize(
    ("options", "is_resident"),
    [
        ({"x": X}, True),
        ({"x": X, "y": Y, "sample_weight": X[:, 0].copy()}, True),
        ({"x": X, "shuffle": False}, True),
        ({"x": (X * 255).astype("uint8")}, True),
        ({"x": X[::2], "y": Y[::2]}, False),
        ({"x": X, "binarize": True}, False),
        ({"x": X, "pair": lambda x, rng: (x, x + 1.0)}, False),
    ],
)
def test_yields_what_the_batches_hold(options, is_resident):
    loader, batches = BatchesLoader(made(**options)), made(**options)
    assert (loader.resident is not None) == is_resident
    assert len(loader) == len(batches)
    for _ in range(2):
        batches.on_epoch_begin()
        for found, expected in zip(loader, [batches[i] for i in range(len(batches))], strict=True):
            keras.tree.assert_same_structure(found, expected)
            for a, b in zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True):
                np.testing.assert_array_equal(keras.ops.convert_to_numpy(a), b)
                assert str(a.dtype) == f"torch.{b.dtype}"


def test_arrays_that_cannot_be_written_are_taken_without_a_warning(recwarn):
    x = X.copy()
    x.setflags(write=False)
    next(iter(BatchesLoader(made(x=x))))
    assert not recwarn
    np.testing.assert_array_equal(x, X)
