import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import VAE
from keras_vae import LearnedSigmaGaussianLikelihood
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae.models.saving.named_weights import arrays_of
from keras_vae.models.saving.named_weights import assign_all
from keras_vae.models.saving.named_weights import named_variables


def make():
    """A model of networks whose layers nobody named, and a likelihood with a weight."""
    x, z = keras.Input((4,)), keras.Input((2,))
    hidden = keras.layers.Dense(3)(keras.layers.Dense(3)(x))
    encoder = keras.Model(x, [keras.layers.Dense(2)(hidden), keras.layers.Dense(2)(hidden)])
    decoder = keras.Sequential([z, keras.layers.Dense(3), keras.layers.Dense(4)])
    return VAE(encoder, decoder, LearnedSigmaGaussianLikelihood(), seed=0)


def test_names_by_hand():
    model = VAE(MLPEncoder((4,), 2, (3,)), MLPDecoder((4,), 2, (3,)), name="my_model")
    expected = ["encoder/dense/kernel", "encoder/dense/bias"]
    expected += [
        f"encoder/{head}/{v}" for head in ("z_mean", "z_log_var") for v in ("kernel", "bias")
    ]
    names = list(named_variables(model))
    assert names[:6] == expected
    assert all(name.startswith("decoder/") for name in names[6:])


def test_names_do_not_depend_on_what_was_built_before():
    names = list(named_variables(make()))
    for _ in range(3):
        keras.layers.Dense(1)
        keras.Sequential([keras.layers.Dense(1)])
    again = make()
    assert list(named_variables(again)) == names
    assert again.encoder.layers[1].name != "dense"  # Keras did count on
    assert names[:4] == [f"encoder/dense{i}/{v}" for i in ("", "_1") for v in ("kernel", "bias")]
    assert names[-1] == "likelihood/log_sigma"


def test_a_name_says_where_the_variable_is():
    model = make()
    named = named_variables(model)
    assert len(named) == len(model.weights) - len(model.noise.weights)
    assert named["encoder/dense_2/bias"] is model.encoder.weights[5]
    assert named["likelihood/log_sigma"] is model.likelihood.log_sigma


def test_two_weights_of_one_name_are_refused():
    class Twins(keras.layers.Layer):
        def build(self, input_shape):
            self.a = self.add_weight(name="w", shape=(2,))
            self.b = self.add_weight(name="w", shape=(2,))

        def call(self, x):
            return x + self.a + self.b

    x, z = keras.Input((2,)), keras.Input((2,))
    model = VAE(keras.Model(x, [Twins()(x), x]), keras.Model(z, keras.layers.Dense(2)(z)))
    with pytest.raises(ValueError, match=r"Two weights.*'encoder/twins/w'"):
        named_variables(model)


def test_arrays_of_one_model_make_another_the_same():
    keras.utils.set_random_seed(1)
    first = make()
    keras.utils.set_random_seed(2)
    second = make()
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    assert not np.allclose(first.predict(x, verbose=0), second.predict(x, verbose=0))
    assign_all(second, arrays_of(first), "the first")
    np.testing.assert_array_equal(first.predict(x, verbose=0), second.predict(x, verbose=0))


def test_half_precision_is_widened():
    keras.config.set_dtype_policy("float16")
    model = make()
    arrays = arrays_of(model)
    assert {str(a.dtype) for a in arrays.values()} == {"float32"}
    expected = ops.convert_to_numpy(model.encoder.weights[0])
    np.testing.assert_array_equal(arrays["encoder/dense/kernel"], expected)


def changed(arrays, **changes):
    return {**arrays, **{k.replace("__", "/"): v for k, v in changes.items()}}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "change, message",
    [
        (lambda a: changed(a, decoder__more=np.zeros(1, "float32")), "Unknown: .'decoder/more'"),
        (lambda a: {k: a[k] for k in list(a)[:-1]}, "Missing: .'likelihood/log_sigma'"),
        (lambda a: changed(a, likelihood__log_sigma=np.zeros(1, "float32")), "has shape"),
        (lambda a: changed(a, likelihood__log_sigma=np.array(0)), "expected floating point"),
        (lambda a: changed(a, likelihood__log_sigma=np.float32(np.inf)), "not finite"),
    ],
    ids=["unknown", "missing", "shape", "dtype", "infinite"],
)
def test_all_or_nothing(change, message):
    """What is wrong lies in the last tensor: the first must not have been assigned."""
    model = make()
    before = arrays_of(model)
    tensors = change({k: np.asarray(v + 1, "float32") for k, v in before.items()})
    with pytest.raises(ValueError, match=message) as error:
        assign_all(model, tensors, "the file")
    assert "the file" in str(error.value)
    assert "Nothing was assigned" in str(error.value)
    for name, array in arrays_of(model).items():
        np.testing.assert_array_equal(array, before[name])
