import keras
import numpy as np
import pytest
from families import BY_NAME

import keras_vae


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", ["vae", "pixel_cnn", "classifier"])
def test_it_finds_the_class(name, tmp_path):
    model = BY_NAME[name].model()
    model.save_to_preset(tmp_path)
    again = keras_vae.from_preset(tmp_path)
    assert type(again) is type(model)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_is_no_model_of_this_library_is_refused(tmp_path):
    network = keras_vae.MLPEncoder((4,), 2)
    keras_vae.presets.write_preset(
        tmp_path,
        keras.saving.serialize_keras_object(network),
        {"kernel": np.zeros((1,), "float32")},
    )
    with pytest.raises(ValueError, match="MLPEncoder, not a GenerativeModel"):
        keras_vae.from_preset(tmp_path)


def test_an_unknown_name():
    with pytest.raises(ValueError, match="no/such/preset"):
        keras_vae.from_preset("no/such/preset")
