import keras
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from keras_vae.estimators import OutlierDetector
from keras_vae.table_schema import Column
from keras_vae.table_schema import TableSchema

pytestmark = pytest.mark.compiled_once

QUICK = {"num_updates": 2, "hidden_units": (8,), "num_samples": 4, "random_state": 0}
FAILURES = {
    "check_methods_sample_order_invariance": "a relative 1e-7 is asked for, and the last bit of a "
    "float32 product may depend on the place of a row in its batch",
}
RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(300, 5))


def detector(**options):
    return OutlierDetector(**{**QUICK, "num_updates": 300, "hidden_units": (16,), **options})


@pytest.mark.skipif(keras.config.backend() != "torch", reason="compiles a model for every check")
@pytest.mark.slow
@parametrize_with_checks([OutlierDetector(**QUICK)], expected_failed_checks=lambda _: FAILURES)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.one_backend
def test_what_breaks_the_pattern_is_found_though_each_value_is_usual():
    rng = np.random.default_rng(3)
    shuffled = np.stack([rng.permutation(column) for column in NORMAL.T], axis=1)
    fitted = detector(num_updates=1500).fit(NORMAL[:200])
    scores = fitted.score_samples(np.concatenate([NORMAL[200:], shuffled[:100]]))
    assert roc_auc_score([1] * 100 + [0] * 100, scores) > 0.8


def test_contamination_is_the_share_of_the_training_data_below_the_threshold():
    fitted = detector(contamination=0.2).fit(NORMAL)
    assert np.mean(fitted.predict(NORMAL) == -1) == pytest.approx(0.2, abs=0.01)
    scores = fitted.score_samples(NORMAL)
    np.testing.assert_allclose(fitted.decision_function(NORMAL), scores - fitted.threshold_)


def test_extreme_rows_have_finite_and_ordered_scores():
    fitted = detector().fit(NORMAL)
    rows = np.zeros((6, 5))
    rows[:, 2] = [1e1, 1e3, 1e10, 1e40, 1e150, 1e300]
    scores = fitted.score_samples(rows)
    assert np.isfinite(scores).all()
    assert (np.diff(scores) < 0).all()


def test_a_row_is_scored_alike_in_any_company():
    fitted = detector().fit(NORMAL)
    together = fitted.score_samples(NORMAL[:20])
    np.testing.assert_allclose(fitted.score_samples(NORMAL[7:8]), together[7:8], rtol=1e-4)
    np.testing.assert_array_equal(fitted.score_samples(NORMAL[:20]), together)


def test_gaps_are_left_out_of_the_score():
    fitted = detector().fit(NORMAL)
    rows = NORMAL[:3].copy()
    rows[1, 2] = np.nan
    assert np.isfinite(fitted.score_samples(rows)).all()


def test_the_feature_that_is_odd_scores_lowest():
    fitted = detector().fit(NORMAL)
    rows = NORMAL[:3].copy()
    rows[0, 2] += 3 * NORMAL[:, 2].std()
    rows[1, 4], rows[2, 1] = -1e30, np.nan
    found = fitted.score_per_feature(rows)
    assert found.shape == (3, 5)
    assert np.isfinite(found).all()
    assert found[0].argmin() == 2
    assert found[2, 1] == 0.0


def test_scores_of_features_include_that_far_numbers_were_moved():
    fitted = detector(num_models=2).fit(NORMAL)
    far = np.tile(NORMAL[:1], (2, 1))
    far[:, 0] = 1e100, 1e200
    x, log_density = fitted._rows(far)
    of_models = [m.score_per_feature(x, num_samples=4) for m in fitted.models_]
    found = fitted.score_per_feature(far)
    np.testing.assert_allclose(found, np.mean(of_models, axis=0) + log_density)
    assert found[1, 0] < found[0, 0] - 200  # log f' falls by log 1e100


@pytest.mark.one_backend
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_of_any_library(library):
    frames = pytest.importorskip(library)
    city = RNG.choice(["Bonn", "Ulm"], 200)
    height = np.where(city == "Bonn", 1.0, 9.0) + 0.1 * RNG.normal(size=200)
    fitted = detector().fit(frames.DataFrame({"city": city, "height": height}))
    odd = frames.DataFrame({"city": ["Bonn", "Bonn"], "height": [1.0, 9.0]})
    usual, unusual = fitted.score_samples(odd)
    assert unusual < usual


@pytest.mark.one_backend
def test_pictures():
    pictures = np.zeros((32, 8, 8, 1), "float32")
    pictures[:, 2:6, 2:6] = 1.0
    pictures += 0.05 * RNG.normal(size=pictures.shape)
    fitted = OutlierDetector(num_updates=30, latent_dim=2, num_samples=4, random_state=0)
    fitted.fit(pictures)
    odd = pictures[:2].copy()
    odd[1] = 1.0 - odd[1]
    usual, unusual = fitted.score_samples(odd)
    assert unusual < usual
    assert fitted.score_per_feature(odd).shape == odd.shape
    with pytest.raises(ValueError, match=r"fitted on pictures.*Received: shape \(300, 5\)"):
        fitted.score_samples(NORMAL)
    with pytest.raises(ValueError, match=r"fitted on rows.*Received: shape \(32, 8, 8, 1\)"):
        detector(num_updates=2).fit(NORMAL).predict(pictures)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden_units": (16,)}, r"hidden_units=\(16,\), and X"),
        ({"min_sigma": 0.1}, r"min_sigma=0\.1, and X"),
        ({"degrees_of_freedom": 4, "hidden_units": [128, 64]}, r"Received: degrees_of_freedom=4,"),
        ({"schema": TableSchema([Column("rent", "real")])}, r"schema=TableSchema"),
        ({"min_sigma": 0.1, "degrees_of_freedom": 4}, r"min_sigma=0\.1, degrees_of_freedom=4, and"),
    ],
)
def test_pictures_refuse_arguments_that_are_only_for_rows(options, words):
    with pytest.raises(ValueError, match=rf"only for rows.*{words}.*shape \(4, 8, 8, 1\)"):
        OutlierDetector(num_updates=1, **options).fit(np.zeros((4, 8, 8, 1)))


@pytest.mark.one_backend
def test_a_share_that_cannot_be():
    with pytest.raises(ValueError, match=r"`contamination`.*0\.7"):
        detector(contamination=0.7).fit(NORMAL)
