"""What each choice costs: curves of images per second, and what follows from them on paper.

    python benchmarks/run.py --curves

measures the bench `cost` with one choice varied at a time, and writes `benchmarks/curves.json`,
`docs/performance.png` and the numbers of `docs/performance.md`. With names after `--curves`, it
measures those and leaves the others as they are.
"""

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import machine
import report
from registry import BACKENDS
from registry import load_benches
from rounds import HERE
from rounds import Settings
from rounds import run_bench

NUMBERS = HERE / "curves.json"
PAGE = HERE.parent / "docs" / "performance.md"
BEGIN, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"


@dataclasses.dataclass(frozen=True)
class Curve:
    """One option of the bench `cost` varied, the others as they are, or as in `fixed`."""

    name: str
    title: str
    option: str
    values: tuple[Any, ...]
    fixed: dict[str, Any]
    backends: tuple[str, ...] = BACKENDS


CONV = {"kind": "conv", "num_images": 2560}
JIT = ("tensorflow", "torch")
CURVES = [
    Curve("batch_size", "Batch size, MLP", "batch_size", (32, 128, 512, 2048), {}),
    Curve("width", "Width of the hidden layers, MLP", "width", (100, 400, 1600), {}),
    Curve("side", "Side of the pictures, convolutional", "side", (16, 28, 56), CONV),
    Curve(
        "num_codes",
        "Size of the codebook, VQ-VAE",
        "num_codes",
        (64, 512, 4096),
        {"kind": "vq_vae", "num_images": 2560},
    ),
    Curve("policy_mlp", "Precision, MLP", "policy", ("float32", "mixed_bfloat16"), {}),
    Curve("policy_conv", "Precision, convolutional", "policy", ("float32", "mixed_bfloat16"), CONV),
    # Not on JAX, which always compiles by default: without, an epoch of this MLP takes minutes. On
    # torch, True is torch.compile, which takes about a minute and a C++ compiler.
    Curve("jit_mlp", "`jit_compile`, MLP", "jit_compile", (False, True), {}, JIT),
    Curve("jit_conv", "`jit_compile`, convolutional", "jit_compile", (False, True), CONV, JIT[:1]),
]

# Nominal rates of the links between devices, in bytes per second: assumed, not measured.
LINKS = {"10 Gbit/s Ethernet": 1.25e9, "PCIe 5.0 x16": 64e9, "NVLink 4": 450e9}
NUM_PICTURES, NUM_EPOCHS, DEVICES = 1_000_000, 50, (2, 8, 64)


