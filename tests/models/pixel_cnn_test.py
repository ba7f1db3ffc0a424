import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import CodeCondition
from keras_vae import LabelCondition
from keras_vae import PixelCNN
from keras_vae.conditions import ArrayCondition

pytestmark = pytest.mark.compiled_once

K = 3
TINY = {"filters": 4, "num_blocks": 1, "first_kernel_size": 3, "num_heads": 2}
VARIANTS = {
    "plain": {},
    "attention": {"attention_every": 1},
    "labels": {"condition": lambda: LabelCondition(4, dropout=0.2)},
    "map": {"condition": lambda: CodeCondition((1, 2), 5, embedding_dim=2), "attention_every": 1},
}
CONDITIONS = {"labels": 2, "map": np.array([[4, 1]])}


def model_of(variant, shape=(2, 2), num_embeddings=K, scale=0.5, **kwargs):
    """A model with drawn weights: before training all logits are 0."""
    options = {**TINY, **VARIANTS[variant], **kwargs}
    if options.get("condition"):
        options["condition"] = options["condition"]()
    model, rng = PixelCNN(shape, num_embeddings, seed=1, **options), np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(scale * rng.normal(size=weight.shape))
    return model


def codes(num_examples, shape, seed=1):
    return np.random.default_rng(seed).integers(0, K, (num_examples, *shape)).astype("int32")


def full_pass(model, num_examples, condition=None):
    """A compiled function from x (B, *shape) to logits (B, N, K)."""
    told = () if condition is None else (model.condition.check_for(condition, num_examples),)
    run = model.jitted(lambda x, *told: model.logits(x, model.embedded(*told or [None])))
    return lambda x: run(x, *told).reshape(num_examples, model.num_codes, -1)


def influences(model, condition=None):
    """Whether moving code j changes any logit of position i, (N, N), at [j, i]."""
    n = model.num_codes
    x = np.repeat(codes(1, model.data_shape), n, axis=0)
    moved = x.reshape(n, n) + np.eye(n, dtype="int32")
    moved = (moved % K).reshape(x.shape)
    logits = full_pass(model, n, condition)
    return (logits(moved) != logits(x)).any(axis=-1)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def naive_sample(model, num_samples, condition, seed, temperature=1.0, top_k=None):
    """One full pass a position, on the uniform numbers that `sample` draws."""
    with model.noise.seeded(seed):
        noise = keras.random.uniform(
            (model.sample_batch_size, model.num_codes), seed=model.noise.stream(training=False)
        )
    noise = ops.convert_to_numpy(noise)[:num_samples]
    full_logits = full_pass(model, num_samples, condition)
    x = np.zeros((num_samples, model.num_codes), "int32")
    for i in range(model.num_codes):
        logits = full_logits(x.reshape(num_samples, *model.data_shape))[:, i] / temperature
        if top_k is not None:
            logits[logits < np.sort(logits, axis=-1)[:, -top_k, None]] = -np.inf
        x[:, i] = (softmax(logits).cumsum(axis=-1) <= noise[:, i, None]).sum(axis=-1)
    return x.reshape(num_samples, *model.data_shape)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("variant", VARIANTS)
def test_before_training_all_values_are_equally_probable(variant):
    options = {**TINY, **VARIANTS[variant]}
    if "condition" in options:
        options["condition"] = options["condition"]()
    model = PixelCNN((3, 2), 7, **options)
    found = model.log_likelihood(codes(4, (3, 2)), condition=CONDITIONS.get(variant))
    np.testing.assert_allclose(found, -6 * np.log(7), rtol=1e-6)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_position_is_given_exactly_those_before_it(variant):
    model = model_of(variant, (4, 5), filters=8, num_blocks=3)
    expected = np.triu(np.ones((20, 20), bool), k=1)  # no blind spot, and nothing else
    np.testing.assert_array_equal(influences(model, CONDITIONS.get(variant)), expected)


def test_how_far_it_sees():
    model = model_of("plain", (7, 9), num_blocks=2)
    reach = 3  # first_kernel_size // 2 + num_blocks * (kernel_size // 2)
    seen = influences(model)[:, 6 * 9 + 4].reshape(7, 9)  # from the middle of the last row
    assert seen[6].tolist() == [column in range(3 - reach, 4) for column in range(9)]
    for row in range(6):
        left, right = (4 - reach, 4 + reach) if row >= 5 - reach else (0, -1)
        nearer = seen[row, left : right + 1]
        assert nearer.all()
        assert not seen[row, right + 1 :].any()  # what h hands on from its left may lie farther
    assert not seen[: 5 - reach].any()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_probabilities_of_all_sequences_sum_to_one(variant, dtype):
    model = model_of(variant, dtype=dtype)
    x = np.array(list(itertools.product(range(K), repeat=4)), "int32").reshape(-1, 2, 2)
    p = np.exp(model.log_likelihood(x, condition=CONDITIONS.get(variant)).astype("float64"))
    assert len(p) == 81
    assert p.std() > 1e-3
    assert p.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("options", [{}, {"temperature": 0.6, "top_k": 2}])
@pytest.mark.parametrize("variant", VARIANTS)
def test_incremental_sampling_is_the_naive_one(variant, options):
    model, condition = model_of(variant, (4, 5), num_blocks=2), CONDITIONS.get(variant)
    expected = naive_sample(model, 9, condition, seed=3, **options)
    found = model.sample(9, condition, seed=3, **options)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found.reshape(9, -1), axis=0)) > 1


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (3, 2, 1), (1, 1)])
def test_grids_of_any_size(shape):
    model = model_of("attention", shape)
    np.testing.assert_array_equal(model.sample(4, seed=3), naive_sample(model, 4, None, seed=3))
    n = model.num_codes
    np.testing.assert_array_equal(influences(model), np.triu(np.ones((n, n), bool), k=1))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [1, 3, 130])
