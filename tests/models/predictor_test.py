import keras
import numpy as np
import pytest
from families import OneBatch
from keras import ops

import keras_vae
from keras_vae.models import Predictor

pytestmark = pytest.mark.compiled_once

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 4)).astype("float32")
LABELS = np.array([2, 0, 1, 1, 0])
PICTURES = RNG.integers(0, 2, (5, 2, 3, 1)).astype("float32")


def classifier(hidden_units=(7,), num_classes=3, **kwargs):
    network = keras_vae.MLPEncoder((4,), 3, hidden_units, "tanh", num_outputs=1)
    return Predictor(network, keras_vae.CategoricalLikelihood(num_classes), seed=0, **kwargs)


def completing():
    network = keras_vae.MLPDecoder((2, 3, 1), 4, ())
    return Predictor(network, keras_vae.BernoulliLikelihood(), seed=0)


def weights(model):
    return [ops.convert_to_numpy(v) for v in model.network.trainable_variables]


def softmax_by_hand(model, x):
    """Returns the activations of the hidden layer and the probabilities of the classes."""
    (w, b), (v, c) = np.split(np.array(weights(model), dtype=object), 2)
    hidden = np.tanh(x @ w + b)
    odds = np.exp(hidden @ v + c)
    return hidden, odds / odds.sum(axis=1, keepdims=True)


def test_a_classifier_by_hand():
    model = classifier()
    hidden, probabilities = softmax_by_hand(model, X)
    labels = np.add(probabilities.argmax(axis=1), [0, 1, 0, 2, 0]) % 3  # the best for 3 of 5
    log_p = np.log(probabilities[np.arange(5), labels])
    np.testing.assert_allclose(model.predict(X, verbose=0), probabilities, rtol=1e-4)
    np.testing.assert_allclose(model.features(X, batch_size=2), hidden, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.log_likelihood(X, labels, batch_size=2), log_p, rtol=1e-4)
    logs = model.evaluate(X, labels, batch_size=2, verbose=0, return_dict=True)
    expected = {"loss": -log_p.mean(), "nll": -log_p.mean(), "accuracy": 0.6}
    assert logs == pytest.approx(expected, rel=1e-4)


def test_a_prediction_of_pictures_by_hand():
    model = completing()
    (w, b) = weights(model)
    logits = (X @ w).reshape(-1, 2, 3, 1) + b
    log_p = np.sum(PICTURES * logits - np.logaddexp(0, logits), axis=(1, 2, 3))
    np.testing.assert_allclose(model.log_likelihood(X, PICTURES), log_p, rtol=1e-4)
    np.testing.assert_allclose(model.predict(X, verbose=0), 1 / (1 + np.exp(-logits)), rtol=1e-4)
    logs = model.evaluate(X, PICTURES, verbose=0, return_dict=True)
    assert logs == pytest.approx({"loss": -log_p.mean(), "nll": -log_p.mean()}, rel=1e-4)


def test_accuracy_counts_the_right_elements_of_each_example():
    network = keras.Sequential([keras.Input((2, 1)), keras.layers.Dense(3)])
    network.set_weights([np.array([[0.0, 1.0, -1.0]]), np.zeros(3)])
    model = Predictor(network, keras_vae.CategoricalLikelihood(3))
    x = np.array([[[1.0], [-1.0]], [[2.0], [3.0]]], "float32")  # class 1 where positive, else 2
    y = np.array([[1, 0], [1, 1]])
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] == 0.75


def test_learns_what_a_line_divides():
    x = np.random.default_rng(1).uniform(-1, 1, (256, 4)).astype("float32")
    x = x[np.abs(x[:, 0] - x[:, 1]) > 0.2]
    y = (x[:, 0] > x[:, 1]).astype("int64")
    model = classifier(())
    model.compile(keras.optimizers.Adam(0.1))
    logs = model.fit(x, y, epochs=20, verbose=0, validation_data=(x, y)).history
    assert logs["val_accuracy"][-1] == 1.0
    assert logs["val_nll"][-1] < 0.1


