import gradients
import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.gradients import straight_through
from keras_vae.quantizers import GroupedQuantizer
from keras_vae.quantizers import GumbelQuantizer
from keras_vae.quantizers import LookupFreeQuantizer
from keras_vae.quantizers import Quantized
from keras_vae.quantizers import Quantizer
from keras_vae.quantizers import ResidualQuantizer

pytestmark = pytest.mark.compiled_once

NUM_LEVELS = 3


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def made(**options):
    """Three levels of the signs of two channels, without entropy cost."""
    quantizer = ResidualQuantizer(
        [LookupFreeQuantizer(2, diversity_weight=0.0) for _ in range(NUM_LEVELS)], **options
    )
    quantizer.build((None, None, 2))
    return quantizer


def residuals(z_e):
    """What each level is given, by NumPy."""
    left = [z_e]
    for _ in range(NUM_LEVELS):
        left.append(left[-1] - np.where(left[-1] > 0, 1, -1))
    return left


def test_each_level_quantizes_what_is_left_over():
    z_e = 3 * normal(4, 5, 2)
    quantized = made()(z_e)
    *given, last = residuals(z_e)
    np.testing.assert_allclose(numpy(quantized.z_q), z_e - last, atol=1e-6)
    indices = [(r > 0) @ [1, 2] for r in given]
    np.testing.assert_array_equal(numpy(quantized.indices), np.stack(indices, axis=-1))
    left_over = [np.square(np.abs(r) - 1).sum(axis=(1, 2)) for r in given]
    np.testing.assert_allclose(numpy(quantized.commitment), sum(left_over), rtol=1e-5)


def test_every_level_has_its_own_commitment_gradient():
    z_e = 3 * normal(4, 5, 2)
    _, (gradient,) = gradients.value_and_gradients(lambda t: made()(t).commitment, z_e)
    expected = sum(2 * left_over for left_over in residuals(z_e)[1:])  # of |r_l - sg[e_l]|^2
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def test_the_sum_is_passed_straight_through_once():
    z_e, weights = 3 * normal(4, 5, 2), normal(5, 2)
    _, (gradient,) = gradients.value_and_gradients(
        lambda t: ops.multiply(made()(t).z_q, weights), z_e
    )
    np.testing.assert_allclose(gradient, np.broadcast_to(weights, z_e.shape), rtol=1e-5)


def test_layers_within_the_levels_learn_from_z_q():
    quantizer = ResidualQuantizer([LookupFreeQuantizer(2) for _ in range(2)])
    quantizer.build((None, 5, 4))
    z_e, weights = normal(3, 5, 4), normal(5, 4)
    for of_weight in gradients.gradients_of_weights(
        lambda: ops.multiply(quantizer(z_e).z_q, weights), quantizer.trainable_variables
    ):
        assert np.abs(of_weight).max() > 0


def test_dropout_leaves_out_the_last_levels_of_some_examples():
    z_e = np.tile(3 * normal(1, 5, 2), (3000, 1, 1))
    quantizer = made(dropout=0.6)
    quantized = quantizer(z_e, training=True, seed=keras.random.SeedGenerator(0))
    used = numpy(quantized.indices) >= 0
    num_used = used[:, 0].sum(axis=-1)
    first_ones = np.arange(NUM_LEVELS) < num_used[:, None, None]
    np.testing.assert_array_equal(used, np.broadcast_to(first_ones, used.shape))
    frequencies = np.bincount(num_used, minlength=NUM_LEVELS + 1) / 3000
    np.testing.assert_allclose(frequencies, [0, 0.2, 0.2, 0.6], atol=4.5 * 0.5 / np.sqrt(3000))

    left = residuals(z_e[:1])
    costs = np.cumsum([np.square(r).sum() for r in left[1:]])
    np.testing.assert_allclose(numpy(quantized.commitment), costs[num_used - 1], rtol=1e-5)
    z_q = np.concatenate([z_e[:1] - r for r in left])[num_used]
    np.testing.assert_allclose(numpy(quantized.z_q), z_q, atol=1e-6)
    np.testing.assert_array_equal(numpy(quantizer.embed(quantized.indices)), numpy(quantized.z_q))


