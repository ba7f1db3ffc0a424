"""Checks of arguments, shared by several packages."""

from collections.abc import Collection
from numbers import Integral
from numbers import Real
from typing import Any

MAX_DRAWS = 10**8  # of z per example; takes hours, with 1e-4 times the error of one draw


def is_number(value: Any) -> bool:
    """Returns whether a value is a real number of Python or NumPy, not a boolean."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_count(argument: str, value: Any, least: int = 1) -> int:
    """Returns `value` as an int.

    Raises:
        ValueError: If `value` is not an integer of at least `least`.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ValueError(f"`{argument}` must be {kind}. Received: {value!r}.")
    return int(value)


def check_num_draws(argument: str, value: Any) -> int:
    """Returns a number of draws for each example as an int.

    Raises:
        ValueError: If `value` is not a positive integer, or exceeds `MAX_DRAWS`.
    """
    value = check_count(argument, value)
    if value > MAX_DRAWS:
        raise ValueError(
            f"`{argument}` must be at most {MAX_DRAWS:,} draws per example: more would take days, "
            f"and would hardly change the estimate. Received: {value:,}."
        )
    return value


def check_dropout(rate: Any) -> float:
    """Returns a dropout rate as a float.

    Raises:
        ValueError: If `rate` is not a number in [0, 1).
    """
    if not is_number(rate) or not 0 <= rate < 1:
        raise ValueError(f"`dropout` must lie in [0, 1). Received: {rate!r}.")
    return float(rate)


def check_choice(argument: str, value: Any, choices: Collection[Any]) -> Any:
    """Returns `value` unchanged.

    Raises:
        ValueError: If `value` is not one of `choices`.
    """
    if value not in choices:
        raise ValueError(
            f"`{argument}` must be one of {', '.join(map(repr, choices))}. Received: {value!r}."
        )
    return value
