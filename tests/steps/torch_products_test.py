import keras
import numpy as np
import pytest
from families import BY_NAME

if keras.config.backend() != "torch":
    pytest.skip("runs on PyTorch", allow_module_level=True)

import torch

from keras_vae.quantizers.nearest_codes import nearest_codes
from keras_vae.steps import torch_products
from keras_vae.steps.torch_products import product

SHAPES = {"small": (3, 4, 5), "large": (128, 300, 200)}

# Whichever of the two the processor is fast with, both must be right.
ONEDNN = torch_products._of_onednn()
needs_onednn = pytest.mark.skipif(ONEDNN is None, reason="this PyTorch was built without oneDNN")
LIBRARIES = {"MKL": None, "oneDNN": ONEDNN}


@pytest.fixture(params=LIBRARIES)
def library(request, monkeypatch):
    """Has products made by one library or the other."""
    if request.param == "oneDNN" and ONEDNN is None:
        pytest.skip("this PyTorch was built without oneDNN")
    monkeypatch.setattr(torch_products, "_linear", LIBRARIES[request.param])


def tensors(size, requires_grad=True):
    rng = np.random.default_rng(0)
    rows, m, n = SHAPES[size]
    shapes = [(rows, m), (m, n), (n,)]
    return [
        torch.tensor(rng.normal(size=s), dtype=torch.float32, requires_grad=requires_grad)
        for s in shapes
    ]


def calls_of_onednn(monkeypatch):
    made = []
    monkeypatch.setattr(torch_products, "_linear", lambda *a: made.append(a[0].shape) or ONEDNN(*a))
    return made


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("added", [None, "a bias", "a matrix"])
def test_value_and_gradients_are_those_of_float64(size, added):
    x, matrix, bias = tensors(size)
    upstream = torch.tensor(np.random.default_rng(1).normal(size=(len(x), matrix.shape[1])))
    given = [x, matrix]
    if added:
        given.append(bias if added == "a bias" else upstream.float().requires_grad_())
    exact = [a.detach().double().requires_grad_() for a in given]

    y = product(*given)
    y_exact = exact[0] @ exact[1] + (exact[2] if added else 0)
    gradients = torch.autograd.grad(y, given, upstream.float())
    exact_gradients = torch.autograd.grad(y_exact, exact, upstream)

    for found, expected in zip([y, *gradients], [y_exact, *exact_gradients], strict=True):
        size_of = expected.detach().abs().max().item()
        np.testing.assert_allclose(
            found.detach().numpy(), expected.detach().numpy(), atol=1e-6 * size_of
        )


@pytest.mark.usefixtures("library")
def test_gradients_of_gradients():
    x, matrix, _ = tensors("large")
    (of_x,) = torch.autograd.grad(torch.square(product(x, matrix)).sum(), x, create_graph=True)
    (again,) = torch.autograd.grad(of_x.sum(), matrix)

    exact_x, exact = (a.detach().double().requires_grad_() for a in (x, matrix))
    (of_x,) = torch.autograd.grad(torch.square(exact_x @ exact).sum(), exact_x, create_graph=True)
    (expected,) = torch.autograd.grad(of_x.sum(), exact)
    np.testing.assert_allclose(again.numpy(), expected.numpy(), rtol=1e-3, atol=1e-2)


@needs_onednn
@pytest.mark.parametrize(("capability", "is_chosen"), [("AVX512", True), ("AVX2", False)])
def test_onednn_is_chosen_where_it_is_the_faster(monkeypatch, capability, is_chosen):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert (torch_products._found() is not None) == is_chosen


@needs_onednn
def test_onednn_multiplies_what_is_large_and_mkl_what_is_small(monkeypatch):
    made = calls_of_onednn(monkeypatch)
    with torch.no_grad():
        product(*tensors("small"))
        assert not made
        product(*tensors("large"))
    assert len(made) == 1


@needs_onednn
def test_the_gradients_are_made_by_onednn_too(monkeypatch):
    made = calls_of_onednn(monkeypatch)
    given = tensors("large")
    torch.autograd.grad(product(*given).sum(), given)
    assert len(made) == 3


@needs_onednn
def test_only_what_is_asked_for_gets_a_gradient(monkeypatch):
    x, matrix, bias = tensors("large")
    made = calls_of_onednn(monkeypatch)
    torch.autograd.grad(product(x.detach(), matrix, bias).sum(), [matrix])
    assert len(made) == 2


@needs_onednn
@pytest.mark.filterwarnings("ignore:TF32")  # of PyTorch's own, where oneDNN is switched
def test_a_user_may_switch_onednn_off(monkeypatch):
    made = calls_of_onednn(monkeypatch)
    with torch.backends.mkldnn.flags(enabled=False):
        product(*tensors("large"))
    assert not made


@needs_onednn
def test_other_dtypes_are_multiplied_as_ever(monkeypatch):
    made = calls_of_onednn(monkeypatch)
    x, matrix, bias = (a.double() for a in tensors("large", requires_grad=False))
    np.testing.assert_array_equal(product(x, matrix, bias), torch.addmm(bias, x, matrix))
    assert not made


@needs_onednn
def test_an_export_sees_an_ordinary_product(monkeypatch):
    made = calls_of_onednn(monkeypatch)
    x, matrix, _ = tensors("large", requires_grad=False)
    program = torch.export.export(_Multiplies(matrix), (x,))
    assert not made
    np.testing.assert_allclose(program.module()(x), x @ matrix, rtol=1e-4, atol=1e-4)


class _Multiplies(torch.nn.Module):
    def __init__(self, matrix):
        super().__init__()
        self.matrix = matrix

    def forward(self, x):
        return product(x, self.matrix)


@pytest.mark.usefixtures("library")
def test_more_axes_than_two_and_views():
    x, matrix, bias = tensors("large")
    expected = (x @ matrix + bias).detach().reshape(16, 8, -1)
    found = product(x.reshape(16, 8, -1), matrix.t().contiguous().t(), bias)
    np.testing.assert_allclose(found.detach(), expected, rtol=1e-4, atol=1e-4)
    assert product(x[:0].reshape(0, 8, x.shape[1]), matrix, bias).shape == (0, 8, len(bias))


@needs_onednn
def test_networks_and_quantizers_multiply_with_it(monkeypatch):
    made = calls_of_onednn(monkeypatch)
    monkeypatch.setattr(torch_products, "SMALLEST", 1)
    family = BY_NAME["vae"]
    family.compiled().fit(family.data(), verbose=0)
    assert len(made) > 4

    made.clear()
    rng = np.random.default_rng(0)
    codes = torch.tensor(rng.normal(size=(64, 8)), dtype=torch.float32)
    np.testing.assert_array_equal(nearest_codes(codes, codes), np.arange(64))
    assert made
