import numpy as np
import pytest
from keras import ops

import keras_vae
from keras_vae.conditions import CodeCondition
from keras_vae.models import PixelCNN
from keras_vae.models import TransformerPrior
from keras_vae.models.base import code_priors

pytestmark = pytest.mark.compiled_once

SMALL = {"width": 8, "num_layers": 1, "num_heads": 2}


def test_default_priors_of_grids_and_of_sequences():
    for top, families in (
        ((2, 2), (PixelCNN, PixelCNN)),
        ((2, 2, 3), (TransformerPrior, TransformerPrior)),
    ):
        shapes, sizes = [(4, 4), top], [5, 6]
        below, above = priors = code_priors.default_priors(shapes, sizes)
        assert tuple(map(type, priors)) == families
        assert (below.data_shape, below.num_embeddings) == ((4, 4), 5)
        assert isinstance(below.condition, CodeCondition)
        assert (below.condition.raw_shape, below.condition.num_embeddings) == (top, 6)
        assert above.condition is None
        assert code_priors.check_priors(priors, shapes, sizes) == priors


def test_uniform_codes_cost_the_logarithm_of_their_number():
    indices = [np.zeros((3, 4, 4), "int32"), np.zeros((3, 2), "int32")]
    costs = code_priors.code_costs([], indices, None, [5, 7])
    for cost, nats in zip(costs, (16 * np.log(5), 2 * np.log(7)), strict=True):
        np.testing.assert_allclose(np.asarray(cost), [nats] * 3, rtol=1e-6)


def test_what_each_level_is_told():
    top = TransformerPrior((2,), 3, condition=keras_vae.LabelCondition(2), **SMALL)
    priors = [TransformerPrior((4,), 3, condition=CodeCondition((2,), 3), **SMALL), top]
    below, above, labels = np.zeros((5, 4)), np.ones((5, 2)), np.arange(5)
    pairs = code_priors.training_pairs(priors, [below, above], labels)
    assert pairs[0][0] is below
    assert pairs[0][1] is above
    assert pairs[1][1] is labels
    priors[1] = TransformerPrior((2,), 3, **SMALL)
    assert code_priors.training_pairs(priors, [below, above], labels)[1] == (above,)


@pytest.mark.slow
def test_training_leaves_a_prior_as_frozen_as_it_was():
    codes = np.random.default_rng(0).integers(0, 3, (8, 2))
    for trainable in (True, False):
        prior = TransformerPrior((2,), 3, **SMALL)
        prior.trainable = trainable
        before = prior.get_weights()
        history = code_priors.train(prior, (codes,), "adam", held_out=(codes,), verbose=0)
        assert "val_nll" in history.history
        assert prior.trainable is trainable
        after = prior.get_weights()
        assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("shape", [(2,), (3, 2)])
def test_indices_are_made_int32(shape):
    indices = code_priors.check_indices(np.zeros((4, *shape), "uint8"), shape, 3)
    assert indices.dtype == np.int32
    with pytest.raises(ValueError, match="from 0 to 2"):
        code_priors.check_indices(indices + 3, shape, 3)


def test_codes_that_are_left_out_cost_nothing():
    below, above = np.array([[[0, 1], [2, -1]], [[-1, -1], [-1, -1]]]), np.array([[0, -1]] * 2)
    indices = [ops.convert_to_tensor(i, "int32") for i in (below, above)]
    costs = [ops.convert_to_numpy(c) for c in code_priors.code_costs([], indices, None, [3, 5])]
    np.testing.assert_allclose(costs, [[3 * np.log(3), 0], [np.log(5), np.log(5)]], rtol=1e-6)

    told = CodeCondition((2,), 5)
    priors = [TransformerPrior((2, 2), 3, condition=told, **SMALL), PixelCNN((1, 2), 5, 4, 1)]
    rng = np.random.default_rng(0)
    for prior in priors:
        prior.head.kernel.assign(rng.normal(size=prior.head.kernel.shape))
    indices[1] = indices[1][:, None]
    found = code_priors.code_costs(priors, indices, None, [3, 5])
    given = priors[0].given(indices[1])
    for cost, prior, codes, c in zip(found, priors, indices, (given, None), strict=True):
        log_probs = ops.convert_to_numpy(prior.distribution(codes, c).log_probs)
        codes = ops.convert_to_numpy(codes)
        by_hand = np.take_along_axis(log_probs, np.maximum(codes, 0)[..., None], -1)[..., 0]
        by_hand = -np.sum(np.where(codes >= 0, by_hand, 0), axis=tuple(range(1, codes.ndim)))
        np.testing.assert_allclose(ops.convert_to_numpy(cost), by_hand, rtol=1e-5, atol=1e-6)
