"""What models return goes to NumPy and matplotlib as it is, and keeps no gradients."""

import keras
import numpy as np
import pytest
from families import BY_NAME
from families import FAMILIES

from keras_vae import Distribution

IS_TORCH = keras.config.backend() == "torch"
NO_NUMBERS = (str, bool, int, float, type(None))
FAMILIES = [family for family in FAMILIES if family.model().encode_gives is not None]


def tensors_of(value):
    """Every tensor in what a method returns: of distributions their mean, mode and a draw."""
    if isinstance(value, Distribution):
        for read in (lambda v: v.mean, lambda v: v.mode, lambda v: v.sample()):
            try:
                found = read(value)
            except (NotImplementedError, AttributeError):
                continue  # nominal data have no mean, and sequences are written by the model
            yield from tensors_of(found)
    elif isinstance(value, dict):
        yield from (t for v in value.values() for t in tensors_of(v))
    elif isinstance(value, list | tuple):
        yield from (t for v in value for t in tensors_of(v))
    elif not isinstance(value, NO_NUMBERS):
        yield value


def given_to(family):
    """x, and the condition where the family takes one."""
    return family.pairs() if family.condition is not None else (family.data(),)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_is_inferred_and_decoded(family):
    model, inputs = family.model(), given_to(family)
    inferred = model.encode(*inputs)
    x = family.data()
    z = model.latents(*inputs) if model.encode_gives == "posterior" else None
    found = list(tensors_of(inferred))
    if z is not None:
        found += tensors_of(model.decode(z, *inputs[1:]))
    assert found
    for tensor in found:
        array = np.asarray(tensor)
        assert array.dtype.kind in "fiub"
        assert np.isfinite(array.astype("float64")).all()
        if IS_TORCH:
            assert not tensor.requires_grad
    assert any(len(np.asarray(tensor)) == len(x) for tensor in found)


@pytest.mark.skipif(not IS_TORCH, reason="gradients are kept by tensors on PyTorch only")
def test_in_training_gradients_are_kept():
    family = BY_NAME["vae"]
    model = family.model()
    posterior = model.encode(family.data(), training=True)
    assert posterior.mean.requires_grad
    assert posterior.sample().requires_grad
    assert model.decode(posterior.mean, training=True).mean.requires_grad


def test_pictures_and_points_are_plotted_as_they_are():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    family = BY_NAME["vae"]
    model = family.model()
    posterior = model.encode(family.data())
    figure, axes = pyplot.subplots(1, 4)
    try:
        axes[0].scatter(*np.asarray(posterior.mean)[:, :2].T)
        axes[1].plot(posterior.sample()[:, 0])
        image = axes[2].imshow(model.decode(posterior.mean).mean[0, ..., 0])
        axes[3].hist(posterior.mean[:, 0])
        shown = np.asarray(image.get_array())
    finally:
        pyplot.close(figure)
    expected = keras.ops.convert_to_numpy(model.decode(posterior.mean).mean)[0, ..., 0]
    np.testing.assert_array_equal(shown, expected)
