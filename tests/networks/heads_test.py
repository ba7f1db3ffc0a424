import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.networks import heads


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def test_heads_are_dense_layers_on_the_features():
    features = keras.Input((3,))
    for num_outputs, names in ((1, ["z"]), (2, ["z_mean", "z_log_var"])):
        outputs = heads.dense_heads(features, 2, num_outputs)
        model = keras.Model(features, outputs)
        kernels = [draw(3, 2, seed=i) for i in range(num_outputs)]
        for name, kernel in zip(names, kernels, strict=True):
            model.get_layer(name).set_weights([kernel, np.ones(2)])
        x = draw(4, 3)
        for y, kernel in zip(keras.tree.flatten(model(x)), kernels, strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(y), x @ kernel + 1, rtol=1e-5)


def test_head_of_maps_is_a_matrix_at_every_pixel():
    x = keras.Input((2, 3, 4))
    model = keras.Model(x, heads.map_heads(x, 5, num_outputs=1))
    kernel, data = draw(4, 5), draw(2, 2, 3, 4, seed=1)
    model.get_layer("z").set_weights([kernel.reshape(1, 1, 4, 5), np.ones(5)])
    y = ops.convert_to_numpy(model(data))
    np.testing.assert_allclose(y, data @ kernel + 1, rtol=1e-4, atol=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(7,), (64, 2), (3, 2, 1), (2, 3, 2, 1)])
def test_dense_output_has_any_shape_and_a_bias_for_each_number(shape):
    x = keras.Input((4,))
    model = keras.Model(x, heads.dense_output(x, shape, num_parameters=3))
    assert model.output_shape == (None, *shape[:-1], 3 * shape[-1])
    biases = [v.shape for v in model.variables if v.path.endswith("bias")]
    assert biases == [model.output_shape[1:]]


def test_doubled_output_is_cut_to_the_size_of_the_picture():
    x = keras.Input((2, 2, 3))
    model = keras.Model(x, heads.doubled_output(x, (4, 3, 2), num_parameters=2, kernel_size=3))
    assert model.output_shape == (None, 4, 3, 4)
    assert [v.path for v in model.variables] == ["output/conv/kernel", "output_bias/bias"]


@pytest.mark.parametrize("scale", [1.0, 1e-4], ids=["usual", "nearly_constant"])
def test_normalised_means_have_the_spread_that_they_are_given(scale):
    features = keras.Input((3,))
    model = keras.Model(features, heads.dense_heads(features, 2, 2, mean_std=0.5))
    # A bias would otherwise turn the mean of 5 into a shift of all z, and the KL term would make
    # the means so small that they are not normalised.
    x = scale * (draw(400, 3) + 5.0)
    mean, _ = model(x, training=True)
    mean = ops.convert_to_numpy(mean)
    np.testing.assert_allclose(mean.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(mean.std(axis=0), 0.5, rtol=1e-3)
    # KL of N(mean, var) averages to at least D 0.5^2 / 2 over the data, with equality at var = 1.
    np.testing.assert_allclose(0.5 * np.square(mean).sum(axis=1).mean(), 2 * 0.125, rtol=1e-3)


def normalizing():
    features = keras.Input((3,))
    model = keras.Model(features, heads.dense_heads(features, 2, 1, mean_std=0.5))
    model.compile(keras.optimizers.SGD(0.0), loss="mse")
    return model


def averages(model):
    return [w.copy() for w in model.get_layer("z_mean_normalized").get_weights()]


@pytest.mark.parametrize("jit_compile", [False, True], ids=["plain", "compiled"])
def test_a_last_batch_of_one_example_leaves_the_averages_as_they_are(jit_compile):
    if jit_compile and keras.config.backend() == "torch":
        pytest.skip("PyTorch runs operation by operation")
    x, y = draw(9, 3) + 5.0, np.zeros((9, 2), "float32")
    first, whole = normalizing(), normalizing()
    whole.set_weights(first.get_weights())
    for model, rows in ((first, 8), (whole, 9)):
        model.compile(keras.optimizers.SGD(0.0), loss="mse", jit_compile=jit_compile)
        model.fit(x[:rows], y[:rows], batch_size=4, shuffle=False, verbose=0)
    for after, before in zip(averages(whole), averages(first), strict=True):
        np.testing.assert_array_equal(after, before)
    assert (averages(first)[1] != 1).all()  # where they began


def test_several_examples_move_the_averages_by_a_tenth_whatever_is_known_of_their_number():
    model, x = normalizing(), draw(6, 3) + 5.0
    model(x, training=True)
    kernel, bias = model.get_layer("z").get_weights()
    z = x @ kernel + bias
    expected = [0.1 * z.mean(axis=0), 0.9 + 0.1 * z.var(axis=0)]
    for got, value in zip(averages(model), expected, strict=True):
        np.testing.assert_allclose(got, value, rtol=1e-4)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        again = normalizing()
        again.get_layer("z").set_weights([kernel, bias])
        signature = [tf.TensorSpec((None, 3))]
        step = tf.function(lambda x: again(x, training=True), input_signature=signature)
        for rows in (x, x[:1]):
            step(rows)
            for got, value in zip(averages(again), expected, strict=True):
                np.testing.assert_allclose(got, value, rtol=1e-4)


def test_a_model_of_the_layers_up_to_the_means_can_be_saved(tmp_path):
    model = normalizing()
    model.save(tmp_path / "means.keras")
    again = keras.models.load_model(tmp_path / "means.keras")
    x = draw(4, 3)
    np.testing.assert_array_equal(*(ops.convert_to_numpy(m(x)) for m in (model, again)))


def test_examples_that_are_alike_are_normalised_to_numbers():
    model = normalizing()
    for seed in range(20):  # of which some make a variance that rounding puts below 0
        x = np.repeat(100 * draw(1, 3, seed=seed), 3, axis=0)
        assert np.isfinite(ops.convert_to_numpy(model(x, training=True))).all()
