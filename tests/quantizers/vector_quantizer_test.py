import gradients
import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import CosineVectorQuantizer
from keras_vae.quantizers import EMAUpdate
from keras_vae.quantizers import GradientUpdate
from keras_vae.quantizers import RotationTrick
from keras_vae.quantizers import VectorQuantizer

UPDATES = [EMAUpdate(), GradientUpdate()]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def train(quantizer, z_e, seed=0, **kwargs):
    return quantizer(z_e, training=True, seed=keras.random.SeedGenerator(seed), **kwargs)


def codes_after(quantizer, *batches, **kwargs):
    for z_e in batches:
        train(quantizer, z_e, **kwargs)
    return numpy(quantizer.codebook)


def gradient_quantizer(num_codes, **options):
    """A quantizer whose codes move only when they are put on rows."""
    return VectorQuantizer(num_codes, update=GradientUpdate(), **options)


def distance(z_e, codebook):
    """The mean squared distance of z_e to the nearest code."""
    rows = z_e.reshape(-1, 1, z_e.shape[-1])
    return np.square(rows - codebook).sum(axis=-1).min(axis=1).mean()


def lie_on_rows(codebook, z_e):
    rows = z_e.reshape(-1, z_e.shape[-1])
    return (codebook[:, None] == rows).all(axis=-1).any(axis=1)


def test_evaluation_works_before_training():
    quantizer, z_e = VectorQuantizer(50), normal(4, 7, 7, 3)
    indices, codebook = numpy(quantizer(z_e).indices), numpy(quantizer.codebook)
    assert np.abs(codebook).max() <= 1 / 50
    expected = np.square(z_e[..., None, :] - codebook).sum(axis=-1).argmin(axis=-1)
    np.testing.assert_array_equal(indices, expected)
    assert len(np.unique(indices)) > 10


def test_codes_begin_on_different_rows_of_the_first_batch():
    z_e = normal(4, 5, 3)
    codebook = codes_after(gradient_quantizer(8, initialization="data"), z_e)
    assert lie_on_rows(codebook, z_e).all()
    assert len(np.unique(codebook, axis=0)) == 8
    other = codes_after(gradient_quantizer(8, initialization="data"), z_e, seed=1)
    assert (codebook != other).any()


def test_codes_begin_at_the_k_means_of_the_first_batch():
    z_e = normal(8, 20, 3)
    k_means = codes_after(gradient_quantizer(8), z_e)
    data = codes_after(gradient_quantizer(8, initialization="data"), z_e)
    assert distance(z_e, k_means) < 0.8 * distance(z_e, data)
    nearest = np.square(z_e[..., None, :] - k_means).sum(axis=-1).argmin(axis=-1)
    means = [z_e[nearest == k].mean(axis=0) for k in range(8)]
    np.testing.assert_allclose(k_means, means, atol=0.3)  # of 10 iterations, a fixed point almost


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("initialization", ["k_means", "data", "uniform"])
def test_codes_begin_only_once_and_not_in_evaluation(initialization):
    quantizer, z_e = gradient_quantizer(4, initialization=initialization), normal(3, 6, 2)
    quantizer(z_e)
    before = numpy(quantizer.codebook)
    first = codes_after(quantizer, z_e)
    assert (first == before).all() == (initialization == "uniform")
    np.testing.assert_array_equal(codes_after(quantizer, normal(3, 6, 2, seed=1) + 1), first)


def test_codes_wait_for_a_batch_with_rows():
    quantizer, z_e = gradient_quantizer(4), normal(3, 6, 2)
    quantizer(z_e)
    before = numpy(quantizer.codebook)
    nothing = np.zeros((3, 6), "bool")
    np.testing.assert_array_equal(codes_after(quantizer, z_e, mask=nothing), before)
    assert np.abs(codes_after(quantizer, z_e)).max() > 0.5


def test_codes_begin_on_rows_that_are_numbers_and_not_masked():
    z_e, mask = normal(3, 6, 2), np.ones((3, 6), "bool")
    z_e[0, 0], z_e[1, :], mask[1, :] = np.nan, 100, False
    codebook = codes_after(gradient_quantizer(11, initialization="data"), z_e, mask=mask)
    z_e[1, :] = np.nan
    assert lie_on_rows(codebook, z_e).all()


def test_fewer_rows_than_codes():
    for quantizer in (VectorQuantizer(40), gradient_quantizer(40, initialization="data")):
        z_e = normal(2, 6, 3)
        codebook = codes_after(quantizer, z_e)
        assert np.isfinite(codebook).all()
        assert distance(z_e, codebook) < 0.02


def test_dead_codes_are_put_on_rows_before_the_search():
    quantizer, z_e = gradient_quantizer(5, initialization="uniform"), normal(3, 6, 2)
    quantizer.build(z_e.shape)
    quantizer.codebook.assign(np.full((5, 2), 50))
    quantizer.memory["shares"].assign([0.0, 1.0, 0.0, 1.0, 0.0])
    indices = numpy(train(quantizer, z_e).indices)
    codebook = numpy(quantizer.codebook)
    np.testing.assert_array_equal(lie_on_rows(codebook, z_e), [True, False, True, False, True])
    assert set(np.unique(indices)) == {0, 2, 4}
    shares = numpy(quantizer.memory["shares"])
    np.testing.assert_allclose(shares[[1, 3]], 0.95)
    assert (shares[[0, 2, 4]] >= 0.95).all()


