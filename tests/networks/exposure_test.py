import numpy as np
from keras import ops

import keras_vae


def small_cvae(**options):
    return keras_vae.CVAE(
        keras_vae.MLPEncoder((5,), 2, (8,), condition_shape=(1,)),
        keras_vae.ExposureDecoder((5,), 2, (8,)),
        keras_vae.ArrayCondition((1,)),
        keras_vae.PoissonLikelihood(),
        seed=0,
        **options,
    )


def test_twice_the_exposure_doubles_the_rates():
    model, z = small_cvae(), np.ones((1, 2))
    once, twice = (
        ops.convert_to_numpy(model.decode(z, np.log([[exposure]])).mean) for exposure in (3.0, 6.0)
    )
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-5)


def test_trains_and_loads_from_a_preset(tmp_path):
    rng = np.random.default_rng(0)
    exposure = rng.uniform(1, 10, (32, 1))
    counts = rng.poisson(exposure * np.ones(5)).astype("float32")
    model = small_cvae()
    model.compile()
    losses = model.fit(counts, np.log(exposure), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save_to_preset(tmp_path)
    loaded = keras_vae.CVAE.from_preset(tmp_path)
    draws = loaded.sample(4, np.log([2.0]), seed=0)
    np.testing.assert_array_equal(draws, model.sample(4, np.log([2.0]), seed=0))
