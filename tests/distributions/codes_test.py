import keras
import numpy as np
import pytest

from keras_vae.distributions import BinaryCodes
from keras_vae.distributions import CategoricalCodes
from keras_vae.distributions import OneHotCategorical
from keras_vae.distributions import RelaxableBernoulli


def test_kinds_of_codes():
    logits = np.zeros((2, 6))
    categorical = CategoricalCodes(3)(logits)
    assert isinstance(categorical, OneHotCategorical)
    assert categorical.indices.shape == (2, 2)
    assert isinstance(BinaryCodes()(logits), RelaxableBernoulli)
    assert BinaryCodes()(logits[0], batch_ndims=0).batch_ndims == 0


def test_config_round_trip():
    for codes in (CategoricalCodes(np.int64(5)), BinaryCodes()):
        config = keras.saving.serialize_keras_object(codes)
        again = keras.saving.deserialize_keras_object(config)
        assert type(again) is type(codes)
        assert again.get_config() == codes.get_config()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_classes", [1, 0, 2.0, True, None])
def test_number_of_classes_is_checked(num_classes):
    with pytest.raises(ValueError, match=r"`num_classes`.*at least 2"):
        CategoricalCodes(num_classes)
