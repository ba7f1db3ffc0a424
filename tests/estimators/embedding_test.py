import keras
import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from keras_vae.estimators import Embedding

pytestmark = pytest.mark.compiled_once

QUICK = {"num_updates": 2, "hidden_units": (8,), "latent_dim": 2, "random_state": 0}
RNG = np.random.default_rng(0)


@pytest.mark.skipif(keras.config.backend() != "torch", reason="compiles a model for every check")
@pytest.mark.slow
@parametrize_with_checks([Embedding(**QUICK)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_groups_of_rows_lie_apart():
    group = np.repeat([0, 1], 100)
    rows = 4.0 * group[:, None] + RNG.normal(size=(200, 6))
    points = Embedding(num_updates=300, latent_dim=2, random_state=0).fit_transform(rows)
    assert points.shape == (200, 2)
    first, second = points[group == 0], points[group == 1]
    distance = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert distance > 2 * np.linalg.norm(first.std(axis=0))


def test_names_of_the_features():
    fitted = Embedding(**QUICK).fit(RNG.normal(size=(20, 3)))
    assert list(fitted.get_feature_names_out()) == ["embedding0", "embedding1"]


def test_later_rows_compile_nothing(monkeypatch):
    fitted = Embedding(**QUICK).fit(RNG.normal(size=(20, 3)))
    compiled, jitted = [], fitted.model_.jitted
    monkeypatch.setattr(fitted.model_, "jitted", lambda f: compiled.append(f) or jitted(f))
    first, second = (fitted.transform(rows) for rows in np.split(RNG.normal(size=(16, 3)), 2))
    assert len(compiled) == 1
    assert first.shape == second.shape == (8, 2)
