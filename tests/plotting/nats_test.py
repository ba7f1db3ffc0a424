import numpy as np
import pytest

from keras_vae.plotting import nats_histogram

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


def test_sets_of_any_size_are_drawn_as_shares_over_the_same_bins():
    rng = np.random.default_rng(0)
    numbers = {"test": rng.normal(-90, 5, 1000), "noise": rng.normal(-300, 30, 50)}
    panel = nats_histogram(numbers).axes[0]
    for container in panel.containers:
        np.testing.assert_allclose(sum(bar.get_height() for bar in container), 1)
    lefts = [[bar.get_x() for bar in container] for container in panel.containers]
    assert lefts[0] == lefts[1]
    texts = [t.get_text() for t in panel.get_legend().get_texts()]
    assert texts[0] == f"test: mean {numbers['test'].mean():.4g}, 1,000 examples"
    assert "nats" in panel.get_xlabel()


def test_the_file(tmp_path):
    nats_histogram({"a": [1.0, 2.0]}, tmp_path / "nats.png", title="two")
    assert (tmp_path / "nats.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("wrong", [{}, {"a": []}, {"a": [1.0], "b": [np.inf]}])
def test_what_cannot_be_drawn(wrong):
    with pytest.raises(ValueError, match="`nats` must hold finite numbers"):
        nats_histogram(wrong)
