"""Markdown for cards."""

from collections.abc import Iterable
from pathlib import Path


def table(header: list[str], rows: Iterable[Iterable[str]], num_words: int = 1) -> str:
    """Returns a Markdown table with `num_words` columns of words on the left, then numbers."""
    lines = [header, ["---"] * num_words + ["---:"] * (len(header) - num_words), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """Returns text escaped for a cell of a table."""
    return text.replace("|", "\\|")


def picture(folder: Path, name: str, caption: str) -> str:
    """Returns Markdown of a picture with its caption, or "" if the folder does not hold it."""
    return f"![{caption}]({name})\n\n*{caption}*" if (folder / name).exists() else ""
