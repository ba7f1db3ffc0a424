"""The benchmark runner: contenders take turns, each in a pinned process of its own.

    python benchmarks/run.py --before ../earlier_checkout      # everything; writes the report
    python benchmarks/run.py --bench mlp_fit --backend torch   # some of it; prints the table
    python benchmarks/run.py --quick                           # does it work?
    python benchmarks/run.py --curves                          # the numbers of docs/performance.md
    python benchmarks/run.py --curves jit_mlp                  # some of them
    python benchmarks/run.py --report                          # all texts again, from the JSON

A run of everything writes `benchmarks/results.json` and `benchmarks/README.md`; any other writes
them where `--output` says. Curves of all backends are written as each is done; others, and quick
ones, are printed. Peers that are not installed beside us may lie in an environment of
their own, `--peers-python`. Meant for a quiet machine: the report says how busy it was.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import curves
import machine
import report
from registry import BACKENDS
from registry import load_benches
from rounds import HERE
from rounds import Settings
from rounds import run_bench


def parser() -> argparse.ArgumentParser:
    """Returns the command line."""
    lines = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    lines.add_argument("--bench", nargs="+", metavar="NAME", help="by default all")
    lines.add_argument("--backend", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    lines.add_argument("--rounds", type=int, help="5; 2 with --quick, 3 with --curves")
    lines.add_argument("--quick", action="store_true", help="small sizes")
    lines.add_argument("--before", type=Path, help="a checkout of ours, run as 'before'")
    lines.add_argument("--core", type=int, default=0, help="-1 for all of them")
    lines.add_argument("--clock", choices=("cpu", "wall"), default="cpu", help="wall for a GPU")
    lines.add_argument("--peers-python", default=sys.executable, help="a Python with the peers")
    lines.add_argument("--output", type=Path, help="folder of results.json and README.md")
    lines.add_argument("--device", default=report.NO_GPU, help="what the report calls the GPU")
    lines.add_argument(
        "--curves", nargs="*", metavar="NAME", help="what each choice costs; by default all"
    )
    lines.add_argument("--report", action="store_true", help="write the texts again")
    return lines


def measure(
    names: list[str], settings: Settings, clock: str, device: str
) -> Iterator[dict[str, Any]]:
    """Runs benches and yields, after each, all that was measured, and what it was measured on."""
    benches = load_benches()
    unknown = sorted(set(names) - benches.keys())
    if unknown:
        raise SystemExit(f"No bench is called {unknown}. There are {sorted(benches)}.")
    on = machine.description(settings.peers_python, settings.before)
    measured: dict[str, Any] = {}
    for name in names or [k for k, bench in benches.items() if bench.rows]:
        measured[name] = run_bench(benches[name], settings)
        print(name, "done", file=sys.stderr, flush=True)
        yield {
            "command": " ".join(["benchmarks/run.py", *sys.argv[1:]]),
            "machine": {**on, "load_after": machine.load_average()},
            "device": device,
            "core": settings.core,
            "clock": clock,
            "quick": settings.quick,
            "rounds": settings.rounds,
            "benches": measured,
        }


def failures(results: dict[str, Any]) -> list[str]:
    """Returns what those contenders said that ended with an error."""
    return [
        f"{bench}, {name}:\n{outcome['failed']}"
        for bench, measured in results["benches"].items()
        for name, outcome in measured["contenders"].items()
        if "failed" in outcome
    ]


def main() -> int:
    arguments = parser().parse_args()
    wants_benches = arguments.curves is None
    settings = Settings(
        backends=tuple(arguments.backend),
        rounds=arguments.rounds or (2 if arguments.quick else 5 if wants_benches else 3),
        quick=arguments.quick,
        core=None if arguments.core < 0 else arguments.core,
        before=arguments.before,
        peers_python=arguments.peers_python,
    )
    if arguments.report:
        for path in HERE.rglob("results.json"):  # one for each machine
            text = report.markdown(json.loads(path.read_text()), load_benches())
            path.with_name("README.md").write_text(text)
        curves.write(json.loads(curves.NUMBERS.read_text()))
        return 0
    is_whole = not arguments.bench and settings.backends == BACKENDS and not arguments.quick
    if not wants_benches:
        is_added = is_whole and arguments.curves
        earlier = json.loads(curves.NUMBERS.read_text()) if is_added else {}
        for measured in curves.measure(settings, arguments.curves, earlier):
            if is_whole:
                curves.write(measured)
        if not is_whole:
            print(curves.numbers(measured))
        return 0
    output = arguments.output or (HERE if is_whole else None)
    # Written after each bench: a run that ends early loses at most one.
    for results in measure(arguments.bench or [], settings, arguments.clock, arguments.device):
        text = report.markdown(results, load_benches())
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            (output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
            (output / "README.md").write_text(text)
    if output is None:
        print(text)
    wrong = failures(results)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
