"""Classes of one's own: the examples in the docstrings of the base classes, taken at their word.

Each is executed as it stands there, trained, saved, loaded and made a preset. In a script of its
own, where the classes belong to `__main__`, so are a few longer ones.
"""

import inspect
import re

import keras
import numpy as np
import pytest
from families import PICTURE
from families import map_networks
from families import mlp
from workers import run_worker

import keras_vae

VECTORS = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
PICTURES = (np.random.default_rng(0).uniform(size=(16, *PICTURE)) > 0.5).astype("float32")
ANGLES = np.linspace(0, 6, 16, dtype="float32")


def example_of(name):
    """Returns the names that the example in the docstring of a public class defines."""
    text = inspect.getdoc(getattr(keras_vae, name))
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)[1]
    namespace = {"keras": keras, "keras_vae": keras_vae, "np": np}
    exec(code, namespace)
    return namespace


def sparse_vae():
    return example_of("Term")["SparseVAE"](*mlp((4,)), likelihood=gaussian(), seed=0)


def gaussian():
    return keras_vae.GaussianLikelihood(0.5)


def laplace_vae():
    likelihood = example_of("Likelihood")["LaplaceLikelihood"]()
    return keras_vae.VAE(*mlp((4,)), likelihood, seed=0)


def shifted_vae():
    prior = example_of("Prior")["ShiftedNormal"]()
    return keras_vae.VAE(*mlp((4,)), gaussian(), prior, seed=0)


def angular_cvae():
    condition = example_of("Condition")["AngleCondition"]()
    networks = mlp((4,), condition_shape=condition.shape)
    return keras_vae.CVAE(*networks, condition, gaussian(), seed=0)


def random_vqvae():
    quantizer = example_of("Quantizer")["RandomCodebook"](5)
    return keras_vae.VQVAE(*map_networks(), quantizer, seed=0)


def squared_error_vae():
    return example_of("LatentVariableModel")["SquaredErrorVAE"](*mlp((4,)), gaussian(), seed=0)


def regression():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    model = example_of("GenerativeModel")["Regression"](network, seed=0)
    model.build((None, 4))
    return model


MODELS = {
    "Term": (sparse_vae, (VECTORS,)),
    "Likelihood": (laplace_vae, (VECTORS,)),
    "Prior": (shifted_vae, (VECTORS,)),
    "Condition": (angular_cvae, (VECTORS, ANGLES)),
    "Quantizer": (random_vqvae, (PICTURES,)),
    "LatentVariableModel": (squared_error_vae, (VECTORS,)),
    "GenerativeModel": (regression, (VECTORS,)),
}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", MODELS)
def test_an_example_trains_and_is_saved_and_loaded(name, tmp_path):
    make, pairs = MODELS[name]
    keras.utils.set_random_seed(0)
    model = make()
    model.compile(keras.optimizers.Adam(1e-2))
    history = model.fit(*pairs, batch_size=4, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    before = model.evaluate(*pairs, return_dict=True, verbose=0)
    model.save(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    for again in (
        keras.models.load_model(tmp_path / "model.keras"),
        keras_vae.from_preset(tmp_path / "preset"),
    ):
        assert type(again) is type(model)
        found = again.evaluate(*pairs, return_dict=True, verbose=0)
        np.testing.assert_allclose(
            [found[k] for k in before], list(before.values()), rtol=1e-5, atol=1e-6
        )


def test_a_likelihood_with_a_mean_alone_can_be_sampled():
    model = laplace_vae()
    assert model.sample(3, seed=0).shape == (3, 4)
    with pytest.raises(NotImplementedError, match=r"Laplace.*`_sample`"):
        model.sample(3, seed=0, from_likelihood=True)


def test_the_laplace_distribution_of_the_example_is_one():
    location = np.array([[0.5, -1.0]], "float32")
    laplace = example_of("Distribution")["Laplace"](location)
    x = np.array([[1.5, -1.0]], "float32")
    log_prob = keras.ops.convert_to_numpy(laplace.log_prob(x))
    np.testing.assert_allclose(log_prob, [-1.0 - 2 * np.log(2)], rtol=1e-6)
    draws = keras.ops.convert_to_numpy(laplace.sample(seed=0, num_samples=20_000))[:, 0]
    np.testing.assert_allclose(draws.mean(axis=0), location[0], atol=0.05)
    np.testing.assert_allclose(draws.var(axis=0), [2.0, 2.0], atol=0.15)


def test_the_rounding_of_the_example_is_quantized():
    z_e = np.array([[[0.4, 2.6], [7.2, 0.0]]], "float32")
    z_q, indices, commitment, codebook = example_of("Quantized")["rounded"](
        keras.ops.convert_to_tensor(z_e)
    )
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(z_q), np.round(z_e))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(indices), [[0, 7]])
    expected = 0.4**2 + 0.4**2 + 0.2**2
    np.testing.assert_allclose(keras.ops.convert_to_numpy(commitment), [expected], rtol=1e-5)
    assert float(keras.ops.convert_to_numpy(codebook)[0]) == 0.0


@pytest.mark.compiled_once
def test_classes_of_a_script_train_and_are_saved_and_loaded(tmp_path):
    output = run_worker("support/own_classes_worker", tmp_path)
    assert output.strip().splitlines()[-1] == "all of __main__"
