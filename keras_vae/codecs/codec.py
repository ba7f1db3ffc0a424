"""From the data of a model to the bytes of a file, and back."""

import math
from typing import Any

import keras
import numpy as np

from keras_vae.checks import check_count
from keras_vae.codecs import file_format
from keras_vae.codecs.bits_back import BitsBackCode
from keras_vae.codecs.file_format import Content
from keras_vae.codecs.file_format import Reader
from keras_vae.codecs.file_format import Writer
from keras_vae.codecs.offsets import UnsettledError
from keras_vae.codecs.offsets import shorter_blocks
from keras_vae.codecs.sequences import CodesCode
from keras_vae.codecs.sequences import SequenceCode
from keras_vae.codecs.stack import Stack
from keras_vae.devices import products_are_exact
from keras_vae.typing import Array

_SHORTER = (
    1,
    2,
    4,
    8,
    16,
)  # factors by which blocks are shortened if there is no offset for longer ones
_PIECE = 256  # examples held as integers and float64 at once
_BOUNDED = 1024  # examples whose bound is computed at once


def compress(
    model: Any, x: Array, condition: Array = None, batch_size: int = 64, verbose: int = 0
) -> bytes:
    """Returns the bytes of a compressed file of x; see `GenerativeModel.compress`."""
    batch_size = check_count("batch_size", batch_size)
    scheme = _scheme_of(model)
    _check_arithmetic(model)
    x, *conditions = _checked_inputs(model, x, condition)
    dtype = x.dtype.name
    file_format.dtype_code(dtype)
    for times in _SHORTER:
        stack = Stack()
        code: Any = _coder(scheme)(model, batch_size)
        bar = keras.utils.Progbar(len(x), verbose=verbose, unit_name="example")
        try:
            with shorter_blocks(times):
                checksum, nats = _written(model, code, stack, [x, *conditions], batch_size, bar.add)
            break
        except UnsettledError:
            if times == _SHORTER[-1]:
                raise
    writer = Writer()
    code.write_settings(writer)
    words, num_initial = stack.words()
    return file_format.write_file(
        scheme,
        model.weights_sha256(),
        x.shape,
        dtype,
        nats / math.log(2) / x.size,
        Content(checksum, writer.data, words, num_initial),
    )


def _written(model, code, stack, inputs, batch_size, report):
    """Writes x, and returns the checksum of the content and its bound in nats."""
    x, *conditions = inputs
    if isinstance(code, CodesCode):
        given = _of_model(model, conditions)
        levels = model.indices_of(x, *given, batch_size=batch_size)
        code.write(stack, levels, conditions, report)
        return file_format.content_checksum(levels), code.nats(levels, conditions)
    code.write(stack, x, conditions, report)
    return file_format.content_checksum(_symbols(code, x)), -_bound(model, x, conditions)


def decompress(
    model: Any, data: bytes, condition: Array = None, batch_size: int = 64, verbose: int = 0
) -> np.ndarray:
    """Returns the x of a file; see `GenerativeModel.decompress`."""
    batch_size = check_count("batch_size", batch_size)
    info, content = file_format.read_file(data)
    scheme = _scheme_of(model)
    _check_model(model, info, scheme)
    _check_arithmetic(model)
    conditions = list(_conditions(model, condition, info.num_examples))
    bar = keras.utils.Progbar(info.num_examples, verbose=verbose, unit_name="example")
    code: Any = _coder(scheme)(model, batch_size)
    try:
        stack = Stack(content.words, content.num_initial)
        code.read_settings(Reader(content.settings))
        if scheme == "codes":
            levels = code.read(stack, info.num_examples, conditions, bar.add)
            checksum = file_format.content_checksum(levels)
        else:
            x = np.empty((info.num_examples, *info.shape), info.dtype)
            code.read(stack, x, conditions, bar.add)
            checksum = file_format.content_checksum(_symbols(code, x))
    except (ValueError, LookupError, ArithmeticError, AssertionError, MemoryError) as error:
        raise ValueError(_undecodable(model)) from error
    if checksum != content.checksum or not stack.is_back_at_start():
        raise ValueError(_undecodable(model))
    if scheme != "codes":
        return x
    given = _of_model(model, conditions)
    return model.decode_indices(model.for_user(levels), *given).astype(info.dtype, copy=False)


