"""Contenders take turns in shuffled rounds, each in a process of its own."""

import contextlib
import dataclasses
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import report
from registry import BACKENDS
from registry import Bench

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Settings:
    """How benches are run.

    Attributes:
        backends: those to run.
        rounds: how often each contender does the work, once warm.
        quick: whether the work is small.
        core: the core that all are pinned to, or `None` where they are free.
        before: an earlier checkout of ours, or `None`.
        peers_python: the Python that has what contenders need beside us.
    """

    backends: tuple[str, ...] = BACKENDS
    rounds: int = 5
    quick: bool = False
    core: int | None = 0
    before: Path | None = None
    peers_python: str = sys.executable


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
        """Returns its next answer, or what it said where it ended without one."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        return {"failed": self.errors.read()[-2000:] or f"exit code {self.process.returncode}"}

    def measure(self) -> dict[str, Any]:
        """Has it do the work once, and returns its answer."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its answer says why
            print(file=self.process.stdin, flush=True)
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.errors.close()


class Entry:
    """A contender on one backend, in this checkout or the earlier one, and what it took.

    Attributes:
        outcome: `{"rounds": [answer, ...]}`, `{"unavailable": reason}` or `{"failed": text}`.
    """

    def __init__(
        self, bench: Bench, name: str, backend: str, settings: Settings, is_before: bool = False
    ):
        self.bench, self.name, self.backend = bench, name, backend
        self.settings, self.is_before = settings, is_before
        self.outcome: dict[str, Any] = {"rounds": []}
        self.worker: Worker | None = None
        needs = bench.contenders[name].needs
        self.python = settings.peers_python if needs else sys.executable
        if needs and not has(self.python, needs):
            self.outcome = {"unavailable": f"{needs} is not installed"}

    @property
    def key(self) -> str:
        """What the results call it."""
        return report.key("before" if self.is_before else self.name, self.backend)

    @property
    def is_running(self) -> bool:
        """Whether it is still to be measured."""
        return "rounds" in self.outcome

    def start(self) -> None:
        """Starts its process."""
        root = self.settings.before if self.is_before else HERE.parent
        assert root is not None
        environment = {
            **os.environ,
            "KERAS_BACKEND": self.backend,
            "PYTHONPATH": str(root.resolve()),
            **({} if self.settings.core is None else {"OMP_NUM_THREADS": "1"}),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # Contenders share a GPU, where each would take nearly all of its memory.
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
        what = [self.bench.name, self.name, self.backend]
        core = "" if self.settings.core is None else str(self.settings.core)
        warm_ups = 0 if self.bench.is_fresh else self.bench.warm_ups
        how = [core, json.dumps(sizes(self.bench, self.settings)), str(warm_ups)]
        self.worker = Worker([self.python, str(HERE / "worker.py"), *what, *how], environment)

    def warm_up(self) -> None:
        """Waits until its process is ready."""
        assert self.worker is not None
        self._take(self.worker.answer())

    def measure(self) -> None:
        """Has it do the work once."""
        if self.bench.is_fresh:
            self.start()
            self.warm_up()
        if self.worker is not None:
            self._take(self.worker.measure())
        if self.bench.is_fresh:
            self.close()

    def close(self) -> None:
        """Ends its process."""
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


def sizes(bench: Bench, settings: Settings) -> dict[str, Any]:
    """Returns the options of a bench's contenders."""
    return {**bench.options, **(bench.quick if settings.quick else {})}


def entries(bench: Bench, settings: Settings) -> list[Entry]:
    """Returns the contenders of a bench on the chosen backends."""
    found = []
    for name, contender in bench.contenders.items():
        for backend in contender.backends:
            if backend in settings.backends:
                found.append(Entry(bench, name, backend, settings))
                if contender.is_ours and settings.before:
                    found.append(Entry(bench, name, backend, settings, is_before=True))
    return found


def run_bench(bench: Bench, settings: Settings) -> dict[str, Any]:
    """Lets the contenders of a bench take turns, and returns what each of them took.

    Returns:
        `{"options": {...}, "contenders": {"name/backend": outcome}}`; see `Entry`.
    """
    contenders = entries(bench, settings)
    order = random.Random(0)
    try:
        waiting = [e for e in contenders if e.is_running and not bench.is_fresh]
        for entry in waiting:
            entry.start()
        for entry in waiting:
            entry.warm_up()
        for _ in range(settings.rounds):
            order.shuffle(contenders)
            for entry in contenders:
                if entry.is_running:
                    entry.measure()
    finally:
        for entry in contenders:
            entry.close()
    outcomes = {e.key: e.outcome for e in sorted(contenders, key=lambda e: e.key)}
    return {"options": sizes(bench, settings), "contenders": outcomes}