def test_dropout_keeps_the_gradient_the_identity():
    z_e, weights = 3 * normal(40, 5, 2), normal(5, 2)
    quantizer = made(dropout=1.0)

    def weighted(z_e):
        quantized = quantizer(z_e, training=True, seed=keras.random.SeedGenerator(0))
        return ops.multiply(quantized.z_q, weights)

    _, (gradient,) = gradients.value_and_gradients(weighted, z_e)
    np.testing.assert_allclose(gradient, np.broadcast_to(weights, z_e.shape), rtol=1e-5)


def test_dropout_and_mask_leave_out_what_either_does():
    z_e, mask = normal(40, 5, 2), np.broadcast_to(np.arange(5) < 3, (40, 5))
    for seed in (None, keras.random.SeedGenerator(0)):
        quantized = made(dropout=1.0)(z_e, mask=mask, training=seed is not None, seed=seed)
        used = numpy(quantized.indices) >= 0
        np.testing.assert_array_equal(used[..., 0], mask)
        assert used[:, :3].all() == (seed is None)


def test_evaluation_and_no_dropout_use_all_levels():
    z_e = normal(40, 5, 2)
    for quantizer, training in ((made(dropout=1.0), False), (made(), True)):
        assert (numpy(quantizer(z_e, training=training).indices) >= 0).all()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("dropout", [-0.1, 1.1, "1", None])
def test_dropout_is_checked(dropout):
    with pytest.raises(ValueError, match=r"`dropout`.*lie in \[0, 1\]"):
        made(dropout=dropout)


@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_projections_of_codes_learn_as_from_the_sum(dropout):
    quantizer = ResidualQuantizer([LookupFreeQuantizer(2) for _ in range(4)], dropout=dropout)
    quantizer.build((None, 5, 6))
    z_e, weights = normal(40, 5, 6), normal(5, 6)

    def quantized():
        return quantizer(z_e, training=True, seed=keras.random.SeedGenerator(0))

    kernels = [level.project_out.kernel for level in quantizer.quantizers]
    found = gradients.gradients_of_weights(lambda: ops.multiply(quantized().z_q, weights), kernels)
    indices = numpy(quantized().indices)
    for level, (of_kernel, index) in enumerate(
        zip(found, np.moveaxis(indices, -1, 0), strict=True)
    ):
        codes = numpy(quantizer.quantizers[level].codes_of(np.maximum(index, 0)))
        codes = np.where(index[..., None] >= 0, codes, 0)  # those that are left out teach nothing
        by_hand = np.einsum("bnd,ne->de", codes, weights)
        np.testing.assert_allclose(of_kernel, by_hand, rtol=1e-4, atol=1e-4)


def test_sampled_codebooks_learn_as_by_themselves():
    levels = [GumbelQuantizer(5) for _ in range(3)]
    quantizer = ResidualQuantizer(levels)
    quantizer.build((None, 5, 2))
    left, weights = normal(4, 5, 2), normal(5, 2)
    codebooks = [level.codebook for level in levels]
    found = gradients.gradients_of_weights(
        lambda: ops.multiply(quantizer(left).z_q, weights), codebooks
    )
    for i, level in enumerate(levels):
        (alone,) = gradients.gradients_of_weights(
            lambda level=level, left=left: ops.multiply(level(left).z_q, weights),
            codebooks[i : i + 1],
        )
        np.testing.assert_allclose(found[i], alone, rtol=1e-4, atol=1e-5)
        left = left - numpy(level(left).z_q)


class Signs(Quantizer):
    """A quantizer of a user's own, which knows nothing of shares."""

    num_embeddings = 2

    def call(self, z_e, mask=None, training=False, seed=None):
        z_q = straight_through(ops.sign(z_e), z_e)
        none = ops.zeros_like(z_e[:, 0, 0])
        return Quantized(z_q, ops.cast(z_e[..., 0] > 0, "int32"), none, none)


@pytest.mark.parametrize("wrapped", [False, True])
def test_levels_of_any_kind_pass_the_gradient_on_once(wrapped):
    def level():
        if not wrapped:
            return Signs()
        inner = [LookupFreeQuantizer(2), LookupFreeQuantizer(2)]
        return GroupedQuantizer([ResidualQuantizer(inner), LookupFreeQuantizer(2)])

    z_e, weights = 3 * normal(4, 5, 4), normal(5, 4)
    quantizer = ResidualQuantizer([level() for _ in range(3)])
    _, (gradient,) = gradients.value_and_gradients(
        lambda t: ops.multiply(quantizer(t).z_q, weights), z_e
    )
    np.testing.assert_allclose(gradient, np.broadcast_to(weights, z_e.shape), rtol=1e-5)
