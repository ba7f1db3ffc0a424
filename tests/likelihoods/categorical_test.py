import numpy as np
from keras import ops

from keras_vae import likelihoods

RNG = np.random.default_rng(0)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_categorical_takes_class_indices():
    logits, x = RNG.normal(size=(2, 3, 5)), RNG.integers(0, 5, (2, 3))
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = np.take_along_axis(log_p, x[..., None], -1)[..., 0].sum(axis=1)
    measured = numpy(likelihoods.CategoricalLikelihood(5)(logits).log_prob(x))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)
