import numpy as np
import pytest
from keras import ops

from keras_vae import likelihoods


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_begins_with_equal_probabilities():
    likelihood = likelihoods.OrdinalLikelihood(5)
    np.testing.assert_allclose(numpy(likelihood(np.zeros((2, 3))).probs), 0.2, rtol=1e-5)


def test_thresholds_rise_whatever_the_weights():
    likelihood = likelihoods.OrdinalLikelihood(4)
    likelihood.build((None, 2))
    likelihood.thresholds.assign([[5.0, -1e4, 1e4], [0.0, 0.0, 0.0]])
    distribution = likelihood(np.zeros((1, 2)))
    assert (np.diff(numpy(distribution.thresholds), axis=-1) >= 0).all()
    assert np.isfinite(numpy(distribution.log_prob([[3, 2]]))).all()


def test_point_is_the_median():
    likelihood = likelihoods.OrdinalLikelihood(3)
    assert numpy(likelihood.point(likelihood(np.array([[-9.0, 0.0, 9.0]])))).tolist() == [[0, 1, 2]]


@pytest.mark.one_backend
def test_data_and_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="integers from 0 to 2"):
        likelihoods.OrdinalLikelihood(3).check(np.array([[3.0]]))
    with pytest.raises(ValueError, match=r"`num_classes`.*at least 2"):
        likelihoods.OrdinalLikelihood(1)
