from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.quantizers import FiniteScalarQuantizer
from keras_vae.quantizers import GroupedQuantizer
from keras_vae.quantizers import LookupFreeQuantizer
from keras_vae.quantizers import ResidualQuantizer

pytestmark = pytest.mark.compiled_once

COMPOSITES = [GroupedQuantizer, ResidualQuantizer]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("composite", COMPOSITES)
def test_quantizers_at_any_depth_serve_the_model(composite):
    inner = [LookupFreeQuantizer(2) for _ in range(4)]
    quantizer = composite([composite(inner[:2]), composite(inner[2:])])
    assert quantizer.across_replicas(3) == 3
    methods = ("across_replicas", "of_first_replica", "at_this_step")
    model = SimpleNamespace(**dict.fromkeys(methods, lambda value: 2 * value))
    quantizer.serve(model)
    for part in [quantizer, *quantizer.quantizers, *inner]:
        assert [getattr(part, name)(3) for name in methods] == [6, 6, 6]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("composite", COMPOSITES)
def test_composites_of_composites_lay_their_indices_side_by_side(composite):
    inner = [composite([LookupFreeQuantizer(2) for _ in range(2)]) for _ in range(2)]
    quantizer, z_e = composite(inner), normal(3, 5, 8)
    quantized = quantizer(z_e)
    assert quantizer.num_codebooks == 4
    assert quantizer.indices_shape((5, 8)) == (5, 4)
    assert tuple(quantized.indices.shape) == (3, 5, 4)
    np.testing.assert_array_equal(numpy(quantizer.embed(quantized.indices)), numpy(quantized.z_q))
    swapped = numpy(quantizer.embed(ops.flip(quantized.indices, axis=-1)))
    assert np.abs(swapped - numpy(quantized.z_q)).max() > 0


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("composite", COMPOSITES)
def test_the_weights_of_all_quantizers_are_the_composites(composite):
    quantizer = composite([LookupFreeQuantizer(3), LookupFreeQuantizer(3)])
    quantizer.build((None, 5, 8))
    assert len(quantizer.trainable_weights) == 2 * 4
    assert all(part.built for part in quantizer.quantizers)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("composite", COMPOSITES)
def test_the_callers_list_is_his_own(composite):
    quantizers = [LookupFreeQuantizer(2), LookupFreeQuantizer(2)]
    quantizer = composite(quantizers)
    quantizers.pop()
    assert len(quantizer.quantizers) == 2


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (list, "at least two"),
        (lambda: [LookupFreeQuantizer(2)], "at least two"),
        (lambda: LookupFreeQuantizer(2), "at least two"),
        (lambda: [LookupFreeQuantizer(2), keras.layers.Dense(2)], "at least two quantizers"),
        (lambda: [LookupFreeQuantizer(2)] * 2, "the same object twice"),
        (lambda: [LookupFreeQuantizer(2), FiniteScalarQuantizer((2, 3))], r"\[4, 6\]"),
    ],
)
def test_quantizers_are_checked(composite, make, message):
    with pytest.raises(ValueError, match=f"`quantizers` must .*{message}"):
        composite(make())
