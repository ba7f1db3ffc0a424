import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import LabelCondition
from keras_vae.models.base.autoregressive_model import AutoregressiveModel
from keras_vae.models.base.autoregressive_model import inverse_cdf
from keras_vae.models.base.autoregressive_model import most_probable

pytestmark = pytest.mark.compiled_once

SHAPE, K, NUM_CLASSES = (2, 3), 4, 2
START = K  # the row of the table that stands before the first code


@keras.saving.register_keras_serializable(package="keras_vae_tests")
class Chain(AutoregressiveModel):
    """A Markov chain: the logits of a code are a row of a table, that of the code before; a label
    adds its own logits to all."""

    def __init__(self, shape=SHAPE, num_embeddings=K, condition=None, **kwargs):
        super().__init__(shape, num_embeddings, condition, **kwargs)
        self.table = keras.layers.Embedding(num_embeddings + 1, num_embeddings, "normal")
        self.label = keras.layers.Dense(num_embeddings, use_bias=False)

    def logits(self, x, condition=None, training=False):
        codes = ops.reshape(x, (-1, self.num_codes))
        before = ops.pad(codes[:, :-1], ((0, 0), (1, 0)), constant_values=self.num_embeddings)
        logits = self._told(self.table(before), condition)
        return ops.reshape(logits, (-1, *self.data_shape, self.num_embeddings))

    def start(self, condition, batch_size):
        before = ops.full((batch_size, 1), self.num_embeddings, "int32")
        return (before,) if condition is None else (before, condition)

    def step(self, cache, codes, position):
        before, *condition = cache
        known = ops.take(codes, ops.reshape(ops.maximum(position - 1, 0), (1,)), axis=1)
        before = ops.where(position > 0, known, before)
        return self._told(self.table(before), *condition or [None])[:, 0], (before, *condition)

    def _told(self, logits, condition):
        return logits if condition is None else logits + self.label(condition)[:, None]


