import numpy as np
import pytest

from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder
from keras_vae import TransformerTokenDecoder
from keras_vae import TransformerTokenEncoder

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: RecurrentTokenEncoder(2, 4), "`num_tokens`.*at least 3"),
        (lambda: RecurrentTokenEncoder(9, None), "`latent_dim`.*positive integer"),
        (lambda: RecurrentTokenEncoder(9, 4, cell="rnn"), "`cell`.*'gru'"),
        (lambda: RecurrentTokenDecoder(9, 4, units=0), "`units`.*positive integer"),
        (lambda: RecurrentTokenDecoder(9, 0), "`latent_dim`.*positive integer"),
        (lambda: TransformerTokenDecoder(9, 4, width=6, num_heads=4), "`num_heads` must divide"),
    ],
)
def test_what_makes_no_network(make, word):
    with pytest.raises(ValueError, match=word):
        make()


@pytest.mark.parametrize("kind", [RecurrentTokenEncoder, TransformerTokenEncoder])
def test_the_spread_of_means_is_positive(kind):
    names = [layer.name for layer in kind(5, 2, mean_std=0.5).layers]
    assert "z_mean_normalized" in names
    assert "z_mean_normalized" not in [layer.name for layer in kind(5, 2).layers]
    assert type(kind(5, 2, mean_std=np.float32(0.5)).get_config()["mean_std"]) is float
    for wrong in (0, -1.0, True, float("nan"), "0.5"):
        with pytest.raises(ValueError, match="`mean_std` must be a positive number"):
            kind(5, 2, mean_std=wrong)
