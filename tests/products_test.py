import numpy as np
import pytest
from keras import ops

from keras_vae import products
from keras_vae.products import matrix_product

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
def test_product_of_matrices(shape):
    x, matrix, bias = (RNG.normal(size=s) for s in (shape, (4, 5), (5,)))
    for added in ([], [bias], [x @ matrix]):
        given = [ops.convert_to_tensor(a, "float32") for a in (x, matrix, *added)]
        found = ops.convert_to_numpy(matrix_product(*given))
        np.testing.assert_allclose(found, x @ matrix + sum(added), rtol=1e-5, atol=1e-6)


def test_another_function_may_multiply(monkeypatch):
    monkeypatch.setattr(products, "_multiply", None)
    products.multiply_by(lambda *given: given)
    assert matrix_product(1, 2) == (1, 2, None)
    assert matrix_product(1, 2, 3) == (1, 2, 3)
