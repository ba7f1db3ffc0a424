import keras

from keras_vae.steps.clock import Clock


def test_it_holds_a_number_until_it_is_reset_and_logs_nothing():
    clock = Clock()
    clock.update_state(7)
    assert int(keras.ops.convert_to_numpy(clock.updates)) == 7
    assert clock.result() == {}
    clock.reset_state()
    assert int(keras.ops.convert_to_numpy(clock.updates)) == 0
