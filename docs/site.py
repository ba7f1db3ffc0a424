"""Gathers the pages of the documentation site into build/pages, for MkDocs.

    pip install -e ".[docs]"
    python docs/site.py && mkdocs build --strict    # into build/site, which needs no server
    python docs/site.py --notebooks                 # also build/notebooks, for pages with code

The pages lie in docs/ so that they read well in a checkout: they link to the cards of the zoo, the
benchmarks and the examples, which lie beside docs/. Here those are copied into the site and the
links redirected, formulas become MathML, which browsers show without a script, and a page is added
for each folder of the library, with the docstrings of its public names.
"""

import argparse
import ast
import os
import re
import shutil
import sys
import unicodedata
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS, BUILD = ROOT / "docs", ROOT / "build"
PAGES = BUILD / "pages"
# Text, then address without its fragment, then the fragment.
LINK = re.compile(r"(\]\(|src=\"|href=\")(?!\w+:|#|/)([^)#\s\"]+)(#[^)\s\"]*)?(?=[)\"])")
MATH = re.compile(r"^( *)```math\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
API_LINE = re.compile(r"^Every argument: (.*?)\. ", re.MULTILINE)
# The folders of the library whose names are for users, the models first.
ROOMS = sorted(
    {path.parent.name for path in (ROOT / "keras_vae").glob("*/__init__.py")} - {"cli", "steps"},
    key=lambda room: (room != "models", room),
)


class Site:
    """The pages that are gathered: each once, with those that it links to."""

    def __init__(self):
        self.waiting, self.done = [], set()

    def gather(self):
        """Writes all pages."""
        shutil.rmtree(PAGES, ignore_errors=True)
        for path in sorted(DOCS.rglob("*")):
            if path.suffix in (".md", ".png"):
                self.place_of(path)
        while self.waiting:
            self._write(self.waiting.pop())
        self._write_api()

    def place_of(self, path):
        """Returns where on the site a file or folder of the checkout lies, and makes sure that it
        will be there."""
        own = path.relative_to(DOCS) if path.is_relative_to(DOCS) else path.relative_to(ROOT)
        if own == Path("README.md") and path.parent == ROOT:
            own = Path("about.md")
        elif path.is_dir():
            own = own / "README.md"
        elif path.suffix not in (".md", ".png"):
            own = own.with_name(f"{own.name}.md")  # a source, shown on a page
        if path not in self.done:
            self.done.add(path)
            self.waiting.append(path)
        return own

    def _write(self, path):
        place = self.place_of(path)
        target = PAGES / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            shutil.copyfile(path, target)
        elif path.suffix == ".md":
            text = FRONT_MATTER.sub("", path.read_text())
            target.write_text(self._page(text, path.parent, place.parent))
        elif path.is_dir():
            target.write_text(self._listing(path, place.parent))
        else:
            language = {".py": "python", ".toml": "toml", ".json": "json"}.get(path.suffix, "text")
            target.write_text(f"# {path.name}\n\n```{language}\n{path.read_text()}```\n")

    def _page(self, text, folder, place):
        """The text of a page in a folder of the checkout, for its place on the site."""

        def led(match):
            path = Path(os.path.normpath(folder / match[2]))
            if not path.exists():
                raise ValueError(f"A page of {folder} links to {match[2]}, which is not there.")
            if path.is_dir() and (path / "README.md").exists():
                path = path / "README.md"
            address = os.path.relpath(self.place_of(path), place)
            return f"{match[1]}{Path(address).as_posix()}{match[3] or ''}"

        pieces, last = [], 0
        for code in CODE.finditer(text):  # what looks like a link in code is not one
            pieces += [LINK.sub(led, text[last : code.start()]), code[0]]
            last = code.end()
        text = "".join([*pieces, LINK.sub(led, text[last:])])
        text = API_LINE.sub(lambda m: f"Every argument: {_api_links(m[1], place)}. ", text)
        return MATH.sub(lambda m: f"{m[1]}{_mathml(m[2])}", text)

    def _listing(self, folder, place):
        """A page for a folder: its files."""
        lines = [f"# {folder.name}", ""]
        endings, is_shown = (".py", ".toml", ".md"), lambda p: p.is_dir() and p.name[0] not in "._"
        for path in sorted(p for p in folder.iterdir() if p.suffix in endings or is_shown(p)):
            address = os.path.relpath(self.place_of(path), place)
            lines.append(f"- [{path.name}]({Path(address).as_posix()})")
        return "\n".join(lines) + "\n"

    def _write_api(self):
        (PAGES / "api").mkdir()
        index = ["# API", "", "The public names of each folder.", ""]
        for room in ROOMS:
            names = public_names(room)
            links = ", ".join(f"[`{n}`]({room}.md#keras_vae.{room}.{n})" for n in names)
            index.append(f"- [{room}]({room}.md): {links}")
            entries = [f"::: keras_vae.{room}.{name}\n" for name in names]
            head = f"# {room}\n\n{ast.get_docstring(_tree(room)) or ''}\n"
            (PAGES / "api" / f"{room}.md").write_text("\n".join([head, *entries]))
        (PAGES / "api" / "index.md").write_text("\n".join(index) + "\n")


def public_names(room):
    """Returns what the `__init__` of a folder of the library re-exports, without importing it."""
    imports = (node for node in _tree(room).body if isinstance(node, ast.ImportFrom))
    names = {alias.asname or alias.name: node for node in imports for alias in node.names}
    return sorted(n for n, node in names.items() if node.module.startswith(f"keras_vae.{room}"))


def _tree(room):
    return ast.parse((ROOT / "keras_vae" / room / "__init__.py").read_text())


def _api_links(names, place):
    folder = Path(os.path.relpath("api", place)).as_posix()
    rooms = {name: room for room in reversed(ROOMS) for name in public_names(room)}
    return re.sub(
        r"`(\w+)`",
        lambda m: f"[`{m[1]}`]({folder}/{rooms[m[1]]}.md#keras_vae.{rooms[m[1]]}.{m[1]})",
        names,
    )


def _mathml(formula):
    from latex2mathml.converter import convert

    html = convert(" ".join(formula.split()), display="block")
    # Browsers show these alphabets as letters of their own only.
    for variant, name in (("double-struck", "DOUBLE-STRUCK"), ("script", "SCRIPT")):
        html = re.sub(
            rf'<mi mathvariant="{variant}">([A-Z])</mi>',
            lambda m, name=name: f"<mi>{_letter(name, m[1])}</mi>",
            html,
        )
    return f'<div class="formula">{html}</div>'


def _letter(alphabet, letter):
    for prefix in ("MATHEMATICAL ", ""):  # a few letters were there before the others
        try:
            return unicodedata.lookup(f"{prefix}{alphabet} CAPITAL {letter}")
        except KeyError:
            continue
    return letter


def write_notebooks(folder):
    """Writes a notebook of each page with code, with what the page says between the blocks."""
    import jupytext

    for path in sorted(DOCS.rglob("*.md")):
        if "```python\n" in path.read_text():
            target = folder / path.relative_to(DOCS).with_suffix(".ipynb")
            target.parent.mkdir(parents=True, exist_ok=True)
            jupytext.write(jupytext.read(path), target)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", action="store_true", help="also write notebooks")
    arguments = parser.parse_args()
    Site().gather()
    print(f"Wrote {PAGES.relative_to(ROOT)}: mkdocs build --strict")
    if arguments.notebooks:
        write_notebooks(BUILD / "notebooks")
        print(f"Wrote {(BUILD / 'notebooks').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