def measure(
    settings: Settings, names: list[str], earlier: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Runs the bench once for each point of the curves; yields, after each curve, all of them.

    Args:
        settings: The settings of the run.
        names: Names of curves, or none for all.
        earlier: The results of an earlier run, whose other curves are kept, or nothing.
    """
    unknown = sorted(set(names) - {curve.name for curve in CURVES})
    if unknown:
        raise SystemExit(f"No curve is called {unknown}. There are {[c.name for c in CURVES]}.")
    bench = load_benches()["cost"]
    on = machine.description(settings.peers_python, None)
    results, apart = earlier, earlier.get("apart", {})
    for curve in CURVES:
        if names and curve.name not in names:
            continue
        points = []
        for value in curve.values[:2] if settings.quick else curve.values:
            options = {**bench.options, **curve.fixed, curve.option: value}
            # At least four steps, and whole batches only.
            wanted = max(options["num_images"] // (10 if settings.quick else 1), 1)
            steps = max(wanted // options["batch_size"], 4)
            options["num_images"] = steps * options["batch_size"]
            at = dataclasses.replace(bench, options=options, quick={})
            backends = tuple(b for b in curve.backends if b in settings.backends)
            found = run_bench(at, dataclasses.replace(settings, backends=backends))
            points.append({"value": value, **found})
            print(curve.name, value, "done", file=sys.stderr, flush=True)
        run = {
            "command": " ".join(["benchmarks/run.py", *sys.argv[1:]]),
            "machine": {**on, "load_after": machine.load_average()},
            "core": settings.core,
            "quick": settings.quick,
            "rounds": settings.rounds,
        }
        curves = {**results.get("curves", {}), curve.name: points}
        results = {**(earlier or run), "curves": curves}
        if earlier:
            apart = {**apart, curve.name: run}
            results["apart"] = apart
        yield results


def measured_curves(results: dict[str, Any]) -> list[Curve]:
    """Returns the curves that exist: a run that was ended early does not have all of them."""
    return [curve for curve in CURVES if curve.name in results["curves"]]


def seconds(point: dict[str, Any], backend: str) -> report.Spread | None:
    """Returns the CPU seconds per image at a point of a curve, or `None` if there are none."""
    outcome = point["contenders"].get(f"keras_vae/{backend}", {})
    return report.spread(report.costs(outcome["rounds"], "cpu")) if "rounds" in outcome else None


def fixed_and_marginal(points: list[dict[str, Any]], backend: str) -> tuple[float, float]:
    """Returns the fixed seconds of a step, and the seconds for each image in it.

    The line through the steps of all batch sizes with the least relative errors.
    """
    sizes, times = [], []
    for point in points:
        found = seconds(point, backend)
        if found is not None:
            sizes.append(point["value"])
            times.append(found.median * point["value"])
    columns = np.stack([np.ones(len(sizes)), np.array(sizes)], axis=-1) / np.array(times)[:, None]
    fixed, marginal = np.linalg.lstsq(columns, np.ones(len(sizes)), rcond=None)[0]
    return float(max(fixed, 0.0)), float(marginal)


def exchange_seconds(num_weights: float, num_devices: int, rate: float) -> float:
    """Returns how long a ring takes to sum float32 gradients over devices.

    Each device sends and receives 2 (n - 1) / n of them (Patarasu and Yuan 2009).
    """
    return 2 * (num_devices - 1) / num_devices * 4 * num_weights / rate


def curve_table(curve: Curve, points: list[dict[str, Any]]) -> str:
    """Returns images per second at each point, in lines of Markdown."""
    lines = []
    for point in points:
        line = {"value": f"`{point['value']}`"}
        for backend in curve.backends:
            found = seconds(point, backend)
            line[backend] = "-" if found is None else f"{1 / found.median:,.0f}"
            if found is not None and found.low < found.high:
                line[backend] += f" ({1 / found.high:,.0f} to {1 / found.low:,.0f})"
        lines.append(line)
    headings = {"value": f"`{curve.option}`"} | {b: b for b in curve.backends}
    return report.markdown_table(headings, lines)


def paper_tables(curves: dict[str, Any]) -> str:
    """Returns what the measured constants say about a million pictures and many devices."""
    points = curves["batch_size"]
    at_128 = next(p for p in points if p["value"] == 128)
    conv = next(p for p in curves["side"] if p["value"] == 28)
    backends = [b for b in BACKENDS if seconds(at_128, b) is not None]
    steps, epochs, devices = [], [], []
    for backend in backends:
        fixed, marginal = fixed_and_marginal(points, backend)
        share = fixed / (fixed + 128 * marginal)
        steps.append(
            {
                "backend": backend,
                "fixed": f"{1e3 * fixed:.2f}",
                "marginal": f"{1e6 * marginal:.1f}",
                "share": f"{share:.0%}",
            }
        )
        hours = []
        for point in (at_128, conv):
            found = seconds(point, backend)
            hours.append("-" if found is None else _duration(found.median * NUM_PICTURES))
        total = seconds(at_128, backend)
        assert total is not None
        whole = _duration(total.median * NUM_PICTURES * NUM_EPOCHS)
        epochs.append({"backend": backend, "mlp": hours[0], "conv": hours[1], "all": whole})
    num_weights = at_128["contenders"][f"keras_vae/{backends[0]}"]["rounds"][-1]["value"]
    backend = "jax" if "jax" in backends else backends[0]
    fixed, marginal = fixed_and_marginal(points, backend)
    batch_size = 2048
    alone = fixed + batch_size * marginal
    for name, rate in LINKS.items():
        line = {"link": name}
        for n in DEVICES:
            together = fixed + batch_size / n * marginal + exchange_seconds(num_weights, n, rate)
            line[str(n)] = f"{alone / together:.1f}"
        devices.append(line)
    resident = report.markdown_table(
        {"kind": "a million pictures", "float": "float32", "byte": "uint8"},
        [
            {
                "kind": f"{side} x {side} x {channels}",
                "float": f"{NUM_PICTURES * side * side * channels * 4 / 1e9:.1f} GB",
                "byte": f"{NUM_PICTURES * side * side * channels / 1e9:.1f} GB",
            }
            for side, channels in ((28, 1), (64, 3), (256, 3))
        ],
    )
    shown = {
        "backend": "backend",
        "fixed": "ms a step, whatever its size",
        "marginal": "us for each image in it",
        "share": "of a step of 128, what is fixed",
    }
    epoch = {
        "backend": "backend",
        "mlp": "MLP, an epoch",
        "conv": "convolutional, an epoch",
        "all": f"MLP, {NUM_EPOCHS} epochs",
    }
    ways = {"link": "between devices"} | {str(n): f"{n} devices" for n in DEVICES}
    return (
        "A step of the MLP, by the line through the batch sizes above:\n\n"
        + report.markdown_table(shown, steps)
        + "\n### A million pictures\n\nOf 28 x 28, at a batch size of 128, on one core:\n\n"
        + report.markdown_table(epoch, epochs)
        + "\nWhat they take in memory:\n\n"
        + resident
        + f"\n### Many devices\n\nThe step of the MLP on {backend}, of {batch_size} images shared "
        f"evenly, by the two constants above; {num_weights:,.0f} gradients in float32, summed in a "
        "ring at the nominal rate of the link (assumed, not measured). Times as fast as one "
        "device:\n\n" + report.markdown_table(ways, devices)
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def numbers(results: dict[str, Any]) -> str:
    """Returns the block of the page that holds numbers."""
    parts = [
        f"Written by `python {results['command']}`.\n\n",
        "**A quick run, of few steps: its numbers show that the program works.**\n\n"
        if results["quick"]
        else "",
        report.machine_line(results["machine"], results["core"]),
        "Images a second of CPU time, the median of the rounds and, in parentheses, the slowest "
        "and the fastest.\n\n![Images a second against each choice](performance.png)\n\n",
    ]
    if absent := [c.title for c in CURVES if c.name not in results["curves"]]:
        parts.append(f"Not measured: {'; '.join(absent)}.\n\n")
    for curve in measured_curves(results):
        parts.append(f"### {curve.title}\n\n")
        if run := results.get("apart", {}).get(curve.name):
            parts.append(f"Measured apart, by `python {run['command']}`.\n\n")
            parts.append(report.machine_line(run["machine"], run["core"]))
        parts.append(curve_table(curve, results["curves"][curve.name]) + "\n")
    if results["curves"].keys() >= {"batch_size", "side"}:
        parts += ["## On paper, from these constants\n\n", paper_tables(results["curves"])]
    return "".join(parts)


def draw(results: dict[str, Any], path: Path) -> None:
    """Draws the curves whose option is a number."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot
    from matplotlib import ticker

    figure, axes = pyplot.subplots(2, 2, figsize=(8, 6), layout="constrained")
    for curve, ax in zip(measured_curves(results), axes.flat, strict=False):
        for backend in curve.backends:
            found = [(p["value"], seconds(p, backend)) for p in results["curves"][curve.name]]
            known = [(value, 1 / s.median) for value, s in found if s is not None]
            if known:
                ax.plot(*zip(*known, strict=True), marker="o", label=backend)
        ax.set(xscale="log", yscale="log", title=curve.title, ylabel="images a second")
        values = [p["value"] for p in results["curves"][curve.name]]
        ax.set_xticks(values, [str(v) for v in values])
        ax.minorticks_off()
        ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:,.0f}")
    axes.flat[0].legend()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def write(results: dict[str, Any]) -> None:
    """Writes the JSON, the picture and the block of numbers."""
    NUMBERS.write_text(json.dumps(results, indent=1) + "\n")
    draw(results, PAGE.with_suffix(".png"))
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{numbers(results)}\n{END}{after}")
