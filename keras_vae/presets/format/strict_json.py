"""Parses untrusted JSON, within bounds and without ambiguity."""

import json
from typing import Any

MAX_BYTES = 2**21
MAX_VALUES = 250_000  # each takes up to a hundred bytes of memory
MAX_DEPTH = 100


def parse(data: bytes) -> Any:
    """Returns the value of the JSON text in `data`.

    Args:
        data: Bytes.

    Raises:
        ValueError: If `data` is not JSON in UTF-8, is longer than 2 MiB, holds more than 250,000
            values, is nested deeper than 100 levels, repeats a key in one object, or contains NaN
            or Infinity, which are not JSON.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is longer than {MAX_BYTES:,} bytes")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite
        )
    except RecursionError:  # the parser recurses at each level
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels") from None
    _check_extent(value)
    return value


def _check_extent(value):
    level = [value] if isinstance(value, dict | list) else []
    depth = num_values = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
        num_values += sum(map(len, level))
        if num_values > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES:,} values")
        children = (v.values() if isinstance(v, dict) else v for v in level)
        level = [v for values in children for v in values if isinstance(v, dict | list)]


def _unique(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice[:100]!r} appears twice")
    return found


def _refuse(constant):
    raise ValueError(f"it holds {constant}, which is not a number")


def _finite(text):
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"it holds {text[:100]}, which no float can hold")
    return number
