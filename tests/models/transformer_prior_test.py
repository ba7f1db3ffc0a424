import functools
import itertools
import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.conditions.array_condition import ArrayCondition
from keras_vae.conditions.code_condition import CodeCondition
from keras_vae.conditions.label_condition import LabelCondition
from keras_vae.layers.positions import LearnedPositions
from keras_vae.layers.positions import RotaryPositions
from keras_vae.models.base.autoregressive_model import inverse_cdf
from keras_vae.models.transformer_prior import TransformerPrior

pytestmark = pytest.mark.compiled_once

K = 4
CONDITIONS = {  # name -> a layer, and two conditions that differ in one place
    "none": (lambda: None, None, None),
    "labels": (lambda: LabelCondition(3, dropout=0.2), 1, 2),
    "vectors": (lambda: ArrayCondition((2,)), [0.5, 1.0], [0.5, -1.0]),
    "codes": (lambda: CodeCondition((2, 1), K, embedding_dim=3), [[0], [3]], [[0], [2]]),
}
every_condition = pytest.mark.parametrize("name", CONDITIONS)
every_positions = pytest.mark.parametrize("positions", [LearnedPositions, RotaryPositions])


def tiny(shape=(3, 2), name="none", positions=LearnedPositions, **options):
    """Returns a prior with weights far from where they start, and a condition for it."""
    keras.utils.set_random_seed(0)
    layer, condition, _ = CONDITIONS[name]
    options = {"width": 8, "num_layers": 2, "num_heads": 2, "seed": 0, **options}
    prior = TransformerPrior(shape, K, positions=positions(), condition=layer(), **options)
    rng = np.random.default_rng(1)
    for weight in prior.trainable_weights:
        weight.assign(ops.convert_to_numpy(weight) + 0.4 * rng.normal(size=weight.shape))
    return prior, condition


def codes(num_examples, shape=(3, 2)):
    return np.random.default_rng(2).integers(0, K, (num_examples, *shape))


def conditions_of(prior, condition, num_examples):
    """Returns one condition for all examples as a batch, or `None` without one."""
    conditions = prior.conditions_for(condition, num_examples)
    return conditions[0] if conditions else None


def embedded(prior, condition, num_examples):
    return prior.embedded(conditions_of(prior, condition, num_examples))


@functools.lru_cache(maxsize=2)
def compiled_logits(prior):
    return prior.jitted(lambda x, c=None: prior.logits(x, prior.embedded(c)))


def logits_of(prior, x, condition=None):
    """Returns the logits at every position, (B, N, K)."""
    conditions = prior.conditions_for(condition, len(x))
    return compiled_logits(prior)(x.astype("int32"), *conditions).reshape(len(x), -1, K)


@pytest.mark.first_case_elsewhere
@every_condition
def test_before_training_all_codes_are_equally_probable(name):
    layer, condition, _ = CONDITIONS[name]
    prior = TransformerPrior((3, 2), K, width=8, num_layers=1, num_heads=2, condition=layer())
    np.testing.assert_array_equal(logits_of(prior, codes(2), condition), 0.0)
    nll = ops.convert_to_numpy(prior.terms(codes(2), embedded(prior, condition, 2))["nll"])
    np.testing.assert_allclose(nll, 6 * math.log(K), rtol=1e-6)


@pytest.mark.first_case_elsewhere
@every_positions
@every_condition
@pytest.mark.parametrize("shape", [(5,), (3, 2), (2, 1, 3)])
def test_a_code_moves_no_logit_up_to_its_own_and_all_after(shape, name, positions):
    prior, condition = tiny(shape, name, positions)
    x = codes(3, shape)
    before = logits_of(prior, x, condition)
    for j in range(prior.num_codes):
        moved = x.copy().reshape(3, -1)
        moved[:, j] = (moved[:, j] + 1) % K
        change = np.abs(logits_of(prior, moved.reshape(x.shape), condition) - before)
        assert (change[:, : j + 1] == 0).all()
        assert (change[:, j + 1 :].max(axis=-1) > 1e-5).all()


