import numpy as np
import pytest
from map_networks import networks

import keras_vae
from keras_vae.models.base import tiling

RNG = np.random.default_rng(0)
GAUSSIAN = {"likelihood": keras_vae.GaussianLikelihood(0.5), "seed": 0}


@pytest.mark.parametrize("size", [(37, 70), (8, 8), (64, 41)])
@pytest.mark.parametrize("is_exact", [True, False])
def test_weights_of_tiles_sum_to_one(size, is_exact):
    tiles = tiling.Tiles(4, 2, is_exact)
    ones = np.ones((1, *size, 1), "float32")

    def run(x):
        height, width = (-(-n // 4) for n in x.shape[1:3])
        return [np.ones((1, height, width, 2), "float32")]

    told = []
    (y,) = tiling.over_tiles(run, ones, tiles, 4, 1, told.append)
    cells = [-(-n // 4) for n in size]
    assert y.shape == (1, *cells, 2)
    np.testing.assert_allclose(y, 1, rtol=1e-6)
    assert len(told) == tiling.num_tiles(cells, tiles)


def test_each_piece_is_small():
    model = keras_vae.VAE(*networks(), **GAUSSIAN)
    seen = []
    tiles = tiling.tiles_of(model.encoder, model.stride, True, 16)
    tiling.over_tiles(
        lambda x: seen.append(x.shape) or [np.zeros((1, *(n // 4 for n in x.shape[1:3]), 1))],
        np.zeros((1, 400, 300, 2), "float32"),
        tiles,
        4,
        1,
    )
    side = 4 * (tiles.size + 2 * tiles.margin)
    assert set(seen) == {(1, side, side, 2)}  # one shape is compiled
