import numpy as np
import pytest
from linear_gaussian import linear_gaussian_vae

from keras_vae.batching import map_batches
from keras_vae.batching import padded_batches


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (4, 4), (5, 4), (9, 4), (3, 100)])
def test_batches_have_one_size_and_cover_everything_once(n, batch_size):
    x = np.arange(n)
    batches = list(padded_batches([x, 2 * x], batch_size))
    assert all(len(array) == batch_size for batch, _ in batches for array in batch)
    for i, whole in enumerate([x, 2 * x]):
        np.testing.assert_array_equal(np.concatenate([b[i][:c] for b, c in batches]), whole)


def test_map_equals_the_function_on_everything():
    model, _ = linear_gaussian_vae()
    x = np.random.default_rng(0).standard_normal((23, 6)).astype("float32")

    def function(batch):
        posterior = model.encode(batch)
        return posterior.mean, posterior.mean + posterior.log_var

    kernel, bias = model.encoder.get_layer("z_mean").get_weights()
    mean, total = map_batches(model, function, x, batch_size=10)
    np.testing.assert_allclose(mean, x @ kernel + bias, rtol=1e-5, atol=1e-6)
    assert total.shape == (23, 3)
