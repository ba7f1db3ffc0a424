"""From measurements to the table: medians, spreads, ratios, and whether a bar is met."""

import dataclasses
import math
import statistics
from collections.abc import Callable
from typing import Any

from registry import Bench
from registry import Row

NO_GPU = "no GPU"


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a row compares: `value(of, against)`, of one round, and what is better.

    Attributes:
        value: function of two costs, by default in CPU seconds a unit.
        better: "high" or "low".
        format: of the value.
        measure: the cost, "cpu" or "wall" seconds a unit, or "memory", bytes of the whole.
    """

    value: Callable[[float, float], float]
    better: str = "high"
    format: str = "{:.2f}"
    measure: str = "time"


KINDS = {
    "speed": Kind(lambda of, against: against / of),
    "share": Kind(lambda of, against: of / against - 1, "low", "{:.1%}"),
    "difference": Kind(lambda of, against: 1e3 * (of - against), "low", "{:.2f} ms"),
    "seconds": Kind(lambda of, against: of, "low", "{:.2f} s"),
    "memory": Kind(lambda of, against: of / against, "low", "1/{inverse:.0f}", "memory"),
}


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median of the rounds, and the lowest and highest."""

    median: float
    low: float
    high: float


def spread(values: list[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def costs(rounds: list[dict[str, Any]], measure: str) -> list[float]:
    """Returns the cost of a unit in each round; memory is of the whole."""
    if measure == "memory":
        return [max(r["memory"], 1.0) for r in rounds]
    return [r[measure] / r["units"] for r in rounds]


def compare(
    of: list[dict[str, Any]], against: list[dict[str, Any]] | None, kind: str, clock: str = "cpu"
) -> Spread:
    """Compares two contenders round by round, so that the machine's slow moments hit both."""
    how = KINDS[kind]
    measure = clock if how.measure == "time" else how.measure
    mine = costs(of, measure)
    theirs = [math.nan] * len(mine) if against is None else costs(against, measure)
    return spread([how.value(a, b) for a, b in zip(mine, theirs, strict=True)])


def is_met(value: float, bar: float, kind: str) -> bool:
    return value >= bar if KINDS[kind].better == "high" else value <= bar


def shown(value: float, kind: str) -> str:
    inverse = 1 / value if value else math.inf
    return KINDS[kind].format.format(value, inverse=inverse)


def key(name: str, backend: str) -> str:
    """Returns a contender's name on a row's backend, unless it names its own."""
    return name if "/" in name else f"{name}/{backend}"


def table(results: dict[str, Any], benches: dict[str, Bench]) -> list[dict[str, str]]:
    """Returns the rows of the table, one for each row and backend that was measured."""
    lines = []
    for name, measured in results["benches"].items():
        for row in benches[name].rows:
            for backend in row.backends or tuple(row.bars):
                # What is measured is the memory of the process, which a GPU has no part in.
                if row.kind != "memory" or results["device"] == NO_GPU:
                    lines.append(_line(row, backend, measured["contenders"], results["clock"]))
    return [line for line in lines if line]


def _line(row: Row, backend: str, contenders: dict[str, Any], clock: str) -> dict[str, str]:
    of = contenders.get(key(row.of, backend))
    against = contenders.get(key(row.against, backend)) if row.against else None
    line = {"bench": row.title, "backend": backend, "earlier": row.earlier.get(backend, "-")}
    bar, aim = row.bars.get(backend), row.aims.get(backend)
    line["bar"] = "-" if bar is None else shown(bar, row.kind)
    line["aim"] = "-" if aim is None else shown(aim, row.kind)
    absent = [c for c in (of, against) if c is not None and "rounds" not in c]
    if of is None or (row.against and against is None):
        return {}  # not asked for in this run
    if absent:
        why = absent[0].get("unavailable", "failed")
        return {**line, "measured": f"not measured: {why}", "met": "-"}
    found = compare(of["rounds"], against and against["rounds"], row.kind, clock)
    ends = sorted((found.low, found.high), key=lambda v: 1 / v if row.kind == "memory" else v)
    low, high = (shown(v, row.kind) for v in ends)
    line["measured"] = f"{shown(found.median, row.kind)} ({low} to {high})"
    line["met"] = "-" if bar is None else "yes" if is_met(found.median, bar, row.kind) else "**no**"
    return line


HEADINGS = {
    "bench": "bench",
    "backend": "backend",
    "earlier": "before this runner",
    "bar": "bar",
    "aim": "aim",
    "measured": "measured (lowest to highest)",
    "met": "bar met",
}


def markdown_table(headings: dict[str, str], lines: list[dict[str, str]]) -> str:
    """Returns a table of Markdown with a column for each key of `headings`."""
    rows = [list(headings.values()), ["---"] * len(headings)]
    rows += [[line[k] for k in headings] for line in lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def contender_lines(measured: dict[str, Any]) -> list[dict[str, str]]:
    """Returns what each contender of a bench took, in lines of a table."""
    lines = []
    for name, contender in measured["contenders"].items():
        if "rounds" not in contender:
            reason = contender.get("unavailable", "failed")
            lines.append({"contender": name, "cpu": reason, "wall": "", "memory": "", "value": ""})
            continue
        rounds = contender["rounds"]
        cpu, wall = spread(costs(rounds, "cpu")), spread(costs(rounds, "wall"))
        value = rounds[-1]["value"]
        lines.append(
            {
                "contender": name,
                "cpu": f"{milli(cpu.median)} ({milli(cpu.low)} to {milli(cpu.high)})",
                "wall": milli(wall.median),
                "memory": f"{spread(costs(rounds, 'memory')).high / 1e6:.0f}",
                "value": "" if value is None else f"{value:.4g}",
            }
        )
    return lines


def milli(seconds: float) -> str:
    return f"{1e3 * seconds:.4g}"


def markdown(results: dict[str, Any], benches: dict[str, Bench]) -> str:
    """Returns the whole report."""
    machine = results["machine"]
    quick = "**A quick run: small sizes, few rounds. Its numbers show that the runner works.**\n\n"
    lines = table(results, benches)
    barred = [line for line in lines if line["bar"] != "-"]
    others = [line for line in lines if line["bar"] == "-"]
    met = sum(line["met"] == "yes" for line in barred)
    parts = [
        "# Benchmarks\n\n",
        f"Written by `python {results['command']}`; no number here is typed by hand.\n\n",
        quick if results["quick"] else "",
        machine_line(machine, results["core"]),
        f"Device: {results['device']}.\n\n",
        _METHOD.format(rounds=results["rounds"], clock=results["clock"]),
        f"## What is asked: {met} of {len(barred)} bars are met\n\n",
        markdown_table(HEADINGS, barred),
        "\n## Other comparisons\n\n" if others else "",
        markdown_table(HEADINGS, others) if others else "",
        "\n## Every contender\n\n",
        "ms a unit, median and spread; growth of memory in MB from before the first run; the last "
        "value, which should not differ much between contenders that do the same work.\n",
    ]
    columns = {"contender": "contender", "cpu": "CPU ms", "wall": "wall ms", "memory": "MB"}
    for name, measured in results["benches"].items():
        sizes = ", ".join(f"{k} {v}" for k, v in measured["options"].items())
        parts.append(f"\n### {name}\n\n{benches[name].title} Unit: {benches[name].unit}")
        parts.append(f"; {sizes}.\n\n" if sizes else ".\n\n")
        parts.append(markdown_table({**columns, "value": "value"}, contender_lines(measured)))
    return "".join(parts)


def machine_line(machine: dict[str, Any], core: int | None) -> str:
    """Returns what was run on what, and how busy it was, as a paragraph."""
    pinned = "not pinned" if core is None else f"pinned to core {core}"
    return (
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, {pinned}; load "
        f"average {machine['load_before']} at the beginning, {machine['load_after']} at the end; "
        + ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
        + ".\n\n"
    )


_METHOD = """\
Each contender has a process of its own. After it has warmed up and compiled,
contenders take turns in {rounds} shuffled rounds. The measure is {clock} time, of all threads of
the process. A ratio is taken within each round; the table gives the median of the rounds and the
lowest and highest. Unless a unit is given, it is the speed of the first in units of the second,
so that more is better. "before" is an earlier checkout of this library.

"""