def _scheme_of(model):
    """Returns how the data of a model are coded."""
    if not model.built:
        raise ValueError(
            f"This {type(model).__name__} has no weights yet. Train it, or load a preset."
        )
    if None in model.data_shape:
        raise NotImplementedError(
            "Compressed files hold examples of one shape, but those of this "
            f"{type(model).__name__} have any size or length: {model.data_shape}."
        )
    if model.sample_draws == "elements":
        if not hasattr(model, "num_embeddings"):
            raise NotImplementedError(
                "Of the autoregressive models, only PixelCNN and TransformerPrior can write "
                f"compressed files. Received: {type(model).__name__}, whose sequences have any "
                "length."
            )
        return "direct"
    if model.encode_gives == "codes":
        return "codes"
    if model.encode_gives in ("posterior", "posteriors"):
        return "bits-back"
    raise NotImplementedError(
        f"{type(model).__name__} has no bound on log p(x), which compression needs. Expected: a "
        "VAE, a model of codes, or an autoregressive model."
    )


def _coder(scheme):
    return {"direct": SequenceCode, "codes": CodesCode, "bits-back": BitsBackCode}[scheme]


def _symbols(code, x):
    """Yields x as integers from which it can be restored, a few examples at a time."""
    for start in range(0, len(x), _PIECE):
        piece = x[start : start + _PIECE]
        symbols = code.symbols(piece)
        if not np.array_equal(code.values(symbols, x.dtype.name), piece):
            raise ValueError(
                "`x` holds values that would come back rounded. Expected: exactly the levels of "
                f"the model's likelihood, as {x.dtype.name}. Received: data between them. Divide "
                '8-bit pictures by 255 with `x.astype("float32") / 255`, and do not resize them '
                "afterwards."
            )
        yield symbols


def _bound(model, x, conditions):
    """Returns the model's bound on log p(x), summed over examples, in nats, from one draw of z."""
    total, is_drawn = 0.0, model.log_likelihood_is == "estimate"
    for start in range(0, len(x), _BOUNDED):
        given = [a[start : start + _BOUNDED] for a in (x, *conditions)]
        options = {"num_samples": 1, "seed": start} if is_drawn else {}
        total += float(np.sum(model.log_likelihood(*given, **options)))
    return total


def _checked_inputs(model, x, condition):
    """Returns x and, if the model or its prior takes one, the condition, as NumPy arrays."""
    (x, *_) = model.check_inputs(x, condition if model.condition is not None else None)
    return (x, *_conditions(model, condition, len(x)))


def _conditions(model, condition, num_examples):
    """Returns the conditions of all examples, if the model or its prior takes them."""
    if model.condition is None and model.sample_condition is not None:
        return model.priors[-1].conditions_for(condition, num_examples)
    return model.conditions_for(condition, num_examples)


def _of_model(model, conditions):
    """Returns the conditions, if the networks take them and not only the prior of codes."""
    return conditions if model.condition is not None else []


def _check_model(model, info, scheme):
    own = model.weights_sha256()
    if own != info.model_sha256:
        raise ValueError(
            f"This file was written with another model. Expected: weights with the sha256 "
            f"{info.model_sha256[:16]}... Received: a {type(model).__name__} with {own[:16]}... "
            "Load the preset that the file was compressed with."
        )
    if scheme != info.scheme or tuple(model.data_shape) != info.shape:
        raise ValueError(
            f"This file holds {info.scheme} data of shape {info.shape}, but the model takes "
            f"{scheme} data of shape {tuple(model.data_shape)}."
        )


def _check_arithmetic(model):
    """Raises `ValueError` if networks are not computed in float32."""
    policies = {
        layer.compute_dtype for layer in model._flatten_layers() if layer.compute_dtype != "float32"
    }
    floats = sorted(p for p in policies if p and "float" in p)
    if floats or not products_are_exact():
        what = f"dtypes {', '.join(floats)}" if floats else "a GPU that rounds factors to TF32"
        raise ValueError(
            "Compressed files need networks that are computed in float32, so that every machine "
            f"finds nearly the same numbers. Received: {what}. Load the model with the policy "
            "float32, and run it on a CPU or on PyTorch."
        )


def _undecodable(model):
    return (
        "The content of this file does not match its checksum, although the file is complete: the "
        f"networks of {type(model).__name__} give different numbers here than where it was "
        "written, or the condition is a different one. Decompress on a CPU, in float32, with the "
        "condition that it was compressed with."
    )
