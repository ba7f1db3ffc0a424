import numpy as np
import pytest

from keras_vae.evaluation import linear_probe
from keras_vae.evaluation.linear_probe import fitted_classifier

pytestmark = pytest.mark.one_backend

RNG = np.random.default_rng(0)


def test_codes_that_are_apart_are_told_apart():
    y = np.arange(300) % 3
    z = np.eye(3)[y] * 5 + RNG.normal(size=(300, 3)) * 0.1
    assert linear_probe(z[:200], y[:200], z[200:], y[200:]) == 1.0


def test_codes_that_say_nothing_give_chance():
    y = np.arange(4000) % 4
    z = RNG.normal(size=(4000, 5))
    assert abs(linear_probe(z[:2000], y[:2000], z[2000:], y[2000:]) - 0.25) < 0.05


def test_the_fit_is_the_optimum():
    y = RNG.integers(0, 2, 50)
    z = RNG.normal(size=(50, 2)) + y[:, None]
    found = fitted_classifier(z, y)
    inputs = np.column_stack([(z - z.mean(axis=0)) / z.std(axis=0), np.ones(50)])
    weights = np.vstack([found.weights, found.bias])
    shares = 1 / (1 + np.exp(inputs @ (weights[:, 0] - weights[:, 1])))  # of the label 1
    gradient = inputs.T @ (shares - y) / 50 + 1e-3 * weights[:, 1]
    np.testing.assert_allclose(gradient, 0, atol=1e-5)


def test_scale_and_place_of_codes_do_not_matter():
    y = RNG.integers(0, 3, 60)
    z = RNG.normal(size=(60, 3)) + np.eye(3)[y]
    moved = z * [1e-3, 1.0, 1e3] + [5, -7, 1e4]
    np.testing.assert_allclose(
        fitted_classifier(z, y).weights, fitted_classifier(moved, y).weights, atol=1e-6
    )


@pytest.mark.parametrize(
    "arrays",
    [
        (np.eye(3), np.zeros(3), np.eye(3), np.zeros(3)),
        (np.eye(3), np.arange(2), np.eye(3), np.arange(3)),
    ],
)
def test_what_cannot_be_probed(arrays):
    with pytest.raises(ValueError, match="`y`"):
        linear_probe(*arrays)
