from types import SimpleNamespace

import keras
import numpy as np
import pytest
from families import BY_NAME
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

from keras_vae import presets
from keras_vae.datasets import Arrays
from keras_vae.datasets import seen_quadrants
from keras_vae.datasets import shape_factors
from keras_vae.recipes import further_measures as module
from keras_vae.recipes.further_measures import check_measures
from keras_vae.recipes.further_measures import further_measures
from keras_vae.recipes.further_measures import measurable

pytestmark = pytest.mark.one_backend


def asking(folder, *measures, pairs=None, **evaluation):
    """The tiny recipe with measures."""
    lines = [f"measures = {list(measures)}", *(f"{k} = {v}" for k, v in evaluation.items())]
    text = TEXT.replace("[evaluation]", "\n".join(["[evaluation]", *lines]))
    if pairs:
        text = text.replace("[data]", f'[data]\npairs = "{pairs}"')
    return read_tiny_recipe(folder, text)


def test_nothing_is_measured_that_was_not_asked_for(tmp_path):
    recipe = read_tiny_recipe(tmp_path)
    check_measures(recipe)
    assert further_measures(None, recipe, None) == {}


def test_an_unknown_measure_is_named_before_training(tmp_path):
    recipe = asking(tmp_path, "beauty", "samples")
    for check in (check_measures, measurable):
        with pytest.raises(ValueError, match=r"no measure beauty.*quadrants.*samples"):
            check(recipe)


@pytest.mark.parametrize("measure", ["samples", "recognition", "reconstructions"])
def test_a_model_is_trained_without_the_classifier_and_told_so(tmp_path, monkeypatch, measure):
    recipe = asking(tmp_path, "aggregate_posterior", measure)
    assert measurable(recipe) is recipe
    monkeypatch.setattr(presets.finding, "_ZOOS", (tmp_path,))
    with pytest.raises(ValueError, match="classifier_mnist"):
        check_measures(recipe)
    with pytest.warns(UserWarning, match=f"{measure} .*classifier_mnist"):
        left = measurable(recipe)
    assert left.evaluation == {**recipe.evaluation, "measures": ["aggregate_posterior"]}


def test_the_aggregate_posterior_of_codes_by_hand(tmp_path):
    family = BY_NAME["autoencoder"]  # its codes have no noise, as those of an AAE
    model, x = family.model(), family.data()
    z = keras.ops.convert_to_numpy(model.encode(x))
    found = further_measures(model, asking(tmp_path, "aggregate_posterior"), Arrays(x))
    assert found == {
        "aggregate_largest_mean": pytest.approx(np.abs(z.mean(axis=0)).max(), rel=1e-5),
        "aggregate_smallest_std": pytest.approx(z.std(axis=0).min(), rel=1e-5),
        "aggregate_largest_std": pytest.approx(z.std(axis=0).max(), rel=1e-5),
    }


class OfFactors:
    """Encodes a drawn shape, of which it is told the number, to its factors, mixed by a matrix."""

    def __init__(self, mixed):
        self.mixed = np.asarray(mixed, "float32")

    def jitted(self, function):
        return lambda *arrays: keras.tree.map_structure(np.asarray, function(*arrays))

    def encode(self, x):
        factors = shape_factors(np.asarray(x)[:, 0].astype("int64"))
        return SimpleNamespace(mean=(factors - factors.mean(axis=0)) @ self.mixed)


def disentanglement(folder, mixed):
    text = TEXT.replace('"tiny.npz"', '"shapes"').replace("[evaluation]", f"[evaluation]\n{ASKED}")
    recipe = read_tiny_recipe(folder, text)
    check_measures(recipe)
    y = np.random.default_rng(0).permutation(9600)[:1000]
    return further_measures(OfFactors(mixed), recipe, Arrays(y[:, None], y))


ASKED = 'measures = ["disentanglement"]'


def test_codes_that_are_the_factors_have_full_scores(tmp_path):
    found = disentanglement(tmp_path, np.eye(5))
    assert found["mutual_information_gap"] > 0.9
    assert found["factor_vae_score"] == found["beta_vae_score"] == 1.0
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    mixed = disentanglement(tmp_path, rotation)
    for name in ("mutual_information_gap", "factor_vae_score", "dci_disentanglement"):
        assert mixed[name] < found[name] - 0.1


def test_factors_are_known_of_drawn_shapes_only(tmp_path):
    recipe = asking(tmp_path, "disentanglement")
    with pytest.raises(ValueError, match=r"true factors.*shapes.*Received.*tiny"):
        check_measures(recipe)


