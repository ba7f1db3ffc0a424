"""Every quantizer, and every promise of the base class over all of them."""

import functools

import gradients
import keras
import numpy as np
import pytest
from keras import ops
from quantizers import DIM
from quantizers import NUM_POSITIONS
from quantizers import QUANTIZERS
from quantizers import TinyAutoencoder
from quantizers import data
from workers import run_worker

from keras_vae.quantizers import EntropyConstrainedVectorQuantizer
from keras_vae.quantizers import GumbelQuantizer
from keras_vae.quantizers import LookupFreeQuantizer
from keras_vae.quantizers import ResidualQuantizer
from keras_vae.quantizers import VectorQuantizer
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.quantizers.quantizer import per_example
from keras_vae.quantizers.quantizer import rows_of

DRAWS = ("gumbel", "grouped_gumbel")  # training draws their codes
every_quantizer = pytest.mark.parametrize("name", QUANTIZERS)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@functools.cache
def starting_weights(name):
    """Weights of a quantizer whose codes have begun at the data."""
    keras.utils.set_random_seed(0)
    quantizer = QUANTIZERS[name]()
    run(quantizer, data(), training=True)
    return quantizer.get_weights()


def started(name):
    quantizer = QUANTIZERS[name]()
    quantizer.build(data().shape)
    quantizer.set_weights(starting_weights(name))
    return quantizer


def run(quantizer, z_e, **kwargs):
    return quantizer(z_e, seed=keras.random.SeedGenerator(0), **kwargs)


def assert_same(first, second, rtol=0.0):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(numpy(a), numpy(b), rtol=rtol, atol=rtol)


@pytest.mark.first_case_elsewhere
@every_quantizer
@pytest.mark.parametrize("shape", [(12,), (3, 4), (2, 3, 2)], ids=str)
def test_the_shapes_told_are_those_of_the_codes(name, shape):
    quantizer, z_e = started(name), data(shape=shape)
    told_of_all = quantizer(keras.KerasTensor(z_e.shape))
    for told, computed in zip(told_of_all, run(quantizer, z_e), strict=True):
        assert tuple(told.shape) == tuple(computed.shape)
        assert told.dtype == keras.backend.standardize_dtype(computed.dtype)


