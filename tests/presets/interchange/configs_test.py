import pytest

from keras_vae.presets.interchange import configs

pytestmark = pytest.mark.one_backend
DEFAULTS = {"channels": 3, "filters": [64], "is_on": True, "shift": None}


def test_settings_are_theirs_or_their_defaults():
    config = {"_class_name": "A", "_version": 1, "channels": 4, "size": 9, "act": "silu"}
    found = configs.settings(config, DEFAULTS, {"act": "silu"}, ("size",))
    assert found == DEFAULTS | {"channels": 4}


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"act": "relu"}, "`act`. Expected: 'silu'. Received: 'relu'"),
        ({"other": 1}, "`other`. It is not known here"),
        ({"channels": "3"}, "`channels` must be a number"),
        ({"filters": 3}, "`filters` must be a list"),
        ({"is_on": 1}, "`is_on` must be true or false"),
    ],
)
def test_settings_that_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        configs.settings({"_class_name": "A", **setting}, DEFAULTS, {"act": "silu"}, ())


def test_one_of_several_values_may_be_allowed():
    for value in ("group", None):
        configs.settings({"_class_name": "A", "norm": value}, {}, {"norm": ("group", None)}, ())


def test_stages_and_ranges():
    config = {"_class_name": "A", "types": ["Down", "Up"]}
    configs.check_blocks(config, "others", "Down", 2)
    with pytest.raises(ValueError, match="`types` with 2 of 'Down'"):
        configs.check_blocks(config, "types", "Down", 2)
    configs.check_range([0, 1], (0.0, 1.0), "A")
    with pytest.raises(ValueError, match=r"value_range=\(0.0, 1.0\)"):
        configs.check_range(None, (0.0, 1.0), "A")
