"""A model's encoder and decoder over large pictures, tile by tile."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_vae.models.base import tiling


def encoded(
    model: Any, x: np.ndarray, conditions: Sequence, tile: int, overlap: int | None, verbose: int
) -> list[np.ndarray]:
    """Returns all that the encoder gives for x."""
    tiles = _tiles(model, model.encoder, tile, overlap)
    run = model.jitted_once(
        "encoded tile", lambda x, *c: tuple(model.encoder_outputs(x, model.embedded(*c)))
    )
    return _in_tiles(run, x, conditions, tiles, model.stride, 1, verbose)


def decoded(
    model: Any,
    what: str,
    z: np.ndarray,
    conditions: Sequence,
    tile: int,
    overlap: int | None,
    verbose: int,
) -> np.ndarray:
    """Returns the decoder's "parameters" for z, or the "point" of p(x|z)."""
    tiles = _tiles(model, model.decoder, tile, overlap)

    def of_tile(z, *c):
        parameters = model.decoder(model.with_condition(z, model.embedded(*c)))
        if what == "parameters":
            return (parameters,)
        return (model.likelihood.point(model.likelihood(parameters)),)

    run = model.jitted_once(("decoded tile", what), of_tile)
    return _in_tiles(run, z, conditions, tiles, 1, model.stride, verbose)[0]


def _tiles(model, network, tile, overlap):
    if not model.is_of_any_size or not model.can_tile:
        raise ValueError(
            "`tile` is for models with one latent map of pictures of any size. Received: "
            f"tile={tile!r}, and a {type(model).__name__} of data of shape {model.data_shape}. "
            "Leave it out, or use networks such as ConvMapEncoder((None, None, 3), ...)."
        )
    return tiling.tiles_of(network, model.stride, network is model.encoder, tile, overlap)


def _in_tiles(run, x, conditions, tiles, scale_in, scale_out, verbose):
    cells = [-(-n // scale_in) for n in x.shape[1:3]]
    bar = keras.utils.Progbar(
        len(x) * tiling.num_tiles(cells, tiles), verbose=verbose, unit_name="tile"
    )
    of_each = [
        tiling.over_tiles(
            lambda part, i=i: run(part, *(c[i : i + 1] for c in conditions)),
            x[i : i + 1],
            tiles,
            scale_in,
            scale_out,
            bar.add,
        )
        for i in range(len(x))
    ]
    if len(of_each) == 1:  # a large one, say, which is not copied
        return of_each[0]
    return [np.concatenate(arrays) for arrays in zip(*of_each, strict=True)]
