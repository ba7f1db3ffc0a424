"""The search for the nearest code: most of the work of a vector quantizer."""

import keras
from keras import ops

from keras_vae.devices import products_are_exact
from keras_vae.indexing import first_largest
from keras_vae.products import matrix_product
from keras_vae.typing import Tensor

TILE_SIZE = 2**21  # 8 MB of float32, which fit into most processor caches
BLOCK_SIZE = 64  # the best score is found within blocks of this many codes before its index


def nearest_codes(z: Tensor, codebook: Tensor) -> Tensor:
    """Returns the index of the code nearest to each row of z; the lowest in a tie.

    `argmin_k |z - e_k|^2 = argmax_k z . e_k - |e_k|^2 / 2`

    The right-hand side is a matrix product, computed for so many rows at a time that at most
    `TILE_SIZE` of the N x K scores exist at once (or K, if that is more). No gradient passes.

    Args:
        z: float32 tensor (N, d).
        codebook: float32 tensor (K, d).

    Returns:
        int32 tensor (N,); 0 for rows that hold NaN.
    """
    num_codes = codebook.shape[0]
    z, codebook = ops.stop_gradient(z), ops.stop_gradient(codebook)
    origin = _origin(codebook)
    z, codes = z - origin, codebook - origin
    biases = -0.5 * ops.sum(ops.square(codes), axis=-1, keepdims=True)
    rows = ops.concatenate([z, ops.ones_like(z[:, :1])], axis=-1)
    codes = ops.concatenate([codes, biases], axis=-1)
    if not products_are_exact():
        (z, z_rest), (codes, codes_rest) = _split(rows), _split(codes)
        rows = ops.concatenate([z, z_rest, z], axis=-1)
        codes = ops.concatenate([codes, codes, codes_rest], axis=-1)

    block_size = min(BLOCK_SIZE, num_codes)
    # Pads to whole blocks by repeating the first codes.
    codes = ops.concatenate([codes, codes[: -num_codes % block_size]])
    codes = ops.transpose(codes)
    found = _tile_by_tile(
        lambda tile: _first_argmax(matrix_product(tile, codes), block_size),
        rows,
        max(1, TILE_SIZE // num_codes),
    )
    return ops.where(found < num_codes, found, found - num_codes)


def _origin(codebook):
    """The mean of the codes in dimensions where they are far from 0, elsewhere 0.

    Far from 0, squares would lose the digits that distinguish the codes. Elsewhere a shift would
    only add rounding, which breaks ties."""
    mean = ops.mean(codebook, axis=0)
    spread = ops.max(ops.abs(codebook - mean))
    return ops.where(ops.abs(mean) > 4 * spread, mean, 0.0)


def _split(x):
    """Splits x into its first 11 bits, all that a TF32 product keeps, and the rest.

    With (a + b)(c + d) = ac + bc + ad up to the negligible bd, three products recover float32."""
    first = ops.view(ops.bitwise_and(ops.view(x, "int32"), -(2**13)), "float32")
    return first, x - first


def _first_argmax(scores, block_size):
    """The first argmax of each row: first over the blocks' maxima, then within the best block.

    A plain argmax carries an index along with each score, and takes longer than the product. On
    PyTorch the scores are instead overwritten with numbers that fall from K to 1 where a score is
    the largest of its row and are 0 elsewhere, and the maximum is taken again.
    """
    if keras.config.backend() == "torch":
        if not isinstance(
            scores.shape[0], int
        ):  # traced by an export, which loses in-place operations
            return ops.argmax(scores, axis=-1)
        num_codes = scores.shape[-1]
        falling = num_codes - ops.arange(num_codes, dtype="float32")
        first = scores.eq_(scores.amax(-1, keepdim=True)).mul_(falling).amax(-1)
        return ops.where(first > 0, num_codes - first, 0.0).int()  # 0 in a row that holds NaN
    num_blocks = scores.shape[-1] // block_size
    blocks = ops.reshape(scores, (-1, block_size))
    maxima = ops.reshape(ops.max(blocks, axis=-1), (-1, num_blocks))
    block = first_largest(maxima)  # (rows,)
    first = ops.arange(ops.shape(block)[0], dtype="int32") * num_blocks
    best = ops.take(blocks, first + block, axis=0)  # whole rows, which TensorFlow copies at once
    return block * block_size + first_largest(best)


def _tile_by_tile(function, rows, tile_size):
    """Returns `function(rows)`, (N,), computed on about `tile_size` rows at a time."""
    num_rows = ops.shape(rows)[0]  # may be unknown while TensorFlow traces
    is_torch = (
        keras.config.backend() == "torch"
    )  # an export traces it with few rows, for any number
    if (is_torch or isinstance(num_rows, int)) and int(num_rows) <= tile_size:
        return function(rows)
    if is_torch:  # each tile is freed before the next
        return ops.concatenate([function(tile) for tile in rows.split(tile_size)])
    num_tiles = _rounded_up(num_rows, tile_size)
    tile_size = _rounded_up(num_rows, num_tiles)  # equal tiles, with hardly any padding
    rows = ops.pad(rows, ((0, num_tiles * tile_size - num_rows), (0, 0)))
    tiles = ops.reshape(rows, (num_tiles, tile_size, rows.shape[-1]))
    return ops.reshape(ops.map(function, tiles), (-1,))[:num_rows]


def _rounded_up(number, divisor):
    # ONNX files written by TensorFlow round quotients of negative numbers towards 0. With symbolic
    # sizes, JAX can only compare the second form.
    if keras.config.backend() == "tensorflow":
        return (number + divisor - 1) // divisor
    return -(-number // divisor)
