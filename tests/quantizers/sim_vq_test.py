import gradients
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import RotationTrick
from keras_vae.quantizers import SimVQ

pytestmark = pytest.mark.compiled_once


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def built(**options):
    quantizer = SimVQ(7, **options)
    quantizer.build((None, 3, 4))
    quantizer.linear.bias.assign(normal(4, seed=1))
    return quantizer


def codebook(quantizer):
    kernel, bias = map(numpy, quantizer.linear.weights)
    return numpy(quantizer.fixed_codes) @ kernel + bias


def nearest(quantizer, z_e):
    return np.square(z_e[..., None, :] - codebook(quantizer)).sum(axis=-1).argmin(axis=-1)


def test_agrees_with_numpy():
    quantizer, z_e = built(), normal(5, 3, 4)
    quantized, indices = quantizer(z_e), nearest(quantizer, z_e)
    np.testing.assert_array_equal(numpy(quantized.indices), indices)
    codes = codebook(quantizer)[indices]
    np.testing.assert_allclose(numpy(quantized.z_q), codes, rtol=1e-5, atol=1e-6)
    distances = np.square(z_e - codes).sum(axis=(1, 2))
    np.testing.assert_allclose(numpy(quantized.commitment), distances, rtol=1e-5)
    np.testing.assert_allclose(numpy(quantized.codebook), distances, rtol=1e-5)


def test_only_the_linear_layer_learns():
    quantizer = built()
    assert [v.path.split("/")[-2:] for v in quantizer.trainable_variables] == [
        ["linear", "kernel"],
        ["linear", "bias"],
    ]


def test_one_position_moves_all_codes():
    quantizer, z_e = built(), normal(1, 1, 4)
    before = codebook(quantizer)
    of_kernel, of_bias = gradients.gradients_of_weights(
        lambda: quantizer(z_e).codebook, quantizer.trainable_variables
    )
    index = nearest(quantizer, z_e)[0, 0]
    error = 2 * (before[index] - z_e[0, 0])
    fixed = numpy(quantizer.fixed_codes)
    np.testing.assert_allclose(of_kernel, np.outer(fixed[index], error), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(of_bias, error, rtol=1e-4)
    quantizer.linear.kernel.assign_sub(0.1 * of_kernel)
    assert (np.abs(codebook(quantizer) - before).max(axis=-1) > 1e-4).all()


def test_costs_give_gradient_only_where_the_paper_says():
    quantizer, z_e = built(), normal(5, 3, 4)
    codes = codebook(quantizer)[nearest(quantizer, z_e)]
    _, (gradient,) = gradients.value_and_gradients(lambda t: quantizer(t).commitment, z_e)
    np.testing.assert_allclose(gradient, 2 * (z_e - codes), rtol=1e-4, atol=1e-5)

    def without_codebook_cost():
        z_q, _, commitment, codebook = quantizer(z_e)
        return ops.sum(z_q, axis=(1, 2)) + commitment + 0 * codebook

    weights = quantizer.trainable_variables
    for of_weight in gradients.gradients_of_weights(without_codebook_cost, weights):
        assert not of_weight.any()
    _, (gradient,) = gradients.value_and_gradients(
        lambda t: quantizer(t).codebook + 0 * t[:, 0, 0], z_e
    )
    assert not gradient.any()


def test_the_gradient_of_z_q_is_the_estimators():
    z_e, weights = normal(5, 3, 4), normal(4)
    for gradient, is_identity in ((None, True), (RotationTrick(), False)):
        quantizer = built(gradient=gradient)
        _, (measured,) = gradients.value_and_gradients(
            lambda t, q=quantizer: ops.multiply(q(t).z_q, weights), z_e
        )
        expected = np.broadcast_to(weights, z_e.shape)
        assert np.allclose(measured, expected, rtol=1e-5) == is_identity


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("argument", "value"),
    [("num_embeddings", 1), ("code_dim", 0), ("gradient", RotationTrick)],
)
def test_arguments_are_checked(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be"):
        SimVQ(**{"num_embeddings": 4, argument: value})