def test_completions_are_measured_for_each_number_of_quadrants(tmp_path):
    recipe = asking(tmp_path, "quadrants", pairs="completion", quadrants_num_samples=7)

    class Spy:
        log_likelihood_is = "estimate"

        def log_likelihood(self, x, condition, num_samples, seed, proposal="posterior"):
            assert (num_samples, seed) == (7, 1)
            return -np.sum(condition[..., 1], axis=(1, 2)) - (proposal == "prior")

    x = BY_NAME["completing_cvae"].data()
    found = further_measures(Spy(), recipe, Arrays(x))
    for num_seen in (1, 2, 3):
        area = seen_quadrants(x[:1], num_seen)[..., 1].sum()
        assert found[f"nll_{num_seen}_seen"] == pytest.approx(area, rel=1e-5)
        assert found[f"nll_by_prior_{num_seen}_seen"] == pytest.approx(area + 1, rel=1e-5)


@pytest.mark.parametrize("pairs", [None, "labels"])
def test_samples_are_seen_by_the_classifier(tmp_path, monkeypatch, pairs):
    class Classifier:
        def features(self, x):
            return x.reshape(len(x), -1)[:, :2]

        def predict(self, x, **kwargs):
            return np.eye(10)[np.round(x[:, 0, 0, 0] * 9).astype(int)]

    class Model:
        def sample(self, num_samples, seed, condition=None):
            # Every tenth is taken for another label than its own.
            labels = np.arange(num_samples) % 10 if condition is None else condition
            shown = np.where(np.arange(num_samples) % 20 == 3, 5, labels)
            return np.broadcast_to((shown / 9)[:, None, None, None], (num_samples, 2, 2, 1))

    monkeypatch.setattr(module, "NUM_SAMPLES", 40)
    monkeypatch.setattr(module, "from_preset", lambda name: Classifier())
    test = Arrays(np.random.default_rng(0).random((30, 2, 2, 1)).astype("float32"))
    found = further_measures(Model(), asking(tmp_path, "samples", pairs=pairs), test)
    features = [Classifier().features(x) for x in (Model().sample(40, 0), test.x)]
    distance = module.evaluation.frechet_distance(*features)
    assert found.pop("classifier_frechet_distance") == distance
    assert found == ({} if pairs is None else {"samples_classified_as_their_label": 0.95})


def test_reconstructions_are_compared_as_they_are_seen(tmp_path, monkeypatch):
    class Classifier:
        def features(self, x):
            return x.reshape(len(x), -1)[:, :2]

    class Model:
        def reconstruct(self, x):
            return 2 * x - 1.5  # from -1.5 to 0.5, and seen from 0 on

    names = []
    monkeypatch.setattr(module, "from_preset", lambda name: names.append(name) or Classifier())
    x = np.random.default_rng(0).random((30, 3, 2, 3)).astype("float32")
    recipe = asking(tmp_path, "reconstructions", classifier='"of_pictures"')
    found = further_measures(Model(), recipe, Arrays(x))
    y = np.maximum(2 * x - 1.5, 0)
    features = [Classifier().features(pictures) for pictures in (y, x)]
    assert names == ["of_pictures"]
    assert found.pop("reconstructions_frechet_distance_in_of_pictures") == (
        module.evaluation.frechet_distance(*features)
    )
    down = [np.abs(a[:, 1:] - a[:, :-1]).mean() for a in (y, x)]
    across = [np.abs(a[:, :, 1:] - a[:, :, :-1]).mean() for a in (y, x)]
    by_hand = (down[0] + across[0]) / (down[1] + across[1])
    assert found == {"reconstructions_steepness": pytest.approx(by_hand, rel=1e-5)}


def test_samples_are_recognised_where_one_class_is_likely(tmp_path, monkeypatch):
    probabilities = np.full((8, 10), 0.01)
    probabilities[[0, 1, 2, 3, 4, 5], [3, 3, 3, 7, 7, 1]] = 0.91
    probabilities[6, 5], probabilities[7, 2] = 0.9, 0.5  # not above 0.9

    class Classifier:
        def predict(self, x, **kwargs):
            return probabilities[np.asarray(x, int)]

    class Model:
        def sample(self, num_samples, seed):
            return np.arange(num_samples)

    monkeypatch.setattr(module, "NUM_RECOGNISED", 8)
    monkeypatch.setattr(module, "from_preset", lambda name: Classifier())
    found = further_measures(Model(), asking(tmp_path, "recognition"), None)
    assert found == {"samples_recognised": 0.75, "classes_recognised": 3, "num_classes": 10}


def test_other_formats_of_the_same_pictures(tmp_path):
    pytest.importorskip("PIL")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, size=(8, 16, 16, 3)) / 255
    recipe = asking(tmp_path, "formats")
    check_measures(recipe)
    of_noise = further_measures(None, recipe, Arrays(noise.astype("float32")))
    of_grey = further_measures(None, recipe, Arrays(np.full_like(noise, 0.5, "float32")))
    assert of_noise.keys() == of_grey.keys() == {"png_bits_per_dim", "webp_bits_per_dim"}
    assert all(8 < bits < 9 for bits in of_noise.values())  # what is random cannot be packed
    assert all(bits < 0.2 for bits in of_grey.values())