@pytest.mark.first_case_elsewhere
@every_quantizer
@pytest.mark.parametrize(
    ("shape", "masked", "training"),
    [((12,), False, True), ((3, 4), True, False), ((2, 3, 2), True, True)],
    ids=str,
)
def test_indices_and_codes_round_trip_exactly(name, shape, masked, training):
    quantizer, z_e = started(name), data(shape=shape)
    mask = np.random.default_rng(1).uniform(size=(6, *shape)) < 0.6 if masked else None
    z_q, indices, commitment, codebook = run(quantizer, z_e, mask=mask, training=training)
    quantizer.set_weights(starting_weights(name))  # a running mean may have moved on
    for given in (indices, numpy(indices).astype("int64")):
        np.testing.assert_array_equal(numpy(quantizer.embed(given)), numpy(z_q))
    assert tuple(z_q.shape) == z_e.shape
    assert tuple(indices.shape) == (6, *quantizer.indices_shape((*shape, DIM)))
    assert keras.backend.standardize_dtype(indices.dtype) == "int32"
    assert numpy(indices).min() >= (-1 if masked else 0)
    assert numpy(indices).max() < quantizer.num_embeddings
    assert tuple(commitment.shape) == tuple(codebook.shape) == (6,)


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_positions_may_lie_along_any_number_of_axes(name):
    quantizer, z_e = started(name), data()
    flat = run(quantizer, z_e)
    for shape in [(3, 4), (2, 3, 2)]:
        quantized = run(quantizer, z_e.reshape(6, *shape, DIM))
        np.testing.assert_array_equal(numpy(quantized.z_q).reshape(z_e.shape), numpy(flat.z_q))
        indices = numpy(quantized.indices).reshape(numpy(flat.indices).shape)
        np.testing.assert_array_equal(indices, numpy(flat.indices))
        assert_same(quantized[2:], flat[2:], rtol=1e-5)


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_what_a_mask_leaves_out_is_as_if_it_were_not_there(name):
    quantizer, z_e = started(name), data()
    mask = np.broadcast_to(np.arange(NUM_POSITIONS) < 7, (6, NUM_POSITIONS))
    masked, short = run(quantizer, z_e, mask=mask), run(quantizer, z_e[:, :7])
    assert_same((masked.z_q[:, :7], masked.indices[:, :7]), short[:2], rtol=1e-6)
    assert_same(masked[2:], short[2:], rtol=1e-5)
    assert not numpy(masked.z_q)[:, 7:].any()
    assert (numpy(masked.indices)[:, 7:] == -1).all()


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_what_a_mask_leaves_out_teaches_nothing(name):
    mask = np.broadcast_to(np.arange(NUM_POSITIONS) < 7, (6, NUM_POSITIONS))
    weights, gradient, after = data(1, seed=2)[0], [], []
    for filling in (0.0, np.nan):
        z_e = np.where(mask[..., None], data(), filling)

        def costs(z_e):
            quantized = run(started(name), z_e, mask=mask, training=True)
            of_z_q = per_example(ops.multiply(quantized.z_q, weights))
            return of_z_q + quantized.commitment + quantized.codebook

        gradient.append(gradients.value_and_gradients(costs, z_e)[1][0])
        quantizer = started(name)
        run(quantizer, z_e.astype("float32"), mask=mask, training=True)
        after.append(quantizer.get_weights())
    assert not gradient[0][:, 7:].any()
    assert gradient[0][:, :7].any()
    np.testing.assert_array_equal(*gradient)
    for a, b in zip(*after, strict=True):
        np.testing.assert_array_equal(a, b)


