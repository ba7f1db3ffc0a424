import keras
import pytest

import keras_vae
from keras_vae.models.base.subclass_checks import check_objective
from keras_vae.models.base.subclass_checks import check_overridden
from keras_vae.models.base.subclass_checks import has_own_step

pytestmark = pytest.mark.one_backend


def made(**methods):
    kind = type("Own", (keras_vae.VAE,), methods)
    return kind(keras_vae.MLPEncoder((4,), 2), keras_vae.MLPDecoder((4,), 2), seed=0)


def test_an_objective_is_a_dict_of_terms():
    with pytest.raises(ValueError, match=r"`objective` of Own must be a dict.*'kl': 1.0"):
        made(objective=lambda self: {"kl": 1.0})


def test_a_switch_names_a_group():
    model = made()
    model.switches = lambda: {"critic": 1.0}
    with pytest.raises(ValueError, match=r"`switches`.*\['critic'\].*\['main'\]"):
        check_objective(model)


@pytest.mark.parametrize("name", ["compute_loss", "compute_metrics"])
def test_what_only_keras_own_step_calls_is_of_no_use_without_one(name):
    with pytest.raises(TypeError, match=f"overrides `{name}`"):
        check_overridden(made(**{name: lambda self, *args: None}))
    own = made(**{name: lambda self, *args: None, "train_step": keras.Model.train_step})
    assert has_own_step(own)
    check_overridden(own)
