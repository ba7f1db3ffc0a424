"""One contender in a process of its own: `run.py` starts it, and asks it in turn with others.

    python benchmarks/worker.py BENCH CONTENDER BACKEND CORE OPTIONS WARM_UPS

It answers on a line of JSON that it is ready, or why it cannot be, and then does the work once for
each line on stdin. An answer is `{"cpu": s, "wall": s, "units": n, "value": v, "memory": bytes}`:
the time of the process on all its threads, and how far its memory has grown at its peak.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import IO

from registry import UnavailableError
from registry import load_benches


def resident_bytes() -> int:
    """Returns the memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def take_over_stdout() -> IO[str]:
    """Returns a stream to the runner, and sends all else that is printed to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def main() -> None:
    bench_name, name, backend, core, options, warm_ups = sys.argv[1:]
    answers = take_over_stdout()

    def answer(**content: object) -> None:
        print(json.dumps(content), file=answers, flush=True)

    if core and hasattr(
        os, "sched_setaffinity"
    ):  # XLA has no other setting for its number of threads
        os.sched_setaffinity(0, {int(core)})
    contender = load_benches()[bench_name].contenders[name]
    try:
        run = contender.make(backend, **json.loads(options))
    except UnavailableError as reason:
        answer(unavailable=str(reason))
        return
    if contender.is_ours:
        import keras_vae

        root = os.environ["PYTHONPATH"].split(os.pathsep)[0]
        if Path(root).resolve() not in Path(keras_vae.__file__).resolve().parents:
            raise RuntimeError(f"keras_vae comes from {keras_vae.__file__}, not from {root}.")
    before = resident_bytes()
    for _ in range(int(warm_ups)):
        run()
    answer(ready=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        units, value = run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer(cpu=cpu, wall=wall, units=units, value=value, memory=max(peak - before, 0))


if __name__ == "__main__":
    main()
