import keras
import numpy as np
import pytest

from keras_vae import LaggingSequenceVAE
from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder

SMALL = {"units": 8, "embedding_dim": 4}
X = np.array([[3, 4, 1, 0], [4, 1, 0, 0], [3, 3, 3, 1], [1, 0, 0, 0]], "int32")


def lagging_vae(encoder_steps=3):
    networks = RecurrentTokenEncoder(5, 2, **SMALL), RecurrentTokenDecoder(5, 2, **SMALL)
    model = LaggingSequenceVAE(*networks, 4, encoder_steps=encoder_steps, seed=0)
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


def test_a_file_keeps_whether_it_lags(tmp_path):
    model = lagging_vae()
    model.is_lagging.assign(0.0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.is_lagging) == 0.0


def test_arguments():
    with pytest.raises(ValueError, match="`encoder_steps` must be a positive integer"):
        lagging_vae(encoder_steps=0)
    model = lagging_vae()
    with pytest.raises(ValueError, match="switches the groups"):
        model.compile("adam")
