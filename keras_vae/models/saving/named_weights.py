"""A model's weights as named arrays, and back."""

import hashlib
import re

import keras
import numpy as np


def named_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Returns `{name: variable}` of all weights, in a fixed order.

    A name consists of the model's name for the part (`encoder`, `decoder`, `prior`, ...), or
    `model` for variables in no part, and the path inside it. The numbers that Keras appends to
    layer names count all layers of the process; they are replaced by the order within the part.

    Args:
        model: A built model with `parts()`.
    """
    named, seen = {}, set()
    for part_name, part in {**model.parts(), "model": model}.items():
        own_names = {model.name, part.name}
        counter: dict = {}
        for variable in part.weights:
            if id(variable) in seen:
                continue
            seen.add(id(variable))
            path = variable.path.split("/")
            while len(path) > 1 and path[0] in own_names:
                path.pop(0)
            name = "/".join([part_name, *_renumbered(path, counter)])
            if name in named:
                raise ValueError(
                    f"Two weights are named {name!r}, so a file could not tell them apart. Give "
                    "the layers of the network different names."
                )
            named[name] = variable
    return named


def arrays_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Returns `{name: NumPy array}` of all weights; half-precision ones widened to float32."""
    arrays = {k: keras.ops.convert_to_numpy(v) for k, v in named_variables(model).items()}
    return {k: a.astype("float32") if a.dtype.itemsize < 4 else a for k, a in arrays.items()}


def stored(arrays: dict[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """Returns the arrays of `arrays_of` as stored in a file: float32 ones as `dtype`."""
    return {k: a.astype(dtype) if a.dtype == "float32" else a for k, a in arrays.items()}


def sha256_of(model: keras.Model) -> str:
    """Returns the sha256 of all weights, with their names and shapes, as 64 hexadecimal digits.

    It is the same on every backend, and for a model that was saved and loaded.
    """
    digest = hashlib.sha256()
    for name, array in sorted(arrays_of(model).items()):
        digest.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def check_table(model: keras.Model, table: dict, source: str) -> None:
    """Checks that a file's tensors are this model's, before any of them is read.

    Args:
        model: A built model.
        table: Dict from names to objects with `shape` and `dtype`.
        source: Where they come from, for messages.

    Raises:
        ValueError: If a tensor is missing, unknown, or of another shape or type.
    """
    variables = named_variables(model)
    missing, unknown = variables.keys() - table.keys(), table.keys() - variables.keys()
    if missing or unknown:
        raise ValueError(
            f"The weights in {source} do not belong to this {type(model).__name__}: they were "
            f"saved from another architecture. Missing: {_listed(missing)}. Unknown: "
            f"{_listed(unknown)}. Nothing was assigned. Save the model again, both files."
        )
    _raise_first((_misfit(k, v, table[k]) for k, v in variables.items()), source)


def check_finite(model: keras.Model, tensors: dict[str, np.ndarray], source: str) -> None:
    """Raises `ValueError` if a tensor has values that are not finite in the model's precision.

    To be called after `check_table`.

    Args: See `assign_all`.
    """
    variables = named_variables(model)
    _raise_first((_infinity(k, v, tensors[k]) for k, v in variables.items()), source)


def assign_all(model: keras.Model, tensors: dict[str, np.ndarray], source: str) -> None:
    """Assigns every weight from `tensors`, or none.

    Args:
        model: A built model.
        tensors: Dict from names to NumPy arrays.
        source: Where they come from, for messages.

    Raises:
        ValueError: If a tensor is missing, unknown, of another shape or type, or not finite.
            Nothing is assigned then.
    """
    check_table(model, tensors, source)
    check_finite(model, tensors, source)
    for name, variable in named_variables(model).items():
        variable.assign(tensors[name])


def _raise_first(problems, source):
    problem = next(filter(None, problems), None)
    if problem:
        raise ValueError(
            f"The weights in {source} cannot be used: {problem}. Nothing was assigned. They were "
            "damaged or made by another program: save or fetch the model again."
        )


def _misfit(name, variable, tensor):
    if tuple(tensor.shape) != tuple(variable.shape):
        return f"{name!r} has shape {tuple(tensor.shape)}, the model's is {tuple(variable.shape)}"
    is_double = variable.dtype == "float64"
    expected = ("float64",) if is_double else ("float32", "float16")  # as they are stored
    if not keras.backend.is_float_dtype(variable.dtype) or tensor.dtype not in expected:
        return f"{name!r} has dtype {tensor.dtype}, expected floating point ({expected[0]})"
    return None


def _infinity(name, variable, tensor):
    if not np.isfinite(tensor).all():
        return f"{name!r} holds values that are not finite"
    if variable.dtype == "float16" and (abs(tensor) > np.finfo("float16").max).any():
        return f"{name!r} holds values that are not finite in the model's float16"
    return None


def _listed(names, limit=5):
    shown = [name[:100] for name in sorted(names)[:limit]]
    return f"{shown} of {len(names)}" if len(names) > limit else shown or "none"


def _renumbered(path, counter):
    """Replaces each component's number by its order among its siblings of the same name."""
    renamed = []
    for component in path:
        base = re.sub(r"_\d+$", "", component)
        siblings = counter.setdefault((*renamed, base), {})
        number = siblings.setdefault(component, len(siblings))
        renamed.append(f"{base}_{number}" if number else base)
    return renamed
