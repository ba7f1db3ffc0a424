import numpy as np
from keras import ops

from keras_vae import products
from keras_vae.products import matrix_product


def test_product_of_matrices():
    rng = np.random.default_rng(0)
    x, matrix = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 5))
    found = matrix_product(*(ops.convert_to_tensor(a, "float32") for a in (x, matrix)))
    np.testing.assert_allclose(ops.convert_to_numpy(found), x @ matrix, rtol=1e-5, atol=1e-6)


def test_another_function_may_multiply(monkeypatch):
    monkeypatch.setattr(products, "_matmul", None)
    products.multiply_by(lambda x, matrix: (x, matrix))
    assert matrix_product(1, 2) == (1, 2)
