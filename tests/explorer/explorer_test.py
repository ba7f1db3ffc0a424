import json

import numpy as np
import pytest
from families import BY_NAME
from keras import ops

from keras_vae import evaluation
from keras_vae.explorer import Explorer
from keras_vae.explorer.explorer import NUM_STEPS

pytestmark = pytest.mark.one_backend

SHAPE = (6, 5, 1)
X = np.random.default_rng(0).integers(0, 2, (20, *SHAPE)).astype("float32")
LABELS = np.arange(20) % 3


def explorer_of(name, **data):
    model = BY_NAME[name].model()
    model.build((None, *SHAPE))
    return Explorer(model, name, **data)


def bytes_of(x):
    return np.round(255 * x).astype(int).ravel().tolist()


def test_what_is_shown_of_a_vae_is_what_the_model_says():
    explorer = explorer_of("vae", x=X)
    model, x = explorer.model, X[3:4]
    found = explorer.encode(bytes_of(x))
    posterior = model.encode(x)
    np.testing.assert_allclose(found["mean"], ops.convert_to_numpy(posterior.mean)[0], rtol=1e-4)
    np.testing.assert_allclose(found["std"], ops.convert_to_numpy(posterior.std)[0], rtol=1e-4)
    nats = model.log_likelihood(x, num_samples=100, seed=0)[0]
    assert (found["nats"], found["nats_are"]) == (pytest.approx(nats, rel=1e-5), "estimate")
    assert found["seen"] == bytes_of(x)
    picture = ops.convert_to_numpy(model.decode(posterior.mean).mean)
    np.testing.assert_allclose(found["reconstruction"], bytes_of(picture), atol=1)
    assert explorer.decode(found["mean"])["picture"] == found["reconstruction"]


def test_sliders_are_sorted_by_kl_and_hold_the_codes():
    explorer = explorer_of("vae", x=X)
    sliders = explorer.describe()["sliders"]
    kl = evaluation.kl_per_dimension(explorer.model, X)
    order = [slider["dimension"] for slider in sliders]
    assert order == np.argsort(-kl).tolist()
    np.testing.assert_allclose([slider["kl"] for slider in sliders], kl[order], rtol=1e-5)
    means = ops.convert_to_numpy(explorer.model.encode(X).mean)[:, order]
    assert np.all(means > [slider["low"] for slider in sliders])
    assert np.all(means < [slider["high"] for slider in sliders])


def test_points_are_sorted_by_how_far_they_spread():
    explorer = explorer_of("autoencoder", x=X)
    spread = ops.convert_to_numpy(explorer.model.encode(X)).var(axis=0)
    described = explorer.describe()
    assert [s["dimension"] for s in described["sliders"]] == np.argsort(-spread).tolist()
    assert not described["kl_is_known"]
    assert explorer.encode(bytes_of(X[0]))["nats"] is None


@pytest.mark.parametrize("name", ["vqvae", "vqvae_with_prior", "vqvae2"])
def test_codes_can_be_changed(name):
    explorer = explorer_of(name, x=X)
    grids = explorer.describe()["grids"]
    found = explorer.encode(bytes_of(X[0]))
    assert [list(np.shape(codes)) for codes in found["codes"]] == [g["shape"] for g in grids]
    assert explorer.decode_codes(found["codes"])["picture"] == found["reconstruction"]
    changed = [np.asarray(codes) for codes in found["codes"]]
    changed[0][0] = (changed[0][0] + 1) % grids[0]["num_embeddings"]
    picture = explorer.decode_codes([codes.tolist() for codes in changed])["picture"]
    given = explorer.model.for_user([codes[None] for codes in changed])
    assert picture == bytes_of(np.clip(explorer.model.decode_indices(given), 0, 1))
    assert found["nats_are"] == "bound"


@pytest.mark.parametrize("name", ["hierarchical_vae", "ladder_vae", "gumbel_vae"])
def test_models_without_a_vector_of_numbers_reconstruct_and_sample(name):
    explorer = explorer_of(name, x=X)
    assert explorer.describe()["kind"] == "other"
    again = explorer.model.reconstruct(X[:1])
    np.testing.assert_allclose(
        explorer.encode(bytes_of(X[0]))["reconstruction"], bytes_of(again), atol=1
    )
    assert len(explorer.sample()["picture"]) == 30
    with pytest.raises(ValueError, match="no z for sliders"):
        explorer.decode([0.0, 0.0])


