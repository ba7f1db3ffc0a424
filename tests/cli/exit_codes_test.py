import re
from pathlib import Path

import pytest

from keras_vae import cli
from keras_vae.cli import exit_codes

pytestmark = pytest.mark.one_backend

CHECKOUT = Path(__file__).parents[2]
DONE, FAULT = 0, 1  # Python's own
CODES = {DONE, FAULT, exit_codes.WRONG, exit_codes.NOT_AS_STATED, exit_codes.INTERRUPTED}
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]


def told(text):
    """Returns the set of codes in each passage that begins with "Exit codes" and tells any: the
    rest of its paragraph, and the list or table that may follow."""
    passages = re.findall(r"Exit codes(\W*.*?\n\n(?:[|*-].*?\n\n)?)", f"{text}\n\n", re.DOTALL)
    codes = [re.findall(r"(?<![\w.-])(\d{1,3})(?=[\s`:|*])", passage) for passage in passages]
    return [set(map(int, found)) for found in codes if found]


def test_every_code_is_told():
    assert told(cli.__doc__) == [CODES]
    by_page = {page.name: told(page.read_text()) for page in PAGES}
    assert any(by_page.values()), f"no page tells the exit codes: {sorted(by_page)}"
    wrong = {page: found for page, found in by_page.items() if any(s != CODES for s in found)}
    assert not wrong


@pytest.mark.parametrize(
    "text, codes",
    [
        ("Exit codes: 0 done, 2 wrong\nusage; `130` interrupted. It takes 0.3 s.", {0, 2, 130}),
        ("## Exit codes\n\n| code | |\n|---|---|\n| 0 | done |\n| `3` | not |\n\n7 more", {0, 3}),
        ("Exit codes are for scripts:\n\n- 0: done\n- 1: a fault\n\n4 more", {0, 1}),
        ("Exit codes are told elsewhere.\n\n5 more", None),
        ("2 is wrong usage, 130 interrupted", None),
    ],
)
def test_codes_are_found_where_they_are_told_and_nowhere_else(text, codes):
    assert told(text) == ([] if codes is None else [codes])
