import numpy as np
import pytest

from keras_vae.plotting import code_maps
from keras_vae.plotting import codebook_histogram

pytestmark = pytest.mark.one_backend

pytest.importorskip("matplotlib")


def test_codes_are_sorted_by_use():
    panel = codebook_histogram(np.array([1, 0, 6, 1])).axes[0]
    np.testing.assert_allclose([bar.get_height() for bar in panel.patches], [0.75, 0.125, 0.125, 0])
    (equal,) = panel.get_lines()
    assert set(equal.get_ydata()) == {0.25}
    perplexity = 0.75**-0.75 * 0.125**-0.25
    texts = [t.get_text() for t in panel.get_legend().get_texts()]
    assert f"75% used, perplexity {perplexity:.1f}" in texts
    assert panel.get_yscale() == "linear"


def test_where_one_code_does_nearly_all_the_others_are_seen():
    assert codebook_histogram(np.array([1000, *[1] * 99])).axes[0].get_yscale() == "log"


def test_each_of_several_codebooks_has_a_line():
    panel = codebook_histogram(np.array([[1, 1], [3, 1]])).axes[0]
    texts = [t.get_text() for t in panel.get_legend().get_texts()]
    assert any(t.startswith("codebook 1: 100% used, perplexity 2.0") for t in texts)
    assert any(t.startswith("codebook 2") for t in texts)


@pytest.mark.parametrize("wrong", [np.zeros(4), np.array([-1, 2]), np.ones((1, 2, 3))])
def test_what_counts_no_codes(wrong):
    with pytest.raises(ValueError, match="`counts`"):
        codebook_histogram(wrong)


def pixels_of(figure):

    return np.asarray(figure.axes[0].images[0].get_array())


def test_the_same_code_has_the_same_colour_wherever_it_is():
    x = np.random.default_rng(0).random((2, 4, 4, 1))
    indices = np.array([[[0, 1], [2, 3]], [[3, 2], [1, 0]]])
    canvas = pixels_of(code_maps(x, indices, 4, columns=2))
    zoom = canvas.shape[1] // 9  # two pictures of 4 and a pixel between
    below = canvas[::zoom, ::zoom][5:]
    first, second = below[:, :4], below[:, 5:]
    np.testing.assert_array_equal(first, second[::-1, ::-1])
    assert len(np.unique(first.reshape(-1, 3), axis=0)) == 4
    np.testing.assert_array_equal(first[0, 0], first[1, 1])  # a code covers 2 by 2 pixels


@pytest.mark.parametrize(
    "indices, message",
    [
        (np.zeros((2, 3, 3), int), "multiples"),
        (np.full((2, 2, 2), 4), "from 0 to 3"),
        (np.full((2, 2, 2), -1), "from 0 to 3"),
        (np.zeros((1, 2, 2), int), "`indices`"),
    ],
)
def test_codes_that_do_not_fit(indices, message):
    with pytest.raises(ValueError, match=message):
        code_maps(np.zeros((2, 4, 4)), indices, 4)
