import pytest

from keras_vae import RecurrentTokenDecoder
from keras_vae import RecurrentTokenEncoder
from keras_vae import TransformerTokenDecoder

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
