import math
from statistics import NormalDist

import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.plotting import interpolated
from keras_vae.plotting import interpolations
from keras_vae.plotting import latent_grid
from keras_vae.plotting import traversals
from keras_vae.plotting import walks

pytest.importorskip("matplotlib")

X = np.random.default_rng(0).random((12, 4, 4, 1)).astype("float32")


def small_vae(latent_dim=2, **options):
    options.setdefault("seed", 0)
    networks = [
        kind((4, 4, 1), latent_dim, (8,)) for kind in (keras_vae.MLPEncoder, keras_vae.MLPDecoder)
    ]
    return keras_vae.VAE(*networks, **options)


@pytest.fixture
def given(monkeypatch):
    """The z that were decoded."""
    seen, decoded = [], walks.decoded

    def spy(model, z, condition=None):
        seen.append((z, condition))
        return decoded(model, z, condition)

    monkeypatch.setattr(walks, "decoded", spy)
    return seen


def texts(figure):
    return [t.get_text() for t in figure.texts]


def test_a_grid_is_of_quantiles_with_axes_that_grow_right_and_up(given):
    figure = latent_grid(small_vae(), size=3)
    low, high = NormalDist().inv_cdf(1 / 6), NormalDist().inv_cdf(5 / 6)
    z = given[0][0].reshape(3, 3, 2)
    np.testing.assert_allclose(z[0, 0], [low, high])
    np.testing.assert_allclose(z[2, 2], [high, low])
    np.testing.assert_allclose(z[1, 1], 0, atol=1e-12)
    rows, columns = texts(figure)[1:4], texts(figure)[4:]
    assert [float(t) for t in rows] == [round(high, 2), 0.0, round(low, 2)]
    assert columns == rows[::-1]


def test_a_grid_needs_two_dimensions():
    with pytest.raises(ValueError, match=r"shape \(2,\).*traversals"):
        latent_grid(small_vae(3))


def test_in_each_row_one_dimension_moves_and_the_most_used_is_first(given):
    model = small_vae(3)
    figure = traversals(model, X, example=4, num_dimensions=2, steps=3, extent=1.5)
    posterior = model.encode(X)
    mean, variance = (ops.convert_to_numpy(v) for v in (posterior.mean, ops.square(posterior.std)))
    order = np.argsort(-mean.var(axis=0))
    spread = np.sqrt(mean.var(axis=0) + variance.mean(axis=0))
    z = given[0][0].reshape(2, 3, 3)
    for row, dim in enumerate(order[:2]):
        ends = mean[:, dim].mean() + np.array([-1.5, 0, 1.5]) * spread[dim]
        np.testing.assert_allclose(z[row, :, dim], ends, rtol=1e-4)
        rest = np.delete(np.arange(3), dim)
        np.testing.assert_allclose(z[row][:, rest], np.tile(mean[4, rest], (3, 1)), rtol=1e-4)
    assert texts(figure) == [f"z[{d}]" for d in order[:2]] + ["-1.5 s", "+0.0 s", "+1.5 s"]


@pytest.mark.parametrize("how", walks.INTERPOLATIONS)
def test_a_way_begins_and_ends_at_the_codes(given, how):
    model = small_vae(3)
    interpolations(model, X[:2], X[2:4], steps=4, how=how)
    z = given[0][0].reshape(2, 4, 3)
    for end, x in ((0, X[:2]), (-1, X[2:4])):
        mean = ops.convert_to_numpy(model.encode(x).mean)
        np.testing.assert_allclose(z[:, end], mean, rtol=1e-4, atol=1e-6)


def test_a_line_by_hand():
    found = interpolated([[0.0, 2.0]], [[4.0, 0.0]], steps=3)
    np.testing.assert_array_equal(found, [[[0, 2], [2, 1], [4, 0]]])


def test_a_great_circle_by_hand():
    found = interpolated([[1.0, 0.0]], [[0.0, 3.0]], steps=3, how="spherical")
    half = 2 * math.sqrt(0.5)  # half the angle, half the length on the way from 1 to 3
    np.testing.assert_allclose(found, [[[1, 0], [half, half], [0, 3]]], atol=1e-12)


@pytest.mark.parametrize("second", [[-1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
def test_where_there_is_no_one_great_circle_it_is_a_line(second):
    first = [[1.0, 0.0]]
    found = interpolated(first, [second], steps=3, how="spherical")
    np.testing.assert_allclose(found, interpolated(first, [second], 3), atol=1e-12)


def test_a_condition_goes_with_every_point(given):
    labels = keras_vae.LabelCondition(3)
    shape = {"condition_shape": labels.shape}
    model = keras_vae.CVAE(
        keras_vae.MLPEncoder((4, 4, 1), 2, (8,), **shape),
        keras_vae.MLPDecoder((4, 4, 1), 2, (8,), **shape),
        condition=labels,
        seed=0,
    )
    interpolations(model, X[:2], X[2:4], steps=3, condition=np.array([1, 2]))
    np.testing.assert_array_equal(given[0][1], [1, 1, 1, 2, 2, 2])
    traversals(model, X, example=1, steps=3, condition=np.arange(12) % 3)
    assert given[1][1] == 1
    assert texts(latent_grid(model, size=2, condition=2))


def test_walks_of_other_families():
    networks = [kind((4, 4, 1), 3, (8,)) for kind in (keras_vae.MLPEncoder, keras_vae.MLPDecoder)]
    autoencoder = keras_vae.Autoencoder(*networks)
    assert len(texts(traversals(autoencoder, X, steps=2))) == 5
    quantized = keras_vae.VQVAE(
        keras_vae.ConvMapEncoder((4, 4, 1), 3, filters=(8,)),
        keras_vae.ConvMapDecoder((4, 4, 1), 3, filters=(8,)),
        keras_vae.VectorQuantizer(4),
    )
    assert interpolations(quantized, X[:1], X[1:2], steps=2)
    with pytest.raises(ValueError, match="vector z"):
        traversals(quantized, X)


def test_models_without_one_z_are_refused():
    model = keras_vae.PixelCNN((4, 4), 2, seed=0)
    with pytest.raises(ValueError, match=r"no single z.*PixelCNN"):
        traversals(model, X)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"steps": 1}, "`steps`"),
        ({"how": "crooked"}, "`how`"),
        ({"second": X[:3]}, "same shape"),
    ],
)
def test_what_is_no_way(options, message):
    with pytest.raises(ValueError, match=message):
        interpolations(small_vae(), X[:2], **{"second": X[2:4], **options})


def test_the_file(tmp_path):
    traversals(small_vae(), X, tmp_path / "walk.png", steps=2, title="two")
    assert (tmp_path / "walk.png").read_bytes().startswith(b"\x89PNG")
