"""Plain objects that configure a part of a layer's computation."""

from collections.abc import Callable
from typing import Any
from typing import Self
from typing import TypeVar

T = TypeVar("T")


class Configured:
    """Base class of objects that are passed to a layer and saved with it.

    Such an object has arguments but no weights, so several layers may share it.
    """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Creates an object from its config."""
        return cls(**config)


def check_configured(argument: str, value: Any, kind: type[T], default: Callable[[], T]) -> T:
    """Returns `value`, or `default()` if it is `None`.

    Raises:
        ValueError: If `value` is neither `None` nor an instance of `kind`.
    """
    value = default() if value is None else value
    if not isinstance(value, kind):
        raise ValueError(
            f"`{argument}` must be a {kind.__name__}, such as {default.__name__}(). Received: "
            f"{value!r}."
        )
    return value
