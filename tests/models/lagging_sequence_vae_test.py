import keras
import numpy as np
import pytest

from keras_vae import LaggingSequenceVAE
from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder

pytestmark = pytest.mark.compiled_once

SMALL = {"units": 8, "embedding_dim": 4}
X = np.array([[3, 4, 1, 0], [4, 1, 0, 0], [3, 3, 3, 1], [1, 0, 0, 0]], "int32")


def lagging_vae(encoder_steps=3, window=None):
    networks = RecurrentTokenEncoder(5, 2, **SMALL), RecurrentTokenDecoder(5, 2, **SMALL)
    steps = {"encoder_steps": encoder_steps, "window": window}
    model = LaggingSequenceVAE(*networks, 4, **steps, seed=0)
    groups = ("main", "decoder")
    model.compile({group: keras.optimizers.Adam(0.01) for group in groups})
    return model


def moved(model, steps):
    """Returns for each step which of the encoder and the decoder it moved."""
    found = []
    for _ in range(steps):
        before = [part.get_weights() for part in (model.encoder, model.decoder)]
        model.train_on_batch(X)
        after = [part.get_weights() for part in (model.encoder, model.decoder)]
        pairs = zip(before, after, strict=True)
        found.append(tuple(not all(map(np.array_equal, b, a)) for b, a in pairs))
    return found


def test_the_decoder_moves_at_every_third_step():
    assert moved(lagging_vae(), 6) == [(True, False), (True, False), (True, True)] * 2


def test_both_move_once_it_no_longer_lags():
    model = lagging_vae()
    model.is_lagging.assign(0.0)
    assert moved(model, 3) == [(True, True)] * 3


def ends(costs, window, most):
    """At which of a list of costs the encoder's updates are over, by the paper's loop."""
    found, begin = [], 0
    for i in range(len(costs)):
        done = i + 1 - begin
        last, before = costs[i + 1 - window : i + 1], costs[i + 1 - 2 * window : i + 1 - window]
        is_whole = done % window == 0 and done >= 2 * window
        if done == most or (is_whole and np.mean(last) >= np.mean(before)):
            found.append(i)
            begin = i + 1
    return found


@pytest.mark.parametrize(("window", "most"), [(2, 9), (3, 7), (1, 4), (5, 3)])
def test_the_encoder_is_trained_until_its_cost_stops_falling(window, most):
    costs = np.random.default_rng(window).normal(size=40) - np.arange(40) / 8
    costs = costs.astype("float32")
    model, found = lagging_vae(most, window), []
    for i, cost in enumerate(costs):
        model._watch(keras.ops.convert_to_tensor(cost))
        if float(model._decoder_is_on(float(i))):
            found.append(i)
    assert found == ends(costs.tolist(), window, most)
    assert len(found) > 3


def test_a_compiled_step_sees_that_the_cost_has_stopped_falling():
    model = lagging_vae(encoder_steps=4, window=100)  # so long a window is never whole
    assert moved(model, 8) == ([(True, False)] * 3 + [(True, True)]) * 2


def test_a_file_keeps_whether_it_lags(tmp_path):
    model = lagging_vae()
    model.is_lagging.assign(0.0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.is_lagging) == 0.0


def test_arguments():
    with pytest.raises(ValueError, match="`encoder_steps` must be a positive integer"):
        lagging_vae(encoder_steps=0)
    with pytest.raises(ValueError, match="`window` must be a positive integer"):
        lagging_vae(window=-1)
    model = lagging_vae()
    with pytest.raises(ValueError, match="switches the groups"):
        model.compile(keras.optimizers.Adam())
    model.compile("adam")  # a name stands for one of each group
    assert model.optimizer.optimizers[0] is not model.optimizer.optimizers[1]
