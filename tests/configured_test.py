import pytest

from keras_vae.configured import check_configured
from keras_vae.quantizers import EMAUpdate
from keras_vae.quantizers import GradientEstimator
from keras_vae.quantizers import RotationTrick
from keras_vae.quantizers import StraightThrough


def test_config_round_trip():
    assert StraightThrough.from_config(StraightThrough().get_config()).get_config() == {}
    config = {"decay": 0.5, "epsilon": 0.1}
    assert EMAUpdate.from_config(config).get_config() == config


def test_objects_of_the_kind_are_taken_and_none_means_the_default():
    given = RotationTrick()
    assert check_configured("gradient", given, GradientEstimator, StraightThrough) is given
    default = check_configured("gradient", None, GradientEstimator, StraightThrough)
    assert type(default) is StraightThrough


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("wrong", ["rotation", RotationTrick, False, EMAUpdate()])
def test_anything_else_is_not(wrong):
    message = r"`gradient` must be a GradientEstimator, such as StraightThrough\(\). Received: "
    with pytest.raises(ValueError, match=message):
        check_configured("gradient", wrong, GradientEstimator, StraightThrough)
