"""Reading configs of other libraries, and creating configs of this one."""

from collections.abc import Mapping
from typing import Any


def described(class_name: str, **arguments: Any) -> dict[str, Any]:
    """Returns the config of an object of this library, as Keras serialises it."""
    return {
        "module": "keras_vae",
        "class_name": class_name,
        "config": arguments,
        "registered_name": f"keras_vae>{class_name}",
    }


def settings(
    config: Mapping[str, Any],
    defaults: Mapping[str, Any],
    fixed: Mapping[str, Any],
    ignored: tuple[str, ...],
) -> dict[str, Any]:
    """Returns the settings of another library's config, with its defaults.

    Args:
        config: The content of the other library's `config.json`.
        defaults: Dict, setting -> its default.
        fixed: Dict, setting -> the only value supported here, or a tuple of such values.
        ignored: Settings without a meaning here.

    Raises:
        ValueError: If a setting is unknown, or has a value that is not supported here.
    """
    name, own = config["_class_name"], {k: v for k, v in config.items() if not k.startswith("_")}
    for key, value in own.items():
        if key in ignored or key in defaults:
            continue
        allowed = fixed.get(key, None)
        if value != allowed and not (isinstance(allowed, tuple) and value in allowed):
            expected = f"Expected: {allowed!r}. " if key in fixed else "It is not known here. "
            raise ValueError(
                f"This {name} has a setting that keras_vae does not have: `{key}`. {expected}"
                f"Received: {value!r}."
            )
    found = {k: own.get(k, default) for k, default in defaults.items()}
    for key, value in found.items():
        if _kind(defaults[key]) not in (_kind(value), "nothing"):
            raise ValueError(
                f"The configuration of this {name} is damaged: `{key}` must be "
                f"{_kind(defaults[key])}. Received: {value!r}."
            )
    return found


def check_blocks(config: Mapping[str, Any], key: str, expected: str, count: int) -> None:
    """Raises `ValueError` if a stage is not of the type that is supported here."""
    types = config.get(key, [expected] * count)
    if types != [expected] * count:
        raise ValueError(
            f"This {config['_class_name']} has stages that keras_vae does not have. Expected: "
            f"`{key}` with {count} of {expected!r}. Received: {types!r}."
        )


def check_range(value_range: Any, expected: tuple[float, float], name: str) -> None:
    """Raises `ValueError` if a model's pictures have another range than the class takes."""
    if value_range is None or tuple(value_range) != expected:
        raise ValueError(
            f"{name} takes pictures with values in [{expected[0]:g}, {expected[1]:g}], but this "
            "model does not declare that its own do. Expected: "
            f"likelihood=GaussianLikelihood(value_range={expected}). Received: "
            f"value_range={value_range!r}."
        )


def _kind(value):
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list | tuple) else "nothing"
