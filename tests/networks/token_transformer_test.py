import numpy as np
import pytest
from keras import ops

from keras_vae import TransformerTokenDecoder

pytestmark = pytest.mark.one_backend


def test_a_sequence_may_be_longer_than_any_before():
    # What transformers share with recurrent networks is tested in `recurrent_test.py`.
    decoder = TransformerTokenDecoder(9, 3, width=8, num_layers=1, num_heads=2)
    z = np.zeros((1, 3), "float32")
    for length in (1, 700):
        logits = ops.convert_to_numpy(decoder([z, np.full((1, length), 4, "int32")]))
        assert logits.shape == (1, length, 9)
        assert np.isfinite(logits).all()
