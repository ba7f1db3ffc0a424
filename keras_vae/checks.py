"""Checks of arguments that several rooms make."""

from numbers import Integral


def check_count(argument, value, least=1):
    """Returns `value` as an int of at least `least`.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ValueError(f"`{argument}` must be {kind}. Received: {value!r}.")
    return int(value)


def check_dropout(rate):
    """Returns a rate of dropout as a float.

    Raises:
        ValueError: no number in [0, 1).
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise ValueError(f"`dropout` must lie in [0, 1). Received: {rate!r}.")
    return float(rate)


def check_choice(argument, value, choices):
    """Returns `value` where it is one of `choices`.

    Raises:
        ValueError: if it is none of them.
    """
    if value not in choices:
        raise ValueError(
            f"`{argument}` must be one of {', '.join(map(repr, choices))}. Received: {value!r}."
        )
    return value
