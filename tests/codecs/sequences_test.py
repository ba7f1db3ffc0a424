import math

import numpy as np
import pytest

pytest.importorskip("constriction")

from families import BY_NAME

from keras_vae import PixelCNN
from keras_vae.codecs.file_format import Reader
from keras_vae.codecs.file_format import Writer
from keras_vae.codecs.sequences import SequenceCode
from keras_vae.codecs.stack import Stack

pytestmark = pytest.mark.compiled_once

N = 120  # so many that whole words do not matter


def moved(name):
    """Returns a model whose probabilities differ, and data."""
    model, rng = BY_NAME[name].model(), np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(weight + rng.normal(scale=0.2, size=weight.shape))
    return model, rng.integers(0, model.num_embeddings, (N, *model.data_shape)).astype("int32")


@pytest.mark.parametrize("name", ["pixel_cnn", "transformer_prior"])
def test_integers_cost_their_probability_and_come_back(name):
    model, x = moved(name)
    condition = list(BY_NAME[name].pairs(N)[1:])
    code, stack, writer = SequenceCode(model, 8), Stack(), Writer()
    code.write(stack, x, condition, lambda n: None)
    code.write_settings(writer)
    words, num_initial = stack.words()
    nats = -model.log_likelihood(x, *condition).sum()
    assert 32 * (len(words) - num_initial) == pytest.approx(nats / math.log(2), rel=0.03)

    reader = SequenceCode(model, 11)
    reader.read_settings(Reader(writer.data))
    found = np.empty_like(x)
    reader.read(Stack(words, num_initial), found, condition, lambda n: None)
    np.testing.assert_array_equal(found, x)


def test_a_reader_of_sixteen_pictures_at_once():
    # TensorFlow's own kernels for processors ended the process here.
    model = PixelCNN((28, 28, 1), 2, filters=8, num_blocks=1, first_kernel_size=15, seed=0)
    x = np.random.default_rng(0).integers(0, 2, (16, 28, 28, 1)).astype("int32")
    found = model.decompress(model.compress(x, batch_size=16), batch_size=16)
    np.testing.assert_array_equal(found, x)