def test_accuracy_gives_no_gradient():
    model = classifier(())
    model.compile(keras.optimizers.SGD(1.0))
    (w, b) = weights(model)
    odds = np.exp(X @ w + b)
    error = odds / odds.sum(axis=1, keepdims=True) - np.eye(3)[LABELS]
    model.train_on_batch(X, LABELS)
    found = w - weights(model)[0]
    np.testing.assert_allclose(found, X.T @ error / 5, rtol=1e-3, atol=1e-6)


SHAPE = "has the wrong shape. Expected: {expected}, one target for each of the 5 examples"
BAD_LABELS = {
    "too large": (np.array([2, 0, 1, 3, 0]), "the first bad one is 3 at index (3,)"),
    "negative": (np.array([2, 0, 1, -1, 0]), "the first bad one is -1 at index (3,)"),
    "a fraction": (np.array([2, 0, 0.5, 1, 0]), "Expected: integers from 0 to 2 (Categorical)"),
    "not a number": (np.array([2, 0, np.nan, 1, 0]), "`{name}` holds 1 values that are not finite"),
    "text": (np.array(list("abcde")), "`{name}` must hold numbers"),
    "one too few": (LABELS[:4], SHAPE.format(expected="(5,)")),
    "one-hot": (np.eye(3)[LABELS], "take np.argmax(y, axis=-1)"),
    "none": (None, "Predictor learns to predict y, but `{name}` is missing"),
}


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("wrong", BAD_LABELS)
def test_bad_labels_before_the_first_step(wrong):
    model = classifier()
    model.compile("sgd")
    y, message = BAD_LABELS[wrong]
    for method in (model.fit, model.evaluate, model.train_on_batch, model.log_likelihood):
        with pytest.raises(ValueError) as raised:  # noqa: PT011
            method(X, y)
        assert message.format(name="y") in str(raised.value)
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        model.fit(X, LABELS, validation_data=(X, y))
    assert message.format(name="validation_data[1]") in str(raised.value)
    assert int(model.optimizer.iterations) == 0


def test_bad_pictures():
    model = completing()
    with pytest.raises(ValueError, match=r"`y`.*likelihood"):
        model.evaluate(X, 255 * PICTURES)
    with pytest.raises(ValueError, match=r"Expected: \(5, 2, 3, 1\), .* dtype float32\.$"):
        model.evaluate(X, PICTURES[..., 0])


def test_a_network_that_does_not_know_its_input_yet():
    network = keras.Sequential([keras.layers.Dense(7, "tanh"), keras.layers.Dense(3)])
    model = Predictor(network, keras_vae.CategoricalLikelihood(3))
    assert not model.built
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"`y`.*shape"):
        model.fit(X, LABELS[:, None], verbose=0)
    model.fit(X, LABELS.tolist(), verbose=0)
    assert model.predict(X.tolist(), verbose=0).shape == (5, 3)
    hidden, _ = softmax_by_hand(model, X)
    np.testing.assert_allclose(model.features(X), hidden, rtol=1e-4, atol=1e-6)


def test_predict_takes_data_sets_with_or_without_targets():
    model = classifier()
    expected = model.predict(X, verbose=0)
    for parts in [(X,), (X, LABELS)]:
        np.testing.assert_array_equal(model.predict(OneBatch(*parts), verbose=0), expected)
    with pytest.raises(ValueError, match=r"`x`.*shape"):
        model.predict(OneBatch(X[:, 1:]))


def test_preset_and_file(tmp_path):
    model = classifier()
    model.save_to_preset(tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    loaded = (
        Predictor.from_preset(tmp_path / "preset"),
        keras.models.load_model(tmp_path / "model.keras"),
    )
    for again in loaded:
        assert again.metrics_names == ["loss", "nll", "accuracy"]
        np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_what_does_not_belong():
    with pytest.raises(ValueError, match=r"decoder.*10 logits"):
        classifier(num_classes=10)
    with pytest.raises(TypeError, match=r"`likelihood`.*layer"):
        Predictor(keras_vae.MLPEncoder((4,), 3, num_outputs=1), "categorical")
    with pytest.raises(NotImplementedError, match="nothing to sample"):
        classifier().sample(1)
