"""What a benchmark ran on: the processor, how busy it was, and the versions of what took part."""

import datetime
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = (
    *("keras", "tensorflow", "jax", "torch"),
    *("pythae", "vector-quantize-pytorch", "diffusers", "safetensors"),
)
VERSIONS = """
import importlib.metadata, sys
for package in sys.argv[1:]:
    try:
        print(package, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        pass
"""


def processor() -> str:
    """Returns the name of the processor, and which instructions for vectors it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    said = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    name, flags = said.get("model name", platform.machine()), said.get("flags", "").split()
    wide = {"avx512_bf16": "AVX-512 with bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}
    return next((f"{name} with {words}" for flag, words in wide.items() if flag in flags), name)


def load_average() -> str:
    """Returns how many processes wanted to run in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def versions(peers_python: str = sys.executable) -> dict[str, str]:
    """Returns the versions of Python and of the packages that take part, where installed."""
    found = {"Python": platform.python_version()}
    for python in (peers_python, sys.executable):  # ours counts where both have one
        command = [python, "-c", VERSIONS, *PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found |= dict(line.split() for line in done.stdout.splitlines())
    return found


def commit(checkout: Path) -> str:
    """Returns the commit of a checkout, with a "+" where files were changed since."""
    git = ["git", "-C", str(checkout)]
    head = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "keras_vae"],
        capture_output=True,
        text=True,
        check=False,
    )
    return (head.stdout.strip() or "unknown") + ("+" if changed.stdout.strip() else "")


def description(peers_python: str, before: Path | None) -> dict[str, Any]:
    """Returns what to say about the machine at the beginning of a run."""
    found = versions(peers_python)
    found["keras_vae"] = commit(Path(__file__).parents[1])
    if before:
        found["before"] = commit(before)
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_before": load_average(),
        "versions": found,
    }