@pytest.mark.first_case_elsewhere
@every_condition
def test_probabilities_of_all_sequences_sum_to_one(name):
    prior, condition = tiny((2, 2), name)
    x = np.array(list(itertools.product(range(K), repeat=4))).reshape(-1, 2, 2)
    terms = prior.terms(x, embedded(prior, condition, len(x)))
    probabilities = np.exp(-ops.convert_to_numpy(terms["nll"]))
    assert probabilities.sum() == pytest.approx(1.0, rel=1e-5)
    assert probabilities.max() > 2 * K**-4


@pytest.mark.first_case_elsewhere
@every_positions
@every_condition
def test_steps_give_the_logits_of_all_positions_at_once(name, positions):
    prior, condition = tiny(name=name, positions=positions)
    x = codes(2)
    flat, cache = x.reshape(2, -1), prior.start(embedded(prior, condition, 2), 2)
    for i, expected in enumerate(np.moveaxis(logits_of(prior, x, condition), 1, 0)):
        known = np.where(np.arange(6) < i, flat, 0)
        logits, cache = prior.step(cache, ops.convert_to_tensor(known, "int32"), i)
        np.testing.assert_allclose(ops.convert_to_numpy(logits), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "name, positions", [("none", LearnedPositions), ("codes", RotaryPositions)]
)
def test_samples_are_those_of_whole_passes_with_the_same_noise(name, positions):
    prior, condition = tiny(name=name, positions=positions)
    size = 16
    with prior.noise.seeded(3):
        stream = prior.noise.stream(training=False)
        noise = keras.random.uniform((prior.sample_batch_size, prior.num_codes), seed=stream)
    x = np.zeros((size, 6), "int32")
    for i in range(6):
        logits = logits_of(prior, x.reshape(size, 3, 2), condition)[:, i]
        drawn = inverse_cdf(ops.convert_to_tensor(logits), noise[:size, i])
        x[:, i] = ops.convert_to_numpy(drawn)
    samples = prior.sample(size, condition, seed=3)
    np.testing.assert_array_equal(samples.reshape(size, 6), x)
    assert len(np.unique(x, axis=0)) > 4


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", ["labels", "vectors", "codes"])
def test_conditions_reach_every_position(name):
    prior, condition = tiny(name=name)
    x, other = codes(2), CONDITIONS[name][2]
    change = np.abs(logits_of(prior, x, other) - logits_of(prior, x, condition))
    assert change.max(axis=-1).min() > 1e-4


def test_labels_may_be_absent_where_some_were_dropped():
    prior, _ = tiny(name="labels")
    assert prior.log_likelihood(codes(2)).shape == (2,)
    told = [prior.log_likelihood(codes(2), label) for label in range(3)]
    assert np.abs(prior.log_likelihood(codes(2)) - told).min() > 1e-4


def test_positions_tell_equal_tokens_apart():
    x = np.zeros((1, 3, 2), "int32")
    learned, rotary = (
        logits_of(tiny(positions=p)[0], x)[0, 1:] for p in (LearnedPositions, RotaryPositions)
    )
    for logits in (learned, rotary):
        assert np.abs(np.diff(logits, axis=0)).max(axis=-1).min() > 1e-4
    assert np.abs(learned - rotary).max() > 1e-3


