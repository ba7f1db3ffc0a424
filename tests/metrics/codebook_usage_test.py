import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.metrics.codebook_usage import CodebookPerplexity
from keras_vae.metrics.codebook_usage import CodebookUsage

METRICS = [CodebookUsage, CodebookPerplexity]


def draw_indices(*shape, least=0, num_embeddings=5):
    return np.random.default_rng(0).integers(least, num_embeddings, shape).astype("int32")


def expected(metric, counts):
    """Of one codebook, in plain NumPy."""
    if metric is CodebookUsage:
        return np.mean(counts > 0)
    p = counts[counts > 0] / counts.sum()
    return np.prod(p**-p)


def result(metric):
    return float(metric.result())


def test_numbers_by_hand():
    usage, perplexity = CodebookUsage(4), CodebookPerplexity(4)
    for metric in (usage, perplexity):
        metric.update_state(np.array([[0, 0], [2, -1]]))
    assert result(usage) == 0.5
    assert result(perplexity) == pytest.approx(3 / 2 ** (2 / 3), rel=1e-6)  # of 2/3 and 1/3
    assert ops.convert_to_numpy(perplexity.counts).tolist() == [[2, 0, 1, 0]]


def test_the_perplexity_of_even_codes_is_their_number():
    metric = CodebookPerplexity(1000)
    metric.update_state(np.arange(0, 1000, 2))
    assert result(metric) == pytest.approx(500, rel=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("metric", METRICS)
def test_the_epoch_counts_and_not_the_batch(metric):
    batches = [draw_indices(3, 2, 2), draw_indices(1, 2, 2, num_embeddings=2)]
    tracker = metric(5)
    for batch in batches:
        tracker.update_state(batch)
    counts = np.bincount(np.concatenate([b.ravel() for b in batches]), minlength=5)
    assert result(tracker) == pytest.approx(expected(metric, counts), rel=1e-5)
    tracker.reset_state()
    tracker.update_state(batches[1])
    counts = np.bincount(batches[1].ravel(), minlength=5)
    assert result(tracker) == pytest.approx(expected(metric, counts), rel=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_each_codebook_is_counted_for_itself(metric, dtype):
    indices = draw_indices(2, 4, 3, least=-1)
    tracker = metric(5, num_codebooks=3)
    tracker.update_state(indices.astype(dtype))
    columns = [i[i >= 0] for i in indices.reshape(-1, 3).T]
    counts = np.stack([np.bincount(i, minlength=5) for i in columns])
    assert ops.convert_to_numpy(tracker.counts).tolist() == counts.tolist()
    each = [expected(metric, c) for c in counts]
    mean = np.mean(each) if metric is CodebookUsage else np.exp(np.mean(np.log(each)))
    assert result(tracker) == pytest.approx(mean, rel=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 2, 3)])
def test_examples_count_by_their_weight(shape):
    indices, weights = draw_indices(*shape), np.array([1.0, 0.0, 0.5, 2.0])
    metric = CodebookPerplexity(5)
    metric.update_state(indices, sample_weight=weights)
    each = np.repeat(weights, indices[0].size)
    counts = np.bincount(indices.ravel(), each, minlength=5)
    np.testing.assert_allclose(ops.convert_to_numpy(metric.counts), counts[None])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("metric", METRICS)
def test_masked_or_unweighted_codes_leave_nothing(metric):
    tracker = metric(3)
    tracker.update_state(np.full((2, 2), -1))
    tracker.update_state(np.zeros((2, 2)), sample_weight=np.zeros(2))
    assert not ops.convert_to_numpy(tracker.counts).any()
    assert result(tracker) == (0.0 if metric is CodebookUsage else 1.0)


@pytest.mark.first_case_elsewhere
@pytest.mark.skipif(keras.config.backend() == "torch", reason="torch runs eagerly")
@pytest.mark.parametrize("metric", METRICS)
def test_compiled_it_gives_the_same(metric):
    indices = draw_indices(4, 3, 2)
    weights = np.array([1.0, 0.0, 2.0, 1.0], "float32")
    eager, compiled = metric(5, 2), metric(5, 2)
    eager.update_state(indices, weights)
    if keras.config.backend() == "jax":
        import jax

        variables = [v.value for v in compiled.variables]
        variables = jax.jit(compiled.stateless_update_state)(variables, indices, weights)
        value = jax.jit(compiled.stateless_result)(variables)
    else:
        import tensorflow as tf

        tf.function(compiled.update_state, reduce_retracing=True)(indices, weights)
        value = compiled.result()
    assert float(value) == pytest.approx(result(eager), rel=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("metric", METRICS)
def test_config_round_trip(metric):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(metric(7, num_codebooks=2, name="other"))
    )
    assert type(again) is metric
    assert again.get_config() == metric(7, 2, "other").get_config()
    assert (again.name, again.counts.shape) == ("other", (2, 7))


def test_counts_are_exact_in_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    metric = CodebookUsage(2)
    metric.update_state(np.zeros((1, 4099)))
    assert ops.convert_to_numpy(metric.counts).tolist() == [[4099, 0]]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("metric", METRICS)
def test_bad_arguments_are_named(metric):
    with pytest.raises(ValueError, match=r"`num_embeddings` must be .*Received: 0"):
        metric(0)
    with pytest.raises(ValueError, match=r"`num_codebooks` must be .*Received: 1\.5"):
        metric(4, 1.5)
