from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

from keras_vae.evaluation import codebook_usage
from keras_vae.metrics.codebook_usage import CodebookPerplexity
from keras_vae.metrics.codebook_usage import CodebookUsage

METRICS = [CodebookUsage, CodebookPerplexity]


def draw_indices(*shape, least=0, num_embeddings=5):
    return np.random.default_rng(0).integers(least, num_embeddings, shape).astype("int32")


def result(metric):
    return float(metric.result())


class Model:
    """What `codebook_usage` asks of a model: quantizers, and the codes of x."""

    def __init__(self, indices, **quantizers):
        self.indices = indices
        vars(self).update(quantizers)

    def encode_indices(self, x, condition=None, batch_size=256):
        return self.indices


def quantizer(num_embeddings, num_codebooks=1):
    return SimpleNamespace(num_embeddings=num_embeddings, num_codebooks=num_codebooks)


def test_a_model_gives_what_the_metrics_give():
    indices = draw_indices(6, 2, 3, least=-1)
    measured = codebook_usage(Model(indices, quantizer=quantizer(8, 3)), x=None)
    assert measured.counts.sum() == np.sum(indices >= 0)
    for metric, value in zip(METRICS, measured, strict=False):
        tracker = metric(8, 3)
        tracker.update_state(indices)
        assert ops.convert_to_numpy(tracker.counts).tolist() == measured.counts.tolist()
        assert value == pytest.approx(result(tracker), rel=1e-6)


def test_a_model_of_several_levels_gives_a_list():
    indices = [draw_indices(6, 4), draw_indices(6, 2, 2, num_embeddings=3)]
    model = Model(indices, quantizers=[quantizer(5), quantizer(3, 2)])
    bottom, top = codebook_usage(model, x=None)
    assert bottom.counts.tolist() == [np.bincount(indices[0].ravel(), minlength=5).tolist()]
    assert top.counts.shape == (2, 3)
    assert top.usage == 1.0


def test_a_model_without_codebook_is_refused():
    with pytest.raises(ValueError, match=r"Model has no codebook: .* `quantizer`"):
        codebook_usage(Model(None), x=None)
