"""The benchmark runner: its arithmetic by hand, and a tiny bench from end to end."""

import csv
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_texts import LANGUAGE_MODEL
from tiny_texts import TEXT
from tiny_texts import write_tiny_texts

from keras_vae.recipes import train_recipe

pytestmark = pytest.mark.one_backend

CHECKOUT = Path(__file__).parents[1]
FOLDER = CHECKOUT / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """A function that imports a file of the folder, which are scripts and no package."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(FOLDER)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def taken(*cpu, units=10, memory=0):
    return [{"cpu": c, "wall": 2 * c, "units": units, "value": 1.5, "memory": memory} for c in cpu]


def test_ratios_are_taken_within_rounds(module):
    # The machine is three times slower in the second round: the ratio of each round is not.
    ours, theirs = taken(1.0, 3.0, 1.0), taken(2.0, 6.0, 2.5)
    found = module("report").compare(ours, theirs, "speed")
    assert (found.median, found.low, found.high) == (2.0, 2.0, 2.5)


@pytest.mark.parametrize(
    "kind, expected", [("speed", 0.8), ("share", 0.25), ("difference", 20.0), ("seconds", 0.1)]
)
def test_each_kind_by_hand(kind, expected, module):
    # 1.0 s for 10 units is 0.1 s a unit; 0.8 s for 10 is 0.08.
    found = module("report").compare(taken(1.0), taken(0.8), kind)
    assert found.median == pytest.approx(expected)


def test_memory_is_of_the_whole(module):
    report = module("report")
    found = report.compare(taken(1.0, memory=3e6), taken(1.0, memory=9e7), "memory")
    assert report.shown(found.median, "memory") == "1/30"


def test_wall_time_where_it_is_asked_for(module):
    found = module("report").compare(taken(1.0), taken(4.0, units=20), "seconds", clock="wall")
    assert found.median == pytest.approx(0.2)


def results_of(of, against, **more):
    contenders = {"ours/torch": {"rounds": of}, "theirs/torch": against}
    return {
        "clock": "cpu",
        "device": "no GPU",
        "benches": {"hand": {"options": {}, "contenders": contenders}},
        **more,
    }


def test_a_row_says_whether_its_bar_is_met(module):
    registry, report = module("registry"), module("report")
    row = registry.Row("a row", "ours", "theirs", bars={"torch": 1.5}, aims={"torch": 3.0})
    benches = {"hand": registry.Bench("hand", "By hand.", "calls", rows=[row])}
    ours = taken(1.0, 1.0, 1.0)
    (line,) = report.table(results_of(ours, {"rounds": taken(1.6, 1.4, 1.8)}), benches)
    assert line["measured"] == "1.60 (1.40 to 1.80)"
    assert (line["bar"], line["aim"], line["met"]) == ("1.50", "3.00", "yes")
    (line,) = report.table(results_of(ours, {"rounds": taken(1.4, 1.3, 1.6)}), benches)
    assert line["met"] == "**no**"
    (line,) = report.table(results_of(ours, {"unavailable": "not installed"}), benches)
    assert (line["measured"], line["met"]) == ("not measured: not installed", "-")


def test_a_lower_share_meets_its_bar(module):
    report = module("report")
    assert report.is_met(0.02, 0.03, "share")
    assert not report.is_met(0.04, 0.03, "share")


def test_the_line_through_steps_by_hand(module):
    # 2 ms a step and 10 us an image.
    points = [
        {
            "value": size,
            "contenders": {"keras_vae/torch": {"rounds": taken(2e-3 + 1e-5 * size, units=size)}},
        }
        for size in (32, 128, 512)
    ]
    fixed, marginal = module("curves").fixed_and_marginal(points, "torch")
    assert (fixed, marginal) == pytest.approx((2e-3, 1e-5))


def test_a_ring_by_hand(module):
    # Four devices exchange 2 * 3 / 4 of 4 bytes for each of 1,000 weights, at 1,000 bytes a second.
    assert module("curves").exchange_seconds(1000, 4, 1000) == pytest.approx(6.0)


def test_curves_that_are_measured_apart_leave_the_others(module, monkeypatch):
    curves = module("curves")
    found = {"contenders": {"keras_vae/torch": {"rounds": taken(0.5)}}}  # 10 images in 0.5 s
    monkeypatch.setattr(curves, "run_bench", lambda bench, settings: found)
    settings = module("rounds").Settings(backends=("torch",), rounds=3)
    earlier = list(curves.measure(settings, ["width"], {}))[-1]
    monkeypatch.setattr(sys, "argv", ["run.py", "--curves", "jit_mlp"])
    both = list(curves.measure(settings, ["jit_mlp"], earlier))[-1]
    assert both["curves"]["width"] is earlier["curves"]["width"]
    assert [point["value"] for point in both["curves"]["jit_mlp"]] == [False, True]
    text = curves.numbers(both)
    assert text.count("| 20 |") == 5  # images a second at 3 widths and 2 settings
    assert "Measured apart, by `python benchmarks/run.py --curves jit_mlp`" in text
    assert "Not measured: Batch size, MLP; Side of the" in text
    with pytest.raises(SystemExit, match=r"No curve is called \['wdth'\]"):
        next(curves.measure(settings, ["wdth"], {}))


def test_every_row_names_contenders_that_are_there(module):
    for bench in module("registry").load_benches().values():
        for row in bench.rows:
            for name in {row.of, row.against} - {None, "before"}:
                contender, _, backend = name.partition("/")
                backends = bench.contenders[contender].backends
                needed = [backend] if backend else row.backends or tuple(row.bars)
                assert set(needed) <= set(backends), f"{bench.name}: {name}"


def test_a_tiny_run_from_end_to_end(tmp_path):
    chosen = ["--bench", "verification", "--backend", "torch", "--quick"]
    more = ["--before", str(CHECKOUT), "--core", "-1", "--output", str(tmp_path)]
    command = [sys.executable, str(FOLDER / "run.py"), *chosen, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((tmp_path / "results.json").read_text())
    contenders = results["benches"]["verification"]["contenders"]
    for outcome in contenders.values():
        assert [r["cpu"] > 0 and r["units"] == 16 for r in outcome["rounds"]] == [True, True]
    assert "verification of a preset's weights" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("results.json")), ids=lambda p: p.parent.name)
def test_the_report_is_what_the_program_writes(path, module):
    measured = json.loads(path.read_text())
    written = module("report").markdown(measured, module("registry").load_benches())
    found = path.with_name("README.md").read_text()
    assert written == found, "run `python benchmarks/run.py --report`"


def test_the_page_of_costs_is_what_the_program_writes(module):
    curves = module("curves")
    block = curves.PAGE.read_text().partition(curves.BEGIN)[2].partition(curves.END)[0]
    assert block.strip() == curves.numbers(json.loads(curves.NUMBERS.read_text())).strip()


def test_the_table_of_cures(module, tmp_path, monkeypatch, capsys):
    collapse = module("collapse")
    assert collapse.with_error(np.array([1.0, 3.0])) == "2.00 ± 1.00"
    folders = []
    for name, text in (("language_model", LANGUAGE_MODEL), ("vae", TEXT)):
        recipe, folder = write_tiny_texts(tmp_path, text), tmp_path / name
        train_recipe(recipe, folder, epochs=1, data_dir=tmp_path, verbose=0)
        folders.append(str(folder))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{collapse.BEGIN}\nold\n{collapse.END}\nafter\n")
    monkeypatch.setattr(collapse, "PAGE", page)
    options = ["--data-dir", str(tmp_path), "--draws", "3", "--write"]
    monkeypatch.setattr(sys, "argv", ["collapse.py", *folders, *options])
    collapse.main()
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:4]]
    assert [row[0] for row in rows] == ["language_model", "vae"]
    gain = [float(cell.split()[0]) for cell in (rows[0][1], rows[1][1], rows[1][2])]
    assert gain[1] - gain[0] == pytest.approx(gain[2], abs=0.02)  # pairs of the same examples
    assert lines[5].startswith("2 test examples, 3 draws")
    with (Path(folders[1]) / "epochs.csv").open() as file:
        kl = float(next(csv.DictReader(file))["kl"])
    assert lines[9:] == ["| epoch | vae |", "| --- | ---: |", f"| 1 | {kl:.2f} |"]
    written = page.read_text().splitlines()
    assert (written[:2], written[-2:]) == (["before", collapse.BEGIN], [collapse.END, "after"])
    assert written[2:-2] == lines
