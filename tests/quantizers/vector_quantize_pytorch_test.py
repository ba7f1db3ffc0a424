"""Our quantizers beside those of vector-quantize-pytorch: the same codes, costs and gradients."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import CosineVectorQuantizer
from keras_vae.quantizers import FiniteScalarQuantizer
from keras_vae.quantizers import GroupedQuantizer
from keras_vae.quantizers import LookupFreeQuantizer
from keras_vae.quantizers import ResidualQuantizer
from keras_vae.quantizers import RotationTrick
from keras_vae.quantizers import SimVQ
from keras_vae.quantizers import VectorQuantizer

pytestmark = [
    pytest.mark.skipif(keras.config.backend() != "torch", reason="compares with a torch package"),
    pytest.mark.first_case_elsewhere,
]
CODES, DIM = 50, 4
WEIGHT = 0.25  # of the commitment
OPTIONS = {"codebook_size": CODES, "commitment_weight": WEIGHT, "rotation_trick": False}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.fixture
def package():
    return pytest.importorskip("vector_quantize_pytorch")


def set_codes(quantizer, layer, seed=0):
    """Gives ours, built, and theirs the same codes: on the unit sphere, as cosines need them."""
    import torch

    codes = normal(*quantizer.codebook.shape, seed=seed)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    quantizer.codebook.assign(codes)
    layer._codebook.embed.data.copy_(torch.from_numpy(codes))


def outcome(quantize, dim):
    """Returns z_q and indices of z_e, a sum of z_q and the cost, and its gradient for z_e."""
    import torch

    z_e = torch.from_numpy(normal(3, 20, dim, seed=1)).requires_grad_(True)
    z_q, indices, cost = quantize(z_e)
    total = torch.sum(z_q * torch.from_numpy(normal(3, 20, dim, seed=2))) + cost
    total.backward()
    return z_q.detach().numpy(), indices.numpy(), total.item(), z_e.grad.numpy()


def assert_alike(quantizer, theirs, commitment=WEIGHT, codebook=0.0, dim=DIM, rtol=1e-5):
    """Compares all that `outcome` returns; `theirs` returns z_q, indices and cost.

    Their costs are means over all numbers, of which there are `dim` at each position.
    """

    def ours(z_e):
        quantized = quantizer(z_e)
        cost = commitment * quantized.commitment + codebook * quantized.codebook
        return quantized.z_q, quantized.indices, ops.sum(cost) / z_e.numel()

    z_q, indices, total, gradient = outcome(ours, dim)
    their_z_q, their_indices, their_total, their_gradient = outcome(theirs, dim)
    np.testing.assert_array_equal(indices, their_indices)
    np.testing.assert_allclose(z_q, their_z_q, atol=1e-5)
    assert total == pytest.approx(their_total, rel=1e-5)
    np.testing.assert_allclose(gradient, their_gradient, rtol=rtol, atol=1e-5)


@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("rotation", [False, True])
def test_vector_quantizer(package, cosine, rotation):
    layer = package.VectorQuantize(
        DIM, CODES, use_cosine_sim=cosine, rotation_trick=rotation, commitment_weight=WEIGHT
    )
    quantizer = (CosineVectorQuantizer if cosine else VectorQuantizer)(
        CODES, gradient=RotationTrick() if rotation else None
    )
    quantizer.build((3, 20, DIM))
    set_codes(quantizer, layer)
    assert_alike(quantizer, layer)


def test_residual_quantizer(package):
    num_levels = 3
    layer = package.ResidualVQ(dim=DIM, num_quantizers=num_levels, **OPTIONS)
    quantizer = ResidualQuantizer([VectorQuantizer(CODES) for _ in range(num_levels)])
    quantizer.build((3, 20, DIM))
    for level, (ours, theirs) in enumerate(zip(quantizer.quantizers, layer.layers, strict=True)):
        set_codes(ours, theirs, seed=level)

    def theirs(z_e):
        z_q, indices, costs = layer(z_e)
        # Their gradient of z_q is the sum of the levels', which is as many times the identity.
        z_q = z_q / num_levels + (z_q - z_q / num_levels).detach()
        return z_q, indices, costs.sum()

    assert_alike(quantizer, theirs)


def test_grouped_quantizer(package):
    num_groups = 2
    layer = package.GroupedResidualVQ(dim=DIM, groups=num_groups, num_quantizers=1, **OPTIONS)
    quantizer = GroupedQuantizer([VectorQuantizer(CODES) for _ in range(num_groups)])
    quantizer.build((3, 20, DIM))
    for group, (ours, theirs) in enumerate(zip(quantizer.quantizers, layer.rvqs, strict=True)):
        set_codes(ours, theirs.layers[0], seed=group)

    def theirs(z_e):
        z_q, indices, costs = layer(z_e)
        return z_q, indices[..., 0].moveaxis(0, -1), costs.mean()  # of groups of equal size

    assert_alike(quantizer, theirs)


@pytest.mark.parametrize("levels", [(7, 5, 5, 3), (8, 6, 5, 4)])
def test_finite_scalar_quantizer(package, levels):
    import torch

    layer, quantizer = package.FSQ(levels), FiniteScalarQuantizer(levels)
    # They stretch the range by a thousandth; the paper's authors and we shrink it by as much.
    layer.bound = functools.partial(layer.bound, eps=-1e-3)

    def theirs(z_e):
        return *layer(z_e), torch.zeros(())

    # They shift by the arctanh of even levels' offset, the authors and we by its tangent.
    assert_alike(quantizer, theirs, commitment=0.0, rtol=2e-3)


@pytest.mark.parametrize(("num_bits", "diversity_weight"), [(4, 0.0), (1, 0.0), (1, 1.5)])
def test_lookup_free_quantizer(package, num_bits, diversity_weight):
    # With more than one bit, their entropy of the mean is of all codes and ours is of each bit.
    entropy_weight = 0.1
    layer = package.LFQ(
        codebook_size=2**num_bits,
        entropy_loss_weight=entropy_weight,
        diversity_gamma=diversity_weight,
        commitment_loss_weight=WEIGHT,
    )
    quantizer = LookupFreeQuantizer(num_bits, diversity_weight, temperature=0.5)

    def theirs(z_e):
        z_q, indices, cost = layer(z_e.flip(-1), inv_temperature=2.0)  # their last bit counts one
        return z_q.flip(-1), indices, cost

    # Their entropies are means over positions.
    assert_alike(quantizer, theirs, codebook=num_bits * entropy_weight, dim=num_bits)


@pytest.mark.parametrize("rotation", [False, True])
def test_sim_vq(package, rotation):
    layer = package.SimVQ(
        DIM, CODES, rotation_trick=rotation, input_to_quantize_commit_loss_weight=WEIGHT
    )
    quantizer = SimVQ(CODES, gradient=RotationTrick() if rotation else None)
    quantizer.build((3, 20, DIM))
    kernel, weight = quantizer.linear.kernel, layer.code_transform.weight
    quantizer.fixed_codes.assign(layer.frozen_codebook)
    kernel.assign(weight.detach().T)
    assert_alike(quantizer, layer, codebook=1.0)
    np.testing.assert_allclose(kernel.value.grad, weight.grad.T, rtol=1e-4, atol=1e-6)
