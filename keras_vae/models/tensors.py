"""A model's weights as named arrays, and back."""

import re

import keras
import numpy as np


def named_variables(model):
    """Returns `{name: variable}` of all weights, in a fixed order.

    A name is the model's own word for the part (`encoder`, `decoder`, `prior`, ...), or `model`
    for what is in no part, and the path inside it. The numbers that Keras appends to layer names
    count every layer of the process; they are replaced by the order within the part.

    Args:
        model: a built model with `parts()`.
    """
    named, seen = {}, set()
    for part_name, part in {**model.parts(), "model": model}.items():
        own_names = {model.name, part.name}
        counter = {}
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


def arrays_of(model):
    """Returns `{name: NumPy array}` of all weights; half-precision ones widened to float32."""
    arrays = {k: keras.ops.convert_to_numpy(v) for k, v in named_variables(model).items()}
    return {k: a.astype("float32") if a.dtype.itemsize < 4 else a for k, a in arrays.items()}


def assign_all(model, tensors, source):
    """Assigns every weight from `tensors`, or none.

    Args:
        model: a built model.
        tensors: dict, name -> NumPy array.
        source: where they come from, for messages.

    Raises:
        ValueError: a tensor is missing, unknown, of another shape or type, or not finite. Nothing
            has been assigned then.
    """
    variables = named_variables(model)
    missing, unknown = variables.keys() - tensors.keys(), tensors.keys() - variables.keys()
    if missing or unknown:
        raise ValueError(
            f"The weights in {source} do not belong to this model. "
            f"Missing: {sorted(missing) or 'none'}. Unknown: {sorted(unknown) or 'none'}. Nothing "
            "was assigned."
        )
    problems = [p for k, v in variables.items() if (p := _problem(k, v, tensors[k]))]
    if problems:
        raise ValueError(
            f"The weights in {source} cannot be used: {problems[0]}. Nothing was assigned."
        )
    for name, variable in variables.items():
        variable.assign(tensors[name])


def _problem(name, variable, tensor):
    if tuple(tensor.shape) != tuple(variable.shape):
        return f"{name!r} has shape {tensor.shape}, the model's is {tuple(variable.shape)}"
    if tensor.dtype.kind != "f":
        return f"{name!r} has dtype {tensor.dtype}, expected floating point"
    if not np.isfinite(tensor).all():
        return f"{name!r} holds values that are not finite"
    return None


def _renumbered(path, counter):
    """Replaces each component's number by its order among its siblings of the same name."""
    renamed = []
    for component in path:
        base = re.sub(r"_\d+$", "", component)
        siblings = counter.setdefault((*renamed, base), {})
        number = siblings.setdefault(component, len(siblings))
        renamed.append(f"{base}_{number}" if number else base)
    return renamed
