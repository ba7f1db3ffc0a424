"""The pages of docs/theory print what they say, on every backend."""

import importlib.util
import re
from pathlib import Path

import pytest
from texts import run_code_of

from keras_vae import devices

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted((DOCS / "theory").glob("*.md"))
TEXTS = [*sorted(DOCS.rglob("*.md")), *sorted(DOCS.parent.glob("README*.md"))]
LINK = re.compile(r"(?:\]\(|src=\")([^)#\s\"]+)(?:#[^)]*)?[)\"]")


FAMILIES = sorted((DOCS / "families").glob("*.md"))


def script(name):
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run_pages():
    return script("run_pages")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """docs/site.py, which writes into a folder of this test."""
    pytest.importorskip("latex2mathml")
    module = script("site")
    monkeypatch.setattr(module, "PAGES", tmp_path / "pages")
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


@pytest.mark.parametrize("page", FAMILIES, ids=lambda p: p.stem)
def test_a_page_of_a_family_is_complete(page):
    text = page.read_text()
    for part in ("```math", "**Use it ", "**How it fails:**", "<!-- presets:", "Paper: ["):
        assert part in text
    assert f"(families/{page.name})" in (DOCS / "README.md").read_text()
    assert f"(families/{page.name})" in (DOCS / "choosing.md").read_text()


# What the code of a page leaves behind: pictures of a shape, something true, or a file.
GUIDES = {
    "start.md": {"trained": None, "again": (8, 28, 28, 1)},
    "fine_tuning.md": {"unchanged": True, "ones": None},
    "resuming.md": {"equal": True},
    "own_parts.md": {"vqvae": None, "shifted": None},
    **{f"families/{p.name}": {"pictures": (16, 28, 28, 1)} for p in FAMILIES},
    "families/autoregressive.md": {"pictures": (2, 28, 28)},
    "families/sequence_vae.md": {"texts": None, "between": None},
    "generator_latents.md": {"drawn": (16, 28, 28, 1), "again": (16, 28, 28, 1)},
}


@pytest.mark.slow
@pytest.mark.one_backend
@pytest.mark.parametrize("name", GUIDES)
def test_the_code_of_a_guide_runs_as_it_stands(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_code_of(DOCS / name, monkeypatch)
    for left, expected in GUIDES[name].items():
        found = names[left]
        assert expected is None or getattr(found, "shape", found) == expected


def test_pitfalls_have_tests():
    rows = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "pitfalls.md").read_text())
    assert len(rows) > 20
    missing = [
        f"{file}::{name}"
        for file, name in rows
        if f"def {name}(" not in (DOCS.parent / file).read_text()
    ]
    assert not missing


def test_the_site_has_all_pages_and_links_lead_somewhere(site):
    site.Site().gather()
    pages = list(site.PAGES.rglob("*.md"))
    sources = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    assert sources <= {page.relative_to(site.PAGES) for page in pages}
    names = {page.relative_to(site.PAGES).as_posix() for page in pages}
    assert {"zoo/vae_mnist/README.md", "benchmarks/README.md", "examples/mnist_vae.py.md"} <= names
    for page in pages:
        text = site.CODE.sub("", page.read_text())
        for _, target, _ in site.LINK.findall(text):
            assert (page.parent / target).exists(), f"{page}: {target}"
        assert "```math" not in page.read_text()


def test_the_site_names_every_page_and_public_name(site):
    assert "VAE" in site.public_names("models")
    assert all(site.public_names(room) for room in site.ROOMS)
    nav = set(re.findall(r"[\w/]+\.md", (DOCS.parent / "mkdocs.yml").read_text()))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert pages <= nav, "to be added to `nav` of mkdocs.yml"


def test_formulas_use_letters_that_browsers_show(site):
    html = site._mathml(r"\mathbb E_{q}[x] + \mathcal N + \mathbb R")
    assert "\U0001d53c" in html
    assert "\U0001d4a9" in html
    assert "\u211d" in html
    assert "double-struck" not in html


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