def test_dead_codes_stay_where_they_are_without_revival():
    quantizer = gradient_quantizer(5, initialization="uniform", revival=None)
    quantizer.build((None, 6, 2))
    quantizer.codebook.assign(np.full((5, 2), 50))
    codebook = codes_after(quantizer, *[normal(3, 6, 2, seed=i) for i in range(3)])
    np.testing.assert_array_equal(codebook, 50)
    assert [v.name for v in quantizer.variables] == ["codebook", "is_placed"]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("update", UPDATES)
def test_nothing_moves_where_nothing_is_trainable(update):
    quantizer, z_e = VectorQuantizer(5, update=update), normal(3, 6, 2)
    quantizer.build(z_e.shape)
    quantizer.trainable = False
    before = quantizer.get_weights()
    train(quantizer, z_e)
    for a, b in zip(before, quantizer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_codebook_cost_has_a_gradient_only_with_the_gradient_update():
    z_e = normal(3, 6, 2)
    for update, has_gradient in zip(UPDATES, (False, True), strict=True):
        quantizer = VectorQuantizer(4, update=update)
        train(quantizer, z_e)

        def costs(quantizer=quantizer):
            quantized = quantizer(z_e)
            return quantized.codebook + 0.0 * ops.sum(ops.convert_to_tensor(quantizer.codebook))

        (gradient,) = gradients.gradients_of_weights(costs, [quantizer.codebook])
        assert gradient.any() == has_gradient


def test_the_gradient_of_codes_is_there_in_the_step_that_places_them():
    quantizer, z_e = gradient_quantizer(3, initialization="data"), normal(3, 6, 2)
    quantizer.build(z_e.shape)

    def costs():
        quantized = train(quantizer, z_e)
        return quantized.codebook

    with_placing = gradients.gradients_of_weights(costs, [quantizer.codebook])[0]
    train(quantizer, z_e)
    after = gradients.gradients_of_weights(lambda: quantizer(z_e).codebook, [quantizer.codebook])[0]
    np.testing.assert_allclose(with_placing, after, rtol=1e-5)
    assert np.abs(after).max() > 0.1


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("initialization", ["data", "k_means"])
def test_seed_is_needed_to_draw_rows(initialization):
    quantizer = VectorQuantizer(4, initialization=initialization, revival=None)
    with pytest.raises(ValueError, match=r"needs `seed`"):
        quantizer(normal(3, 6, 2), training=True)
    quantizer = VectorQuantizer(4, initialization="uniform", revival=None)
    quantizer(normal(3, 6, 2), training=True)  # draws nothing


def test_cosine_compares_directions():
    quantizer, z_e = CosineVectorQuantizer(6), normal(4, 5, 3)
    train(quantizer, z_e)
    z_q, indices, commitment, _ = quantizer(z_e)
    codebook = numpy(quantizer.codebook)
    z = z_e / np.linalg.norm(z_e, axis=-1, keepdims=True)
    codes = codebook / np.linalg.norm(codebook, axis=-1, keepdims=True)
    cosines = z @ codes.T
    np.testing.assert_array_equal(numpy(indices), cosines.argmax(axis=-1))
    np.testing.assert_allclose(numpy(z_q), codes[numpy(indices)], rtol=1e-5, atol=1e-6)
    expected = (2 - 2 * cosines.max(axis=-1)).sum(axis=-1)
    np.testing.assert_allclose(numpy(commitment), expected, rtol=1e-4)
    longer = quantizer(100 * z_e)
    np.testing.assert_array_equal(numpy(longer.indices), numpy(indices))
    np.testing.assert_allclose(numpy(longer.commitment), numpy(commitment), rtol=1e-4)
    assert np.isfinite(numpy(quantizer(0 * z_e).commitment)).all()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("initialization", "kmeans"),
        ("initialization", ["data"]),
        ("update", "ema"),
        ("update", RotationTrick()),
        ("revival", True),
        ("gradient", GradientUpdate()),
    ],
)
def test_arguments_are_checked(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be "):
        VectorQuantizer(4, **{argument: value})


def test_an_interrupted_training_goes_on_exactly(tmp_path):
    def model():
        inputs = keras.Input((6, 2))
        quantizer = VectorQuantizer(4, name="quantizer")
        model = keras.Model(inputs, quantizer(inputs))
        return model, quantizer

    (one, quantizer), (other, again) = model(), model()
    train(quantizer, normal(3, 6, 2))
    one.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    z_e = normal(3, 6, 2, seed=1)
    for a, b in zip(train(quantizer, z_e), train(again, z_e), strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(b))
    for a, b in zip(quantizer.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
