"""Every example runs as a user would run it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_runs(path, tmp_path):
    command = [sys.executable, str(path), "--smoke", "--output", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr[-2000:]
    assert (tmp_path / "samples.png").stat().st_size > 1000


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_fits_on_a_few_pages(path):
    assert len(path.read_text().splitlines()) <= 150
