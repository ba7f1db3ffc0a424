import decimal
import hashlib
import math

import numpy as np
import pytest

from keras_vae.codecs import binary
from keras_vae.codecs import counts
from keras_vae.codecs import exact_tables
from keras_vae.codecs import lattice
from keras_vae.codecs import logistic

pytestmark = pytest.mark.one_backend

DIGEST_OF_FORMAT_3 = "cb21ec33b9ee6841d08cdb71e824cf8d6cce6f06bceff119389b3ace8d0c4e22"


def test_exp_against_correctly_rounded_decimals():
    x = np.concatenate([np.linspace(-40, 40, 801), [-700.0, 700.0, 0.0]])
    found = exact_tables.exp(x)
    for value, result in zip(x, found, strict=True):
        expected = decimal.Decimal(float(value)).exp()
        assert abs(decimal.Decimal(float(result)) / expected - 1) < decimal.Decimal("1e-15")


def test_sigmoid_against_its_definition():
    x = np.linspace(-30, 30, 61)
    expected = [1 / (1 + math.exp(-v)) for v in x]
    np.testing.assert_allclose(exact_tables.sigmoid(x), expected, rtol=1e-14)


def test_gaussian_frequencies_against_the_density():
    points = np.linspace(-5, 5, 101)[None]
    found = exact_tables.gaussian_frequencies(points, np.array([[0.3]]), np.array([[0.8]]))
    expected = np.exp(-((points - 0.3) ** 2) / (2 * 0.8**2))
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), atol=4e-4)
    np.testing.assert_array_equal(found, np.floor(found))


def test_geometric_frequencies_against_the_formula():
    found = exact_tables.geometric_frequencies(40, 64)
    expected = 0.25 * 0.75 ** np.arange(40)
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), rtol=2e-2)


def test_cube_root():
    x = np.geomspace(1e-9, 1e9, 300)
    np.testing.assert_allclose(exact_tables.cube_root(x), np.cbrt(x), rtol=1e-15)


@pytest.mark.parametrize("value, exponent", [(1.0, 0), (0.99, -1), (0.25, -2), (5.0, 2)])
def test_power_of_two(value, exponent):
    assert exact_tables.power_of_two(value) == exponent


def test_tables_are_those_of_every_machine():
    # Files hold symbols coded by these numbers, so another number would be another format.
    mean = counts._mean_of(np.linspace(0.01, 15, 50), np.array([np.inf, 0.3] * 25))
    given = counts.Rounded(mean, np.array([np.inf, 0.3] * 25), np.full(50, 0.1))
    windows = counts._windows(given)
    numbers = [
        *windows,
        *(
            counts._frequencies(counts._of(given, rows), counts._of(windows, rows), columns)
            for rows, columns in counts._pieces(windows)
        ),
        binary.edges(),
        binary.tables(),
        exact_tables.gaussian_weights(),
        exact_tables.geometric_frequencies(128, 77),
        lattice._STDS,
        lattice.GaussianCode(lattice.Lattice(-7, 4, 8, -15))._steps,
        logistic._step_exponents(),
        logistic._distributions(256),
    ]
    assert all(np.all(np.isfinite(a)) for a in numbers)
    digest = hashlib.sha256(b"".join(a.astype("<f8").tobytes() for a in numbers)).hexdigest()
    assert digest == DIGEST_OF_FORMAT_3
