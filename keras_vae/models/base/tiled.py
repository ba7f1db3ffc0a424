"""A model's encoder and decoder over large pictures, tile by tile."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_vae.models.base import any_size
from keras_vae.models.base import locality
from keras_vae.models.base import tiling
from keras_vae.models.base.conditional_model import as_input


def encoded(
    model: Any, x: np.ndarray, conditions: Sequence, tile: int, overlap: int | None, verbose: int
) -> list[np.ndarray]:
    """Returns all outputs of the encoder for x."""
    _check(model, tile)
    halves = locality.halves(model.encoder, is_encoder=True)
    tiles = tiling.tiles_of(
        halves.near if halves else model.encoder, model.stride, True, tile, overlap
    )

    def of_tile(x, *c):
        if halves is None:
            return tuple(model.encoder_outputs(x, model.embedded(*c)))
        x = any_size.padded_by_reflection(as_input(x), model.stride)
        return (model.output_of(halves.near, x),)

    run = model.jitted_once("encoded tile", of_tile)
    outputs = _in_tiles(run, x, conditions, tiles, model.stride, 1, verbose)
    if halves is None:
        return outputs
    of_whole = model.jitted_once(
        "encoded whole", lambda h: tuple(keras.tree.flatten(model.output_of(halves.whole, h)))
    )
    return _one_by_one(of_whole, outputs[0])


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
    _check(model, tile)
    halves = locality.halves(model.decoder, is_encoder=False)
    tiles = tiling.tiles_of(
        halves.near if halves else model.decoder, model.stride, False, tile, overlap
    )
    if halves is not None:
        of_whole = model.jitted_once(
            "decoded whole", lambda z: (model.output_of(halves.whole, as_input(z)),)
        )
        (z,) = _one_by_one(of_whole, z)

    def of_tile(z, *c):
        network = model.decoder if halves is None else halves.near
        parameters = model.output_of(network, model.with_condition(z, model.embedded(*c)))
        if what == "parameters":
            return (parameters,)
        return (model.likelihood.point(model.likelihood(parameters)),)

    run = model.jitted_once(("decoded tile", what), of_tile)
    return _in_tiles(run, z, conditions, tiles, 1, model.stride, verbose)[0]


def _check(model, tile):
    if not model.is_of_any_size or not model.can_tile:
        raise ValueError(
            "`tile` is for models with one latent map of pictures of any size. Received: "
            f"tile={tile!r}, and a {type(model).__name__} of data of shape {model.data_shape}. "
            "Leave it out, or use networks such as ConvMapEncoder((None, None, 3), ...)."
        )


def _one_by_one(run, x):
    """Returns the results of a function of one map at a time, as NumPy arrays."""
    of_each = [run(x[i : i + 1]) for i in range(len(x))]
    return [np.concatenate(arrays) for arrays in zip(*of_each, strict=True)]


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
    if len(of_each) == 1:  # avoids a copy, which may be large
        return of_each[0]
    return [np.concatenate(arrays) for arrays in zip(*of_each, strict=True)]
