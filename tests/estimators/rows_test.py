import numpy as np
import pytest
from families import BY_NAME

pytest.importorskip("sklearn")

from keras_vae.estimators.rows import fit_updates
from keras_vae.estimators.rows import moved_together


def test_far_numbers_keep_their_order_and_the_density_its_mass():
    z = np.linspace(-60, 60, 240_001)[:, None]
    moved, log_density = moved_together(z)
    near = np.abs(z[:, 0]) <= 10
    np.testing.assert_allclose(moved[near], z[near].astype("float32"))
    assert (np.diff(moved[:, 0]) >= 0).all()
    slope = np.gradient(moved[:, 0].astype("float64"), z[:, 0])
    np.testing.assert_allclose(np.exp(log_density)[::1000], slope[::1000], atol=0.02)


def test_no_number_is_too_large():
    moved, log_density = moved_together(np.array([[1e300, np.nan], [-1e300, 0.0]]))
    assert np.isfinite(log_density).all()
    assert moved[0, 0] == -moved[1, 0]
    assert np.isnan(moved[0, 1])


def test_training_makes_whole_epochs_of_at_least_the_updates():
    family = BY_NAME["vae"]
    model = fit_updates(family.model(), family.data(), 5, batch_size=4, learning_rate=1e-3)
    assert int(model.optimizer.iterations) == 6  # of 8 examples
