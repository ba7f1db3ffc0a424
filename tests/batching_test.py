import numpy as np
import pytest
from linear_gaussian import linear_gaussian_vae

from keras_vae import evaluation
from keras_vae.batching import map_batches
from keras_vae.batching import padded_batches
from keras_vae.plotting import walks


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


def test_a_function_with_a_key_is_compiled_once(monkeypatch):
    model, _ = linear_gaussian_vae()
    compiled, jitted = [], model.jitted
    monkeypatch.setattr(model, "jitted", lambda f: compiled.append(f) or jitted(f))
    x = np.random.default_rng(0).standard_normal((23, 6)).astype("float32")
    with_key = [map_batches(model, lambda x: 2 * x, x, key="twice") for _ in range(2)]
    np.testing.assert_array_equal(with_key, [2 * x] * 2)
    assert len(compiled) == 1
    map_batches(model, lambda x: 3 * x, x)
    assert len(compiled) == 2


@pytest.mark.parametrize(
    "measure",
    [
        evaluation.active_units,
        evaluation.kl_per_dimension,
        evaluation.kl_split,
        evaluation.mutual_information,
        walks.latents,
        lambda model, x: walks.decoded(model, x[:, :3]),
    ],
)
def test_what_is_measured_again_compiles_nothing(measure, monkeypatch):
    model, _ = linear_gaussian_vae()
    x = np.random.default_rng(0).standard_normal((23, 6)).astype("float32")
    measure(model, x)
    monkeypatch.setattr(type(model), "jitted", lambda *args: pytest.fail("compiled again"))
    measure(model, x)
