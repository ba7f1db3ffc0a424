"""The pages of docs/theory print what they say, on every backend."""

import importlib.util
import re
from pathlib import Path

import pytest

from keras_vae import devices

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted((DOCS / "theory").glob("*.md"))
TEXTS = [*sorted(DOCS.rglob("*.md")), *sorted(DOCS.parent.glob("README*.md"))]
LINK = re.compile(r"(?:\]\(|src=\")([^)#\s\"]+)(?:#[^)]*)?[)\"]")


@pytest.fixture(scope="module")
def run_pages():
    spec = importlib.util.spec_from_file_location("run_pages", DOCS / "run_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_prints_what_it_says(page, run_pages, tmp_path):
    if not devices.products_are_exact():
        pytest.skip("TF32 rounds away the digits that the pages show")
    printed = run_pages.outputs(page, tmp_path)
    assert not run_pages.differences(page, printed)
    assert (tmp_path / f"{page.stem}.png").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_is_complete(page, run_pages):
    text = page.read_text()
    assert "```math" in text
    assert any(printed for _, printed in run_pages.blocks(page))
    assert f"]({page.stem}.png)" in text
    assert (page.parent / f"{page.stem}.png").stat().st_size < 60_000
    assert "\n## Paper" in text
    assert f"(theory/{page.name})" in (DOCS / "README.md").read_text()


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: str(p.relative_to(DOCS.parent)))
def test_links_lead_somewhere(path):
    targets = [t for t in LINK.findall(path.read_text()) if "://" not in t]
    assert targets
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert not missing


def test_the_chinese_readme_has_the_same_code():
    english, chinese = ((DOCS.parent / name).read_text() for name in ("README.md", "README.zh.md"))
    code = re.compile(r"```(?:python|bash)\n.*?```", re.DOTALL)
    assert code.findall(chinese) == code.findall(english)


def test_the_readme_is_short():
    text = (DOCS.parent / "README.md").read_text()
    beside_the_table = re.sub(r"<!-- table: begin.*table: end -->", "", text, flags=re.DOTALL)
    assert len(beside_the_table.splitlines()) <= 130