def chain(scale=1.0, **kwargs):
    """A chain with drawn weights."""
    model, rng = Chain(seed=3, **kwargs), np.random.default_rng(0)
    model.set_weights([scale * rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def codes(num_examples=6, seed=1):
    return np.random.default_rng(seed).integers(0, K, (num_examples, *SHAPE)).astype("int32")


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def transitions(model, label=None):
    """p(next | before), (K + 1, K)."""
    table = model.get_weights()[0]
    return softmax(table if label is None else table + model.get_weights()[1][label])


def log_p_by_hand(model, x, labels=None):
    found = []
    for i, row in enumerate(x.reshape(len(x), -1)):
        p = transitions(model, None if labels is None else labels[i])
        found.append(sum(np.log(p[a, b]) for a, b in zip([START, *row[:-1]], row, strict=True)))
    return np.array(found)


def drawn_by_hand(model, num_samples, seed, temperature=1.0, top_k=None):
    """The naive sampler, in NumPy, on the same uniform numbers."""
    with model.noise.seeded(seed):
        noise = keras.random.uniform(
            (model.sample_batch_size, model.num_codes), seed=model.noise.stream(training=False)
        )
    noise, table = ops.convert_to_numpy(noise)[:num_samples], model.get_weights()[0]
    x = np.zeros((num_samples, model.num_codes), int)
    for i in range(model.num_codes):
        logits = table[x[:, i - 1] if i else START] * np.ones((num_samples, 1)) / temperature
        if top_k is not None:
            logits[logits < np.sort(logits, axis=-1)[:, -top_k, None]] = -np.inf
        x[:, i] = (softmax(logits).cumsum(axis=-1) <= noise[:, i, None]).sum(axis=-1)
    return x.reshape(num_samples, *model.data_shape)


def test_likelihood_by_hand():
    model, x = chain(), codes()
    expected = log_p_by_hand(model, x)
    np.testing.assert_allclose(model.log_likelihood(x), expected, rtol=1e-5)
    np.testing.assert_allclose(model.log_likelihood(x, batch_size=4), expected, rtol=1e-5)
    nll = -expected.mean()
    logs = model.evaluate(x, verbose=0, return_dict=True)
    assert logs == pytest.approx({"loss": nll, "nll": nll, "nll_per_code": nll / 6}, rel=1e-5)


def test_predict_gives_the_log_probabilities_of_every_value():
    model, x = chain(), codes()
    flat = x.reshape(6, 6)
    before = np.concatenate([np.full((6, 1), START), flat[:, :-1]], axis=1)
    expected = np.log(transitions(model)[before]).reshape(6, *SHAPE, K)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-6)


def test_likelihood_given_labels():
    model, x, labels = chain(condition=LabelCondition(NUM_CLASSES)), codes(), np.arange(6) % 2
    expected = log_p_by_hand(model, x, labels)
    np.testing.assert_allclose(model.log_likelihood(x, labels), expected, rtol=1e-5)
    ones = log_p_by_hand(model, x, np.ones(6, int))
    np.testing.assert_allclose(model.log_likelihood(x, condition=1), ones, rtol=1e-5)
    with pytest.raises(ValueError, match="condition is missing"):
        model.log_likelihood(x)


def test_trains_to_the_frequencies_of_the_data():
    model, x = chain(scale=0.1), codes(256, seed=2)
    model.compile(keras.optimizers.SGD(5.0))
    model.fit(x, batch_size=256, epochs=30, verbose=0)
    flat = x.reshape(256, -1)
    counts = np.zeros((K + 1, K))
    np.add.at(counts, (np.full(256, START), flat[:, 0]), 1)
    np.add.at(counts, (flat[:, :-1], flat[:, 1:]), 1)
    expected = counts / counts.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(transitions(model), expected, atol=2e-3)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("num_samples", [1, 3, 130])
def test_draws_any_number_the_first_the_same(num_samples):
    model = chain()
    drawn = model.sample(num_samples, seed=5)
    assert drawn.shape == (num_samples, *SHAPE)
    assert drawn.dtype == np.int32
    first = min(num_samples, model.sample_batch_size)
    np.testing.assert_array_equal(drawn[:first], drawn_by_hand(model, first, seed=5))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("options", [{"temperature": 0.5}, {"top_k": 2}, {"top_k": 1}])
def test_draws_with_options_as_the_naive_sampler(options):
    model = chain()
    expected = drawn_by_hand(model, 64, seed=6, **options)
    np.testing.assert_array_equal(model.sample(64, seed=6, **options), expected)


def test_draws_have_the_probabilities_of_the_model():
    model, n = chain(), 3000
    flat = model.sample(n, seed=7).reshape(n, -1)
    p = transitions(model)
    sigma = np.sqrt(p[START] * (1 - p[START]) / n)
    assert (np.abs(np.bincount(flat[:, 0], minlength=K) / n - p[START]) < 4 * sigma).all()
    after = flat[:, 1:][flat[:, :-1] == 2]
    sigma = np.sqrt(p[2] * (1 - p[2]) / len(after))
    assert (np.abs(np.bincount(after, minlength=K) / len(after) - p[2]) < 4 * sigma).all()


def test_a_low_temperature_takes_the_most_probable_and_a_high_one_any():
    model = chain()
    greedy = [transitions(model)[START].argmax()]
    while len(greedy) < model.num_codes:
        greedy.append(transitions(model)[greedy[-1]].argmax())
    for options in ({"temperature": 1e-3}, {"top_k": 1}):
        drawn = model.sample(4, seed=8, **options).reshape(4, -1)
        np.testing.assert_array_equal(drawn, [greedy] * 4)
    shares = np.bincount(model.sample(500, seed=8, temperature=1e3).ravel(), minlength=K) / 3000
    np.testing.assert_allclose(shares, 1 / K, atol=0.04)


def test_seeds():
    model = chain()
    same = [model.sample(20, seed=9) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert not np.array_equal(same[0], model.sample(20, seed=10))
    assert not np.array_equal(model.sample(20), model.sample(20))
    model.sample_batch_size = 8  # several batches of one draw
    drawn = model.sample(20, seed=9)
    assert not np.array_equal(drawn[:8], drawn[8:16])


def test_each_draw_has_its_condition():
    model = chain(condition=LabelCondition(NUM_CLASSES, dropout=0.5))
    model.layers[-1].set_weights([np.array([[0, 0, 0, 50.0], [50.0, 0, 0, 0]])])
    labels = np.arange(131) % 2
    drawn = model.sample(131, condition=labels, seed=0)
    np.testing.assert_array_equal(drawn, np.where(labels, 0, 3)[:, None, None] * np.ones(SHAPE))
    assert (model.sample(2, condition=0) == 3).all()
    assert len(np.unique(model.sample(20, seed=0))) == K  # no label: it was dropped in training


def test_labels_are_dropped_in_training():
    model = chain(condition=LabelCondition(NUM_CLASSES, dropout=0.5))
    x, labels = (ops.convert_to_tensor(a) for a in (codes(400), np.arange(400) % 2))
    trained = ops.convert_to_numpy(
        model.terms(x, model.given(labels, training=True), training=True)["nll"]
    )
    told, untold = (-log_p_by_hand(model, codes(400), y) for y in (np.arange(400) % 2, None))
    is_told = np.isclose(trained, told, rtol=1e-4)
    assert (is_told | np.isclose(trained, untold, rtol=1e-4)).all()
    assert 0.4 < is_told.mean() < 0.6


def drawn(logits, uniform):
    return ops.convert_to_numpy(inverse_cdf(*map(ops.convert_to_tensor, (logits, uniform))))


def test_inverse_of_the_distribution_function():
    logits = np.log(np.array([0.1, 0.4, 1e-30, 0.5], "float32"))
    uniform = np.array([0.0, 0.0999, 0.1001, 0.4999, 0.5001, 0.9999999], "float32")
    found = drawn(np.tile(logits, (6, 1)), uniform)
    np.testing.assert_array_equal(found, [0, 0, 1, 1, 3, 3])
    excluded = np.array([[-np.inf, 0.0, -np.inf]] * 2, "float32")
    found = drawn(excluded, np.array([0.0, 0.99999994], "float32"))
    np.testing.assert_array_equal(found, [1, 1])


def test_the_most_probable_keep_their_logits_and_ties_stay():
    logits = ops.convert_to_tensor(np.array([[1.0, 3.0, 2.0, 2.0]], "float32"))
    assert most_probable(logits, None) is logits
    inf = np.inf
    for top_k, expected in {1: [-inf, 3, -inf, -inf], 2: [-inf, 3, 2, 2], 4: [1, 3, 2, 2]}.items():
        np.testing.assert_array_equal(
            ops.convert_to_numpy(most_probable(logits, top_k)), [expected]
        )


def test_what_a_family_must_give():
    with pytest.raises(NotImplementedError, match="Unfinished must define `logits`"):
        type("Unfinished", (AutoregressiveModel,), {})((2,), 3)
    base = super(Chain, chain())
    methods = {base.logits: (0,), base.start: (None, 1), base.step: (0, 0, 0)}
    for method, arguments in methods.items():
        with pytest.raises(NotImplementedError, match="Chain must define"):
            method(*arguments)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "`temperature`.*positive number"),
        ({"temperature": np.inf}, "`temperature`.*positive number"),
        ({"temperature": "hot"}, "`temperature`.*positive number"),
        ({"top_k": 5}, "`top_k` must be at most 4"),
        ({"top_k": 0}, "`top_k`.*positive integer"),
        ({"num_samples": 0}, "`num_samples`.*positive integer"),
        ({"condition": 1}, "has no `condition`"),
    ],
)
def test_bad_options_of_sampling(options, message):
    with pytest.raises(ValueError, match=message):
        chain().sample(**{"num_samples": 1, **options})


def test_bad_data_and_arguments():
    model = chain()
    model.compile()
    for x in (codes() + 1, codes() + 0.5, codes()[:, :1]):
        for method in (model.fit, model.evaluate, model.predict, model.log_likelihood):
            with pytest.raises(ValueError, match="`x`"):
                method(x)
    for shape in ((), 4, (0, 2), (2.5,)):
        with pytest.raises(ValueError, match="shape"):
            Chain(shape)
    with pytest.raises(ValueError, match="num_embeddings"):
        Chain(SHAPE, 1)


def test_file_keeps_everything(tmp_path):
    model = chain(condition=LabelCondition(NUM_CLASSES))
    model.save(tmp_path / "chain.keras")
    again = keras.models.load_model(tmp_path / "chain.keras")
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.sample(5, 1, seed=1), model.sample(5, 1, seed=1))
