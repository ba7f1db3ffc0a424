"""The same weights and the same noise give the same numbers on every installed backend."""

import numpy as np
import pytest
from families import FAMILIES
from workers import run_worker

from keras_vae.backend import installed_backends

BACKENDS = installed_backends()
pytestmark = [
    pytest.mark.skipif(len(BACKENDS) < 2, reason="one backend is installed"),
    pytest.mark.slow,  # and the same on whichever backend the suite runs
]
every_family = pytest.mark.parametrize("family", [f.name for f in FAMILIES])


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """`{backend: {"family: quantity": array}}`, one process a backend."""
    folder = tmp_path_factory.mktemp("agreement")
    for backend in BACKENDS:
        run_worker("support/agreement_worker", folder, backend, backend=backend)
    return {backend: dict(np.load(folder / f"{backend}.npz")) for backend in BACKENDS}


def compare(computed, family, quantity, rtol, atol):
    reference, *others = (computed[backend] for backend in BACKENDS)
    keys = [k for k in reference if k.startswith(f"{family}: {quantity}")]
    assert keys
    for other, backend in zip(others, BACKENDS[1:], strict=True):
        for key in keys:
            scale = np.abs(reference[key]).max()
            np.testing.assert_allclose(
                other[key],
                reference[key],
                rtol=rtol,
                atol=rtol * scale + atol,
                err_msg=f"{key}, {backend} against {BACKENDS[0]}",
            )


@pytest.mark.first_case_elsewhere
@every_family
def test_terms(computed, family):
    compare(computed, family, "term", rtol=1e-5, atol=0)


def test_scores(computed):
    scored = {key.split(":")[0] for key in computed[BACKENDS[0]] if ": score" in key}
    assert {"vae", "cvae", "iwae"} < scored
    for family in scored:
        compare(computed, family, "score", rtol=1e-4, atol=0)


@pytest.mark.first_case_elsewhere
@every_family
def test_gradients(computed, family):
    # A gradient is the change a unit step makes: the weights' rounding comes on top.
    compare(computed, family, "gradient", rtol=1e-4, atol=1e-6)


@pytest.mark.first_case_elsewhere
@every_family
def test_three_updates_with_momentum(computed, family):
    compare(computed, family, "three updates", rtol=1e-4, atol=1e-6)


@pytest.mark.first_case_elsewhere
@every_family
def test_presets_saved_on_one_backend_give_the_same_outputs_on_the_others(computed, family):
    compare(computed, family, "predict", rtol=0, atol=1e-5)
    if family != "keras_example":  # which has no preset
        compare(computed, family, "bound of the preset", rtol=0, atol=0.01)  # nats
