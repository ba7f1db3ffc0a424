import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.distributions import BinaryCodes
from keras_vae.distributions import CategoricalCodes
from keras_vae.priors import UniformCodes


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "codes, log_prob",
    [(CategoricalCodes(3), -2 * np.log(3)), (BinaryCodes(), -6 * np.log(2))],
    ids=["categorical", "binary"],
)
def test_every_code_is_as_probable(codes, log_prob):
    config = keras.saving.serialize_keras_object(UniformCodes(codes))
    prior = keras.saving.deserialize_keras_object(config)
    prior.build((6,))
    z = ops.convert_to_numpy(prior().sample(seed=0, num_samples=5000))
    np.testing.assert_allclose(ops.convert_to_numpy(prior().log_prob(z)), log_prob, rtol=1e-5)
    p = 1 / 3 if isinstance(codes, CategoricalCodes) else 1 / 2
    assert np.abs(z.mean(axis=0) - p).max() < 4 * np.sqrt(p * (1 - p) / 5000)
