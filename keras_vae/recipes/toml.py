"""Recipes as text: writing TOML, and changing single values of it."""

import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any


def to_toml(tables: dict) -> str:
    """Returns the text that `tomllib.loads` turns back into `tables`.

    Args:
        tables: Dict of the tables of a recipe: strings, numbers, booleans, lists and dicts. The
            top level and lists of dicts become tables with a heading; deeper levels are written
            inline.
    """
    lines = [_pair(k, v) for k, v in tables.items() if not _has_heading(v)]
    for name, value in tables.items():
        if not _has_heading(value):
            continue
        heading = f"[[{_key(name)}]]" if isinstance(value, list) else f"[{_key(name)}]"
        for table in value if isinstance(value, list) else [value]:
            lines += ["", heading, *(_pair(k, v) for k, v in table.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def changed(text: str, changes: Iterable[str]) -> str:
    """Returns a recipe's text with some of its values replaced or added.

    Args:
        text: String, the recipe.
        changes: Strings `table.key=value`, such as "model.kl_weight=4", with a number in place of a
            key for an entry of a list. The value is written as in TOML; a word needs no quotes.

    Returns:
        The text itself if there are no changes; otherwise a new text without its comments.

    Raises:
        ValueError: If a change has no "=", or its path leads into something other than a table.
    """
    changes = list(changes)
    if not changes:
        return text
    tables = tomllib.loads(text)
    for change in changes:
        path, sign, value = change.partition("=")
        *way, last = path.strip().split(".")
        if not sign or not last:
            raise ValueError(
                f"--set takes KEY=VALUE, such as model.kl_weight=4. Received: {change!r}."
            )
        place: Any = tables
        for step in way:
            if isinstance(place, dict):
                place = place.setdefault(step, {})
            else:
                place = _entry(place, step, change)
        if isinstance(place, list):
            _entry(place, last, change)
            place[int(last)] = _parsed(value)
        elif isinstance(place, dict):
            place[last] = _parsed(value)
        else:
            raise ValueError(
                f"--set {change}: {'.'.join(way)} is {place!r}, and has no {last!r} in it."
            )
    return to_toml(tables)


def _entry(place, step, change):
    if not isinstance(place, list) or not step.isdecimal() or int(step) >= len(place):
        raise ValueError(f"--set {change}: there is no {step!r} in {place!r}.")
    return place[int(step)]


def _parsed(value):
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value.strip()


def _has_heading(value):
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
    )


def _pair(key, value):
    return f"{_key(key)} = {_value(value)}"


def _key(key):
    """Returns a key, which may be the name of a column, quoted if TOML requires it."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(_pair(k, v) for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        # JSON strings are TOML strings, except for the one character that JSON does not escape.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value) if isinstance(value, bool) else repr(value)
