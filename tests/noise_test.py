import keras
import numpy as np
import pytest

from keras_vae.noise import MAX_SEED
from keras_vae.noise import NoiseSource
from keras_vae.noise import check_seed
from keras_vae.noise import child_seed
from keras_vae.noise import seed_of_part


def draw(noise, training):
    values = keras.random.normal((1000,), seed=noise.stream(training))
    return keras.ops.convert_to_numpy(values)


def test_streams_are_independent_and_follow_from_the_seed():
    first, second = NoiseSource(7), NoiseSource(7)
    np.testing.assert_array_equal(draw(first, True), draw(second, True))
    correlation = np.corrcoef(draw(first, True), draw(first, False))[0, 1]
    assert abs(correlation) < 0.15  # 4.7 standard errors of 1000 independent pairs


def test_neighbouring_seeds_give_no_lagged_copies():
    one, next_one = NoiseSource(41), NoiseSource(42)
    draws = [[draw(n, True) for _ in range(4)] for n in (one, next_one)]
    for a in draws[0]:
        for b in draws[1]:
            assert abs(np.corrcoef(a, b)[0, 1]) < 0.15


def test_child_seeds_are_fixed_for_ever_and_valid_everywhere():
    # A change of these numbers would change every published weight.
    assert child_seed(0, "training") == 386287928
    assert child_seed(0, "evaluation") == 292960429
    assert all(0 <= child_seed(s, "x") < MAX_SEED for s in range(1000))


def test_reset_gives_the_evaluation_noise_again_and_leaves_training_alone():
    noise = NoiseSource(0)
    first, trained = draw(noise, False), draw(noise, True)
    noise.reset_evaluation()
    np.testing.assert_array_equal(draw(noise, False), first)
    assert np.abs(draw(noise, True) - trained).max() > 0


def test_seeded_context_puts_the_stream_back():
    noise, plain = NoiseSource(0), NoiseSource(0)
    draw(noise, False), draw(plain, False)
    with noise.seeded(5):
        inside = draw(noise, False)
    with noise.seeded(5):
        np.testing.assert_array_equal(draw(noise, False), inside)
    np.testing.assert_array_equal(draw(noise, False), draw(plain, False))


def test_stream_is_put_back_after_an_error():
    noise, plain = NoiseSource(0), NoiseSource(0)
    with pytest.raises(RuntimeError), noise.seeded(5):
        raise RuntimeError
    np.testing.assert_array_equal(draw(noise, False), draw(plain, False))


def test_fresh_seeds_follow_keras_global_seed():
    keras.utils.set_random_seed(3)
    first = NoiseSource().seed
    keras.utils.set_random_seed(3)
    assert NoiseSource().seed == first
    assert NoiseSource().seed != first


def test_state_is_saved():
    noise, loaded, store = NoiseSource(0), NoiseSource(1), {}
    draw(noise, True)
    noise.save_own_variables(store)
    loaded.load_own_variables(store)
    np.testing.assert_array_equal(draw(noise, True), draw(loaded, True))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, "0", True])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=r"`seed`.*from 0 to 2147483647"):
        check_seed(seed)


def test_numpy_integers_are_seeds():
    assert check_seed(np.int64(5)) == 5
    assert type(check_seed(np.int64(5))) is int


def test_draws_with_one_integer_have_seeds_of_their_own():
    assert seed_of_part(3, "gamma") != seed_of_part(3, "zeros") != 3
    generator = keras.random.SeedGenerator(0)
    assert seed_of_part(generator, "gamma") is generator
