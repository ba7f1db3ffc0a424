import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import nearest_codes as module
from keras_vae.quantizers.nearest_codes import nearest_codes


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def found(z, codebook):
    return numpy(nearest_codes(ops.convert_to_tensor(z), ops.convert_to_tensor(codebook)))


def expected(z, codebook):
    differences = z[:, None].astype("float64") - codebook
    return np.square(differences).sum(axis=-1).argmin(axis=-1)  # the first of several


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("num_rows", "num_codes", "dim"), [(1, 1, 1), (50, 7, 3), (50, 64, 2), (200, 150, 4)]
)
def test_agrees_with_numpy(num_rows, num_codes, dim):
    z, codebook = normal(num_rows, dim), normal(num_codes, dim, seed=1)
    indices = found(z, codebook)
    np.testing.assert_array_equal(indices, expected(z, codebook))
    assert indices.dtype == "int32"


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_codes", [5, 150])
def test_the_lowest_of_several_is_taken(num_codes):
    # Codes on a grid of 27 points, many of them twice, and z on, between and beside them.
    rng = np.random.default_rng(0)
    codebook = rng.integers(0, 3, (num_codes, 3)).astype("float32")
    z = 0.5 * rng.integers(-1, 6, (400, 3)).astype("float32")
    distances = np.sort(np.square(z[:, None] - codebook).sum(axis=-1))
    assert (distances[:, 0] == distances[:, 1]).sum() > 100
    np.testing.assert_array_equal(found(z, codebook), expected(z, codebook))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_rows", [3, 64, 65, 200])
def test_tiles_find_what_one_tile_finds(num_rows, monkeypatch):
    z, codebook = normal(num_rows, 4), normal(100, 4, seed=1)
    whole, largest = found(z, codebook), []
    product = module.matrix_product

    def recording_product(*factors):
        largest.append(np.prod(ops.shape(product(*factors))))
        return product(*factors)

    monkeypatch.setattr(module, "TILE_SIZE", 6400)
    monkeypatch.setattr(module, "matrix_product", recording_product)
    np.testing.assert_array_equal(found(z, codebook), whole)
    assert max(largest) <= 64 * 128  # 64 rows, and 100 codes filled up to two blocks


def test_rows_of_a_number_not_known_while_tracing(monkeypatch):
    monkeypatch.setattr(module, "TILE_SIZE", 1000)
    z, codebook = normal(75, 4), normal(100, 4, seed=1)

    class Search(keras.Model):
        def call(self, z):
            return nearest_codes(z, ops.convert_to_tensor(codebook))

    indices = Search().predict(z, batch_size=32, verbose=0)  # 32, 32 and 11 rows
    np.testing.assert_array_equal(indices, expected(z, codebook))


def test_precise_far_from_the_origin():
    z, codebook = normal(200, 4) + 1000, normal(100, 4, seed=1) + 1000
    np.testing.assert_array_equal(found(z, codebook), expected(z, codebook))


def test_precise_with_some_codes_far_away():
    z, codebook = normal(200, 4), normal(100, 4, seed=1)
    codebook[1:90] += 1e4
    np.testing.assert_array_equal(found(z, codebook), expected(z, codebook))


def test_the_copies_that_fill_up_a_block_count_as_the_codes_they_are_copies_of(monkeypatch):
    product = module.matrix_product

    def product_in_favour_of_the_last(*factors):  # as another order of summing may be
        values = np.array(numpy(product(*factors)))
        values[:, -1] = 1e6
        return ops.convert_to_tensor(values)

    monkeypatch.setattr(module, "matrix_product", product_in_favour_of_the_last)
    np.testing.assert_array_equal(found(normal(20, 4), normal(100, 4)), 27)  # 28 copies


def test_a_row_that_is_not_a_number_spoils_no_other():
    z, codebook = normal(20, 4), normal(100, 4, seed=1)
    others = expected(z, codebook)
    z[3], others[3] = np.nan, 0
    np.testing.assert_array_equal(found(z, codebook), others)


def rounded(x):
    """x with the 11 significant bits that a GPU multiplies."""
    bits = numpy(x).view("int32")
    return ((bits + 2**12) & -(2**13)).view("float32")


def test_precise_where_products_are_rounded(monkeypatch):
    def rounding_product(a, b):
        return ops.convert_to_tensor(rounded(a) @ rounded(b))

    z, codebook = normal(500, 8), normal(300, 8, seed=1)
    monkeypatch.setattr(module, "matrix_product", rounding_product)
    monkeypatch.setattr(module, "products_are_exact", lambda: True)
    assert (found(z, codebook) != expected(z, codebook)).any()
    monkeypatch.setattr(module, "products_are_exact", lambda: False)
    np.testing.assert_array_equal(found(z, codebook), expected(z, codebook))