def test_any_number_of_samples(num_samples):
    model = model_of("labels")
    labels = np.arange(num_samples) % 4
    found = model.sample(num_samples, labels, seed=4)
    first = min(num_samples, model.sample_batch_size)
    np.testing.assert_array_equal(found[:first], naive_sample(model, first, labels[:first], 4))
    assert found.shape == (num_samples, 2, 2)


def test_the_first_layer_by_hand():
    """One row, and blocks that add nothing: x_i is given by what the first convolution sees."""
    model = model_of("plain", (1, 4))
    model.blocks[0].mixing.set_weights([np.zeros((4, 4)), np.zeros(4)])
    x = codes(1, (1, 4))
    (vectors,), (kernel, bias) = model.vectors.get_weights(), model.left.get_weights()
    before = np.concatenate([np.zeros((2, K)), vectors[x[0, 0, :3]]])  # of x_{i-2} and x_{i-1}
    h = np.stack([before[i] @ kernel[0, 0] + before[i + 1] @ kernel[0, 1] for i in range(4)]) + bias
    (w1, b1), (w2, b2) = model.hidden.get_weights(), model.head.get_weights()
    expected = np.maximum(h @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(full_pass(model, 1)(x)[0], expected, rtol=1e-5, atol=1e-6)


def test_a_map_is_brought_to_the_grid_by_the_nearest():
    model = PixelCNN((4, 6), K, **TINY, condition=ArrayCondition((2, 3, 4)))
    model.refinement[0].set_weights([np.eye(4), np.zeros(4)])
    given = np.random.default_rng(0).normal(size=(2, 2, 3, 4)).astype("float32")
    (told,) = model._told(ops.convert_to_tensor(given))
    expected = given.repeat(2, axis=1).repeat(2, axis=2)  # residual blocks begin as the identity
    expected -= expected.mean(axis=-1, keepdims=True)
    expected /= np.sqrt(expected.var(axis=-1, keepdims=True) + 1e-3)  # Keras' epsilon
    np.testing.assert_allclose(ops.convert_to_numpy(told), expected, rtol=1e-5, atol=1e-6)


def test_no_scale_of_a_map_shuts_the_gates():
    model = model_of("map", (2, 4), attention_every=None, scale=0.3)
    x, condition = codes(1, (2, 4)), model.condition.check_for(CONDITIONS["map"], 1)
    moved = (x + 1) % K
    for scale in (1.0, 1e4):
        model.condition.vectors.assign(scale * ops.convert_to_numpy(model.condition.vectors))
        logits = full_pass(model, 1, condition)
        assert np.abs(logits(x) - logits(moved))[0, 1:].max() > 1e-3
        (told,) = model._told(model.condition(ops.convert_to_tensor(condition)))
        assert np.abs(ops.convert_to_numpy(told)).max() < 10


def test_every_part_of_the_condition_reaches_its_surroundings():
    model = model_of("map", (2, 4), attention_every=None)
    x = codes(1, (2, 4))
    before = full_pass(model, 1, np.array([[4, 1]]))(x)
    for moved in ([[3, 1]], [[4, 0]]):
        after = full_pass(model, 1, np.array(moved))(x)
        assert (after != before).any(axis=-1).all()  # through the residual blocks, on 2 x 4


def test_learns_to_copy_the_row_above():
    """The first row is free, so the entropy is log K for each of its codes."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.integers(0, K, (256, 1, 4)), 3, axis=1)
    model = PixelCNN((3, 4), K, filters=8, num_blocks=1, first_kernel_size=3, dropout=0.1, seed=0)
    model.compile(keras.optimizers.Adam(2e-2))
    model.fit(x, batch_size=32, epochs=30, verbose=0)
    assert abs(model.evaluate(x, verbose=0, return_dict=True)["nll"] - 4 * np.log(K)) < 0.15
    new = model.sample(50, seed=1)
    assert np.mean(new[:, 1:] == new[:, :-1]) > 0.98


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("variant", VARIANTS)
def test_half_precision(variant):
    x, condition = codes(5, (3, 4)), CONDITIONS.get(variant)
    half = model_of(variant, (3, 4), scale=0.2, dtype="mixed_bfloat16")
    full = model_of(variant, (3, 4), scale=0.2)
    found, expected = (full_pass(model, 5, condition)(x) for model in (half, full))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert half.sample(3, condition, seed=0).shape == (3, 3, 4)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (4, 4, 3)}, r"`shape` must be \(h, w\) or \(h, w, 1\)"),
        ({"shape": (4,)}, r"`shape` must be \(h, w\) or \(h, w, 1\)"),
        ({"filters": 0}, "`filters`.*positive integer"),
        ({"num_blocks": 0}, "`num_blocks`.*positive integer"),
        ({"kernel_size": 2}, "`kernel_size`.*at least 3"),
        ({"first_kernel_size": 4}, "`first_kernel_size` must be odd"),
        ({"attention_every": 0}, "`attention_every`.*positive integer"),
        ({"attention_every": 1, "num_heads": 3}, "`num_heads` must divide"),
        ({"dropout": 1.5}, "`dropout`.*lie in"),
        ({"condition": ArrayCondition((2, 3))}, "`condition` must have the shape of a vector"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PixelCNN(**{"shape": (4, 4), "num_embeddings": K, **TINY, **arguments})


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("variant", VARIANTS)
def test_file_keeps_everything(variant, tmp_path):
    model, condition = model_of(variant, (3, 2, 1)), CONDITIONS.get(variant)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(
        again.sample(5, condition, seed=1), model.sample(5, condition, seed=1)
    )
