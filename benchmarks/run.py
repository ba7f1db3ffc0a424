"""The benchmark runner: contenders take turns, each in a pinned process of its own.

    python benchmarks/run.py --before ../earlier_checkout      # everything; writes the report
    python benchmarks/run.py --bench mlp_fit --backend torch   # some of it; prints the table
    python benchmarks/run.py --quick                           # does it work?
    python benchmarks/run.py --report                          # the report again, from the JSON

A run of everything writes `benchmarks/results.json` and `benchmarks/README.md`; any other writes
them where `--output` says. Peers that are not installed beside us may lie in an environment of
their own, `--peers-python`. Meant for a quiet machine: the report tells how busy it was.
"""

import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import report
from registry import BACKENDS
from registry import Bench
from registry import Contender
from registry import load_benches

HERE = Path(__file__).parent
PACKAGES = ("keras", "tensorflow", "jax", "torch", "pythae", "vector-quantize-pytorch")


def parser() -> argparse.ArgumentParser:
    lines = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    lines.add_argument("--bench", nargs="+", metavar="NAME", help="by default all")
    lines.add_argument("--backend", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    lines.add_argument("--rounds", type=int, help="5, or 2 with --quick")
    lines.add_argument("--quick", action="store_true", help="small sizes")
    lines.add_argument("--before", type=Path, help="a checkout of ours, run as 'before'")
    lines.add_argument("--core", type=int, default=0)
    lines.add_argument("--clock", choices=("cpu", "wall"), default="cpu", help="wall for a GPU")
    lines.add_argument("--peers-python", default=sys.executable, help="python that has the peers")
    lines.add_argument("--output", type=Path, help="folder of results.json and README.md")
    lines.add_argument("--report", action="store_true", help="write the report again")
    return lines


class Worker:
    """A contender's process."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment,
            text=True,
        )

    def answer(self) -> dict[str, Any]:
        """Returns its next answer, or how it ended without one."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.errors.seek(0)
        return {"failed": self.errors.read()[-2000:]}

    def measure(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its answer says why
            print(file=self.process.stdin, flush=True)
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()


class Entry:
    """A contender on a backend, in this checkout or the earlier one, and what it took."""

    def __init__(self, bench: Bench, contender: str, backend: str, options: dict[str, Any]):
        self.bench, self.contender = bench, contender
        self.backend, self.options = backend, options
        self.is_before = False
        self.outcome: dict[str, Any] = {"rounds": []}
        self.worker: Worker | None = None

    @property
    def key(self) -> str:
        return report.key("before" if self.is_before else self.contender, self.backend)

    def start(self, arguments: argparse.Namespace) -> None:
        contender: Contender = self.bench.contenders[self.contender]
        root = arguments.before if self.is_before else HERE.parent
        environment = {
            **os.environ,
            "KERAS_BACKEND": self.backend,
            "PYTHONPATH": str(root.resolve()),
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [
            arguments.peers_python if contender.needs else sys.executable,
            str(HERE / "worker.py"),
            self.bench.name,
            self.contender,
            self.backend,
            str(arguments.core),
            json.dumps(self.options),
            str(0 if self.bench.is_fresh else self.bench.warm_ups),
        ]
        self.worker = Worker(command, environment)
        self._take(self.worker.answer())

    def measure(self, arguments: argparse.Namespace) -> None:
        if self.bench.is_fresh:
            self.start(arguments)
        if self.worker is not None:
            self._take(self.worker.measure())
        if self.bench.is_fresh:
            self.close()

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.worker = None

    def _take(self, answer: dict[str, Any]) -> None:
        if "cpu" in answer:
            self.outcome["rounds"].append(answer)
        elif "ready" not in answer:
            self.outcome = answer
            self.close()


def has(python: str, module: str) -> bool:
    """Returns whether a Python can import a module."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def entries(bench: Bench, arguments: argparse.Namespace) -> list[Entry]:
    """Returns the contenders of a bench on the chosen backends; absent ones say so."""
    options = {**bench.options, **(bench.quick if arguments.quick else {})}
    found = []
    for name, contender in bench.contenders.items():
        for backend in contender.backends:
            if backend not in arguments.backend:
                continue
            entry = Entry(bench, name, backend, options)
            if contender.needs and not has(arguments.peers_python, contender.needs):
                entry.outcome = {"unavailable": f"{contender.needs} is not installed"}
            found.append(entry)
            if contender.is_ours and arguments.before:
                found.append(Entry(bench, name, backend, options))
                found[-1].is_before = True
    return found


def run_bench(bench: Bench, arguments: argparse.Namespace, rounds: int) -> dict[str, Any]:
    """Lets the contenders of a bench take turns, and returns what each of them took."""
    contenders = entries(bench, arguments)
    order = random.Random(0)
    try:
        if not bench.is_fresh:
            for entry in contenders:
                if "rounds" in entry.outcome:
                    entry.start(arguments)
        for _ in range(rounds):
            order.shuffle(contenders)
            for entry in contenders:
                if "rounds" in entry.outcome:
                    entry.measure(arguments)
    finally:
        for entry in contenders:
            entry.close()
    options = contenders[0].options if contenders else {}
    outcomes = {e.key: e.outcome for e in sorted(contenders, key=lambda e: e.key)}
    return {"options": options, "contenders": outcomes}


def processor() -> str:
    """Returns the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def load_average() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def versions(peers_python: str) -> dict[str, str]:
    """Returns the versions of what takes part."""
    found = {"Python": platform.python_version()}
    code = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            command = [peers_python, "-c", code, package]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found[package] = done.stdout.strip()
    return found


def commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def measure(arguments: argparse.Namespace, device: str = "no GPU") -> dict[str, Any]:
    """Runs the chosen benches and returns everything that was measured."""
    benches = load_benches()
    chosen = arguments.bench or list(benches)
    unknown = sorted(set(chosen) - benches.keys())
    if unknown:
        raise SystemExit(f"No bench is called {unknown}. There are {sorted(benches)}.")
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    machine = {"processor": processor(), "cores": os.cpu_count(), "load_before": load_average()}
    measured = {}
    for name in chosen:
        measured[name] = run_bench(benches[name], arguments, rounds)
        print(name, "done", file=sys.stderr, flush=True)
    machine |= {"load_after": load_average(), "versions": versions(arguments.peers_python)}
    machine["versions"]["keras_vae"] = commit(HERE.parent)
    if arguments.before:
        machine["versions"]["before"] = commit(arguments.before)
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(["benchmarks/run.py", *sys.argv[1:]]),
        "machine": machine,
        "device": device,
        "core": arguments.core,
        "clock": arguments.clock,
        "quick": arguments.quick,
        "rounds": rounds,
        "benches": measured,
    }


def failures(results: dict[str, Any]) -> list[str]:
    """Returns what the contenders said that ended with an error."""
    return [
        f"{bench}, {name}:\n{outcome['failed']}"
        for bench, measured in results["benches"].items()
        for name, outcome in measured["contenders"].items()
        if "failed" in outcome
    ]


def main() -> int:
    arguments = parser().parse_args()
    is_whole = not arguments.bench and arguments.backend == list(BACKENDS) and not arguments.quick
    output = arguments.output or (HERE if is_whole or arguments.report else None)
    if arguments.report:
        results = json.loads((output / "results.json").read_text())
    else:
        results = measure(arguments)
    text = report.markdown(results, load_benches())
    if output is None:
        print(text)
    else:
        output.mkdir(parents=True, exist_ok=True)
        (output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        (output / "README.md").write_text(text)
    wrong = failures(results)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
