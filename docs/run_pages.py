"""Runs the code of the pages in docs/theory, and compares what it prints with what they say.

    python docs/run_pages.py            # every page, on the backend that KERAS_BACKEND names
    python docs/run_pages.py 03 08      # these pages
    python docs/run_pages.py --write    # also puts output and pictures in place

A page holds blocks of Python, which run in order in one namespace. Where a block is followed at
once by a block of text, that is what it prints. A block that saves a picture saves it under the
name of its page, in the current folder: that of the pages with `--write`, else a temporary one.
"""

import argparse
import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")

PAGES = sorted((Path(__file__).parent / "theory").glob("*.md"))
BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<text>.*?)```\n)?", re.DOTALL)


def blocks(page):
    """Returns the pairs (code, printed) of a page; `printed` is None where nothing is stated."""
    return [(m["code"], m["text"]) for m in BLOCK.finditer(page.read_text())]


def outputs(page, folder):
    """Runs the blocks of a page inside `folder` and returns what each of them prints."""
    names, printed = {"__name__": page.stem}, []
    with contextlib.chdir(folder):
        for number, (code, _) in enumerate(blocks(page), start=1):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(code, f"{page.name}, block {number}", "exec"), names)
            printed.append(out.getvalue())
    return printed


def write(page, printed):
    """Puts what the blocks have printed below them."""
    results = iter(printed)

    def with_output(match):
        text = next(results)
        below = f"\n```text\n{text}```\n" if text else ""
        return f"```python\n{match['code']}```\n{below}"

    page.write_text(BLOCK.sub(with_output, page.read_text()))


def shrink(picture):
    """Reduces a picture to 128 colours, which no eye notices: a third of the bytes."""
    from PIL import Image  # comes with matplotlib

    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


def differences(page, printed):
    """Returns where the output differs from what the page says, a list of texts."""
    pairs = zip(blocks(page), printed, strict=True)
    return [
        f"{page.name} says\n{stated}but its code prints\n{text}"
        for (_, stated), text in pairs
        if text != (stated or "")
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="how their names begin; all by default")
    parser.add_argument("--write", action="store_true", help="put output and pictures in place")
    arguments = parser.parse_args()
    chosen = [p for p in PAGES if not arguments.pages or p.name.startswith(tuple(arguments.pages))]
    if not chosen:
        parser.error(f"no page's name begins so. There are {', '.join(p.name for p in PAGES)}.")
    wrong = []
    for page in chosen:
        with tempfile.TemporaryDirectory() as temporary:
            printed = outputs(page, page.parent if arguments.write else temporary)
        if arguments.write:
            write(page, printed)
            shrink(page.with_suffix(".png"))
        wrong += differences(page, printed)
        print(page.name, "done", flush=True)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