def test_features_are_dropped_in_training_only():
    prior, _ = tiny(dropout=0.3)
    x = ops.convert_to_tensor(codes(4), "int32")
    first, second = (ops.convert_to_numpy(prior.terms(x, training=True)["nll"]) for _ in range(2))
    assert np.abs(first - second).min() > 1e-4
    evaluated = ops.convert_to_numpy(prior.terms(x)["nll"])
    np.testing.assert_array_equal(evaluated, ops.convert_to_numpy(prior.terms(x)["nll"]))
    prior_without, _ = tiny()
    expected = ops.convert_to_numpy(prior_without.terms(x, training=True)["nll"])
    np.testing.assert_allclose(evaluated, expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@every_positions
def test_logits_are_float32_in_half_precision(positions):
    half, condition = tiny(name="codes", positions=positions, dtype="mixed_bfloat16")
    whole, _ = tiny(name="codes", positions=positions)
    x = codes(3)
    logits = logits_of(half, x, condition)
    assert logits.dtype == "float32"
    np.testing.assert_allclose(logits, logits_of(whole, x, condition), atol=0.3)
    cache = half.start(embedded(half, condition, 3), 3)
    first, _ = half.step(cache, ops.zeros((3, 6), "int32"), 0)
    assert keras.backend.standardize_dtype(first.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(first), logits[:, 0], atol=0.1)


@pytest.mark.first_case_elsewhere
@every_positions
def test_files_give_the_same_prior(positions, tmp_path):
    prior, condition = tiny(name="codes", positions=positions)
    prior.save(tmp_path / "prior.keras")
    prior.save_to_preset(tmp_path / "preset")
    x, expected = codes(2), logits_of(prior, codes(2), condition)
    for again in (
        keras.models.load_model(tmp_path / "prior.keras"),
        TransformerPrior.from_preset(tmp_path / "preset"),
    ):
        np.testing.assert_array_equal(logits_of(again, x, condition), expected)


@pytest.mark.first_case_elsewhere
@every_condition
def test_config_round_trip(name):
    prior, condition = tiny(name=name, positions=RotaryPositions, dropout=0.1)
    again = TransformerPrior.from_config(prior.get_config())
    assert again.get_config() == prior.get_config()
    again.set_weights(prior.get_weights())
    x = codes(2)
    np.testing.assert_array_equal(logits_of(again, x, condition), logits_of(prior, x, condition))


def test_every_layer_is_built():
    prior, _ = tiny(name="codes")
    assert all(layer.built for layer in prior._flatten_layers())


def test_learns_that_codes_follow_each_other():
    first = np.random.default_rng(0).integers(0, K, (128, 1))
    x = ((first + np.arange(6)) % K).reshape(-1, 3, 2)
    prior = TransformerPrior((3, 2), K, width=16, num_layers=1, num_heads=2, seed=0)
    prior.compile(keras.optimizers.Adam(1e-2))
    history = prior.fit(x, batch_size=32, epochs=15, verbose=0).history
    assert history["nll"][0] > 5
    # The first code is any of four; those after it are certain.
    assert np.mean(prior.log_likelihood(x)) == pytest.approx(-math.log(K), abs=0.1)


@pytest.mark.slow
def test_learns_to_copy_the_codes_above():
    above = codes(256, (2, 1))
    x = np.repeat(above, 2, axis=2)
    options = {"positions": RotaryPositions(), "condition": CodeCondition((2, 1), K, 8)}
    prior = TransformerPrior((2, 2), K, width=16, num_layers=1, num_heads=2, seed=0, **options)
    prior.compile(keras.optimizers.Adam(1e-2))
    prior.fit(x, above, batch_size=32, epochs=25, verbose=0)
    assert np.mean(prior.log_likelihood(x, above)) > -0.1
    np.testing.assert_array_equal(prior.sample(8, above[:8], seed=0), x[:8])


def test_arguments_are_checked():
    for argument in ("width", "num_layers", "num_heads", "dropout"):
        with pytest.raises(ValueError, match=f"`{argument}`"):
            TransformerPrior((3, 2), K, **{argument: -1})
    with pytest.raises(ValueError, match="`num_heads` must divide"):
        TransformerPrior((3, 2), K, width=8, num_heads=3)
    with pytest.raises(ValueError, match="`positions`"):
        TransformerPrior((3, 2), K, positions="rotary")
