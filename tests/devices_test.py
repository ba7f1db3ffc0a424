import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.devices import numbers_are_at_hand
from keras_vae.devices import on_cpu
from keras_vae.devices import products_are_exact
from keras_vae.devices import with_numbers_at_hand


def test_products_are_exact_where_it_is_said():
    # 1 + 2^-12 squared needs 24 bits, of which TF32 has 10.
    x = np.full((4, 4), 1 + 2.0**-12, "float32")
    product = ops.convert_to_numpy(ops.matmul(x, x))
    error = np.abs(product - x.astype("float64") @ x.astype("float64")).max()
    assert (error < 1e-6) == products_are_exact()


@pytest.mark.skipif(keras.config.backend() != "torch", reason="the other backends say by device")
@pytest.mark.filterwarnings("ignore")  # of PyTorch's own, at each change
def test_pytorch_may_be_told_to_multiply_in_less():
    import torch

    import keras_vae  # noqa: F401  whose steps know whom to ask

    try:
        for precision, is_exact in (("high", False), ("medium", False), ("highest", True)):
            torch.set_float32_matmul_precision(precision)
            assert products_are_exact() == is_exact
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.skipif(keras.config.backend() == "torch", reason="Keras lists no devices on torch")
def test_the_processor_is_told_from_other_devices(monkeypatch):
    on_cpu.cache_clear()
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0", "gpu:0"])
    assert not on_cpu()
    on_cpu.cache_clear()
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0", "cpu:1"])
    assert on_cpu()
    on_cpu.cache_clear()


def test_numbers_are_at_hand_where_it_is_said():
    assert not numbers_are_at_hand()
    with with_numbers_at_hand():
        assert numbers_are_at_hand()
    assert not numbers_are_at_hand()
