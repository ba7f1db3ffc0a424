import dataclasses

import keras
import pytest
from families import BY_NAME

from keras_vae import LinearAnnealing
from keras_vae import Term


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("argument", ["train", "evaluate"])
@pytest.mark.parametrize("weight", [-1.0, float("nan"), "heavy", None, True])
def test_weights_are_numbers_of_at_least_0_or_schedules(argument, weight):
    with pytest.raises(ValueError, match=f"`{argument}`.*at least 0"):
        Term(**{argument: weight})


def test_directions_are_two():
    with pytest.raises(ValueError, match=r"`direction`.*one of 'min', 'max'.*'up'"):
        Term(direction="up")


def test_a_weight_of_0_teaches_nothing_and_a_schedule_does():
    assert Term().teaches
    assert Term(train=LinearAnnealing(10)).teaches  # though it begins at 0
    assert not Term(train=0.0).teaches


def test_a_term_is_a_value():
    assert Term() == Term(1.0, 0.0, "main")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Term().train = 2.0


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("monitor", "mode"), [("val_elbo", "max"), ("elbo", "max"), ("val_kl", "min"), ("loss", "auto")]
)
def test_fit_tells_callbacks_which_direction_is_better(monitor, mode, tmp_path):
    family = BY_NAME["vae"]
    callbacks = [
        keras.callbacks.EarlyStopping(monitor, patience=3),
        keras.callbacks.ReduceLROnPlateau(monitor, patience=3),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor, save_best_only=True),
    ]
    data = family.data()
    family.compiled().fit(data, validation_data=data, callbacks=callbacks, verbose=0)
    assert [callback.mode for callback in callbacks] == [mode] * 3


def test_a_mode_that_is_given_stays():
    stopping = keras.callbacks.EarlyStopping("val_elbo", mode="min")
    family = BY_NAME["vae"]
    family.compiled().fit(
        family.data(), validation_data=family.data(), callbacks=stopping, verbose=0
    )
    assert stopping.mode == "min"


def test_the_best_elbo_is_the_largest():
    family = BY_NAME["vae"]
    model, data = family.compiled(keras.optimizers.SGD(0.0)), family.data()
    stopping = keras.callbacks.EarlyStopping("val_elbo", patience=1)
    model.fit(data, validation_data=data, callbacks=stopping, verbose=0)
    stopping.on_epoch_end(1, {"val_elbo": -1.0})
    assert stopping.best == -1.0
    stopping.on_epoch_end(2, {"val_elbo": -2.0})
    assert stopping.best == -1.0


@pytest.mark.parametrize("metric", [keras.metrics.Mean(), "mean", 3])
def test_metrics_are_made_of_a_class_or_function(metric):
    with pytest.raises(ValueError, match=r"`metric`.*class"):
        Term(metric=metric)


def test_groups_are_names():
    with pytest.raises(ValueError, match=r"`group`.*attribute"):
        Term(group=3)
