"""The table and the agreement tests on a GPU, in at most 8 minutes; writes `benchmarks/gpu.md`.

    python benchmarks/gpu.py            # on a machine with a GPU that the three backends see
    python benchmarks/gpu.py --quick    # small sizes; without a GPU it shows that the script runs

Nobody has run this on a GPU yet: it was written, and tried with `--quick`, on processors only.

Benches come in the order of what a GPU is bought for, each in its own process, which is ended when
the time is up; those that were not reached are listed. The measure is wall time. On a GPU, JAX and
TensorFlow may round the factors of float32 products to TF32, which has 10 bits: agreement within
1e-5 can then fail without a fault of ours. Where the tests fail they are run again with
NVIDIA_TF32_OVERRIDE=0, which tells the two apart.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import report
from registry import load_benches
from rounds import HERE

BENCHES = (
    "mlp_fit",
    "conv_fit",
    "quantizer_16384",
    "vq_vae_fit",
    "nll",
    "sampling_8",
    "sampling_128",
    "guard",
    "quantizer_2048",
)
SECONDS, SECONDS_FOR_AGREEMENT = 480.0, 150.0


def device() -> str:
    """Returns the name of the first GPU, or that there is none."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        found = ""
    return found.splitlines()[0] if found else report.NO_GPU


def run_within(command: list[str], seconds: float, **environment: str) -> tuple[str, str]:
    """Runs a command; returns how it ended, "done", "failed" or "out of time", and its output."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=HERE.parent,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=max(seconds, 1))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # and what it started
        return "out of time", process.communicate()[0]
    return ("failed" if process.returncode else "done"), output


def agreement(seconds: float, **environment: str) -> str:
    """Runs the agreement tests, and returns how many passed and failed, or why there are none."""
    tests = "tests/backend_agreement_test.py"
    command = [sys.executable, "-m", "pytest", tests, "-q", "-p", "no:cacheprovider", "-n", "0"]
    how, output = run_within(command, seconds, PYTHONPATH=str(HERE.parent), **environment)
    if how == "out of time":
        return how
    lines = [line for line in output.splitlines() if re.search(r"\d+ (passed|failed|error)", line)]
    return lines[-1].strip("= ") if lines else f"{how}: {output[-300:]}"


def benches_within(
    until: float, arguments: argparse.Namespace, name: str
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Runs the benches one by one; returns what was measured, and how those without it ended."""
    results: dict[str, Any] | None = None
    ended: dict[str, str] = {}
    for bench in arguments.bench:
        if time.monotonic() > until:
            ended[bench] = "not reached"
            continue
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(HERE / "run.py"), "--bench", bench, "--clock", "wall"]
            command += ["--core", "-1", "--rounds", "3", "--device", name, "--output", folder]
            command += ["--peers-python", arguments.peers_python]
            command += ["--backend", *arguments.backend]
            command += ["--quick"] if arguments.quick else []
            how, output = run_within(command, until - time.monotonic())
            if how != "done":
                ended[bench] = f"{how}: {output[-500:]}" if how == "failed" else how
            found = Path(folder) / "results.json"
            if found.exists():
                measured = json.loads(found.read_text())
                if results is None:
                    results = measured
                results["benches"] |= measured["benches"]
                results["machine"]["load_after"] = measured["machine"]["load_after"]
        print(bench, ended.get(bench, "done"), file=sys.stderr, flush=True)
    return results, ended


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--bench", nargs="+", default=list(BENCHES))
    parser.add_argument("--backend", nargs="+", default=["tensorflow", "jax", "torch"])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--peers-python", default=sys.executable)
    parser.add_argument("--output", type=Path, default=HERE / "gpu.md")
    arguments = parser.parse_args()
    end, name = time.monotonic() + arguments.seconds, device()
    for_agreement = min(SECONDS_FOR_AGREEMENT, arguments.seconds / 3)
    results, ended = benches_within(end - for_agreement, arguments, name)
    lines = [f"as it is: {agreement(end - time.monotonic())}"]
    if "failed" in lines[0] and name != report.NO_GPU:
        exact = agreement(end - time.monotonic(), NVIDIA_TF32_OVERRIDE="0")
        lines.append(f"without TF32: {exact}")
    text = "# On a GPU\n\nNothing was measured.\n"
    if results is not None:
        results["command"] = " ".join(["benchmarks/gpu.py", *sys.argv[1:]])
        text = report.markdown(results, load_benches()).replace("# Benchmarks", "# On a GPU", 1)
    text += "\n## Agreement of the backends\n\n"
    text += "Terms within 1e-5, gradients within 1e-4; factors rounded to TF32 may break both.\n\n"
    text += "".join(f"- {line}\n" for line in lines)
    text += "\n## Not measured\n\n" if ended else ""
    text += "".join(f"- {bench}: {how}\n" for bench, how in ended.items())
    arguments.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