def test_classes_change_what_is_decoded():
    explorer = explorer_of("cvae", x=X, labels=LABELS)
    described = explorer.describe()
    assert (described["classes"], described["needs_label"]) == (3, False)
    z = [slider["start"] for slider in described["sliders"]]
    pictures = [explorer.decode(z, label)["picture"] for label in range(3)]
    assert pictures[0] != pictures[1] != pictures[2]
    assert explorer.decode(z)["picture"] not in pictures  # without any
    for label in (3, -1, True, "1"):
        with pytest.raises(ValueError, match=r"class from 0 to 2.*Received"):
            explorer.encode(bytes_of(X[0]), label)


def test_ways_lead_from_one_picture_to_the_other():
    explorer = explorer_of("vae", x=X)
    first, second = bytes_of(X[0]), bytes_of(X[1])
    way = explorer.walk(first, second)["pictures"]
    assert len(way) == NUM_STEPS
    assert way[0] == explorer.encode(first)["reconstruction"]
    assert way[-1] == explorer.encode(second)["reconstruction"]
    assert explorer.walk(first, second, "spherical")["pictures"][3] != way[3]
    with pytest.raises(ValueError, match=r"`how` must be one of"):
        explorer.walk(first, second, "by train")


def test_pictures_are_black_and_white_where_the_data_are():
    grey = [100] * 15 + [200] * 15
    assert explorer_of("vae", x=X).encode(grey)["seen"] == [0] * 15 + [255] * 15
    assert explorer_of("vae", x=X / 2).encode(grey)["seen"] == grey


def test_samples_stand_in_for_data():
    explorer = explorer_of("vae")
    described = explorer.describe()
    assert not described["has_data"]
    assert len(described["dots"]) == described["num_examples"] == 500
    assert explorer.example(501)["number"] == 1
    assert explorer.example(0)["label"] is None


@pytest.mark.parametrize("name", ["vae", "cvae", "vqvae2", "hierarchical_vae", "aae"])
def test_all_answers_are_json(name):
    explorer = explorer_of(name, x=X, labels=LABELS)
    asked = [explorer.describe(), explorer.example(2), explorer.encode(bytes_of(X[0]), 1)]
    json.dumps(asked, allow_nan=False)


@pytest.mark.parametrize(
    "picture", [None, 3, "x" * 30, [0] * 29, [0] * 31, [-1] * 30, [256] * 30, [None] * 30]
)
def test_a_bad_picture_gets_a_message(picture):
    explorer = explorer_of("vae", x=X)
    with pytest.raises(ValueError, match=r"Received"):
        explorer.encode(picture)


@pytest.mark.parametrize("z", [[0.0], [float("nan"), 0.0, 0.0], [1e9] * 3, "abc"])
def test_a_bad_z_gets_a_message(z):
    explorer = explorer_of("vae", x=X)
    with pytest.raises(ValueError, match=r"`z` must"):
        explorer.decode(z)


@pytest.mark.parametrize("codes", [None, [], [[0]], [[["a"]]], [[[99] * 3] * 3]])
def test_bad_codes_get_a_message(codes):
    explorer = explorer_of("vqvae", x=X)
    with pytest.raises(ValueError, match=r"Received"):
        explorer.decode_codes(codes)


@pytest.mark.parametrize(
    "name, words",
    [
        ("pixel_cnn", "encode pictures and decode"),
        ("classifier", "encode pictures and decode"),
        ("series_vae", "pictures of one size"),
        ("any_size_vae", "pictures of one size"),
        ("completing_cvae", "conditioned on class labels"),
    ],
)
def test_what_it_cannot_show(name, words):
    model = BY_NAME[name].model()
    with pytest.raises(ValueError, match=words):
        Explorer(model)


def test_data_that_do_not_fit_are_refused():
    model = BY_NAME["vae"].model()
    model.build((None, *SHAPE))
    with pytest.raises(ValueError, match="shape"):
        Explorer(model, x=np.zeros((4, 7, 7, 1)))