@every_quantizer
def test_training_and_evaluation_have_the_same_values(name):
    quantizer, z_e = started(name), data(seed=3)
    evaluated, trained = run(quantizer, z_e), run(quantizer, z_e, training=True)
    drawn = 2 if name in DRAWS else 0
    assert_same(evaluated[drawn:], trained[drawn:])


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_evaluation_moves_nothing(name):
    quantizer = started(name)
    before = quantizer.get_weights()
    run(quantizer, data(seed=3))
    for a, b in zip(quantizer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_costs_do_not_change_when_the_batch_is_duplicated(name):
    quantizer, z_e = started(name), data(seed=3)
    once, twice = run(quantizer, z_e), run(quantizer, np.concatenate([z_e, z_e]))
    assert_same([ops.concatenate([cost, cost]) for cost in once[2:]], twice[2:], rtol=1e-5)


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_no_policy_changes_an_index(name):
    quantizer, z_e = started(name), data(seed=3)
    keras.config.set_dtype_policy("mixed_bfloat16")
    again = QUANTIZERS[name]()
    again.build(z_e.shape)
    again.set_weights(quantizer.get_weights())
    quantized = run(again, z_e)
    assert_same(quantized, run(quantizer, z_e))
    for tensor in (quantized.z_q, *quantized[2:]):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"


@every_quantizer
def test_the_gradient_of_z_q_reaches_z_e(name):
    quantizer, weights = started(name), data(1, seed=2)[0]
    _, (gradient,) = gradients.value_and_gradients(
        lambda z_e: ops.multiply(run(quantizer, z_e, training=True).z_q, weights), data()
    )
    assert (np.abs(gradient).max(axis=-1) > 0).all()


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_config_round_trip(name):
    quantizer = QUANTIZERS[name]()
    config = keras.saving.serialize_keras_object(quantizer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(quantizer)
    assert keras.saving.serialize_keras_object(again) == config
    assert keras.saving.serialize_keras_object(quantizer) == config


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_shapes_are_known_before_there_are_data(name):
    quantizer = QUANTIZERS[name]()
    quantized = quantizer(keras.KerasTensor((None, 3, 4, DIM)))
    assert quantized.z_q.shape == (None, 3, 4, DIM)
    assert quantized.indices.shape == (None, *quantizer.indices_shape((3, 4, DIM)))
    assert quantized.commitment.shape == quantized.codebook.shape == (None,)
    assert all(part.built for part in quantizer._flatten_layers())


TRAINED = {
    **QUANTIZERS,
    "dropped_residual": lambda: ResidualQuantizer([VectorQuantizer(5), VectorQuantizer(5)], 0.5),
}


def trained(name, **kwargs):
    keras.utils.set_random_seed(0)
    model = TinyAutoencoder(TRAINED[name](), seed=0)
    model.compile(keras.optimizers.SGD(1e-2), **kwargs)
    history = model.fit(data(), batch_size=6, epochs=3, verbose=0)
    return model, history.history


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.slow
def test_compiled_and_eager_training_agree(name):
    compiled, logs = trained(name, jit_compile=keras.config.backend() == "jax")
    eager, eager_logs = trained(name, run_eagerly=True)
    for a, b in zip(compiled.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for key, values in logs.items():
        np.testing.assert_allclose(values, eager_logs[key], rtol=1e-4, atol=1e-5)


@pytest.mark.first_case_elsewhere
@every_quantizer
def test_a_saved_model_has_the_same_codes(name, tmp_path):
    model, _ = trained(name, run_eagerly=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_same(model.quantized(data(seed=3)), again.quantized(data(seed=3)))
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = TinyAutoencoder(QUANTIZERS[name](), seed=1)
    fresh.load_weights(tmp_path / "model.weights.h5")
    assert_same(model.quantized(data(seed=3)), fresh.quantized(data(seed=3)))


def test_several_codebooks_add_an_axis_of_indices():
    quantizer = Quantizer()
    assert quantizer.indices_shape((7, 5, 64)) == (7, 5)
    quantizer.num_codebooks = 3
    assert quantizer.indices_shape((7, 5, 64)) == (7, 5, 3)


def test_rows_and_sums_of_examples():
    z = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_array_equal(numpy(rows_of(ops.convert_to_tensor(z))), z.reshape(6, 4))
    np.testing.assert_array_equal(numpy(per_example(z)), z.sum(axis=(1, 2)))
    np.testing.assert_array_equal(numpy(per_example(z[:, 0, 0])), z[:, 0, 0])


def test_the_base_class_computes_in_float32_and_sums_over_one_device():
    keras.config.set_dtype_policy("mixed_bfloat16")
    quantizer = Quantizer()
    assert quantizer.compute_dtype == "float32"
    assert quantizer.across_replicas(3) == 3


@pytest.mark.skipif(keras.config.backend() == "torch", reason="Keras shares no step there")
def test_two_devices_keep_equal_codebooks():
    run_worker("quantizers/two_devices_worker", num_devices=2)


@pytest.mark.one_backend
def test_settings_may_be_numpy_numbers():
    made = [
        GumbelQuantizer(5, temperature=np.float32(0.5)),
        LookupFreeQuantizer(3, diversity_weight=np.float32(0.5), temperature=np.float32(0.5)),
        EntropyConstrainedVectorQuantizer(5, rate_weight=np.float32(0.5)),
        ResidualQuantizer([VectorQuantizer(5), VectorQuantizer(5)], dropout=np.float32(0.5)),
    ]
    for quantizer in made:
        settings = [v for v in quantizer.get_config().values() if isinstance(v, float | np.generic)]
        assert settings
        assert all(type(v) is float for v in settings)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="TensorFlow traces sizes")
def test_costs_are_summed_where_sizes_are_unknown():
    import tensorflow as tf

    costs = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")
    traced = tf.function(per_example, input_signature=[tf.TensorSpec((None, None, None))])
    np.testing.assert_allclose(numpy(traced(costs)), costs.sum(axis=(1, 2)), rtol=1e-5)
