"""Texts as tokens: from files, lists and columns, in fixed parts."""

import csv
import dataclasses
import gzip
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_vae.checks import check_count
from keras_vae.datasets.local import find
from keras_vae.datasets.splits import Arrays
from keras_vae.datasets.splits import Splits
from keras_vae.datasets.splits import fixed_split
from keras_vae.datasets.vocabulary import TextCoder
from keras_vae.datasets.vocabulary import Vocabulary
from keras_vae.datasets.vocabulary import check_texts
from keras_vae.tokens import END

# The names that the files of a folder may have, with `.txt` or `.txt.gz`.
_FILES = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}


@dataclasses.dataclass(frozen=True, eq=False)
class TextSplits(Splits):
    """Texts in parts, as tokens.

    Args:
        name, train, test, validation, description: See `Splits`; `x` is int32 (N, T), rows of
            tokens that end with 1 and are padded with 0.
        vocabulary: `TextCoder` that encodes and decodes the tokens.
    """

    vocabulary: TextCoder | None = None


def load_text(
    source: Any,
    *,
    unit: str = "words",
    vocabulary: TextCoder | None = None,
    max_tokens: int | None = None,
    min_count: int = 1,
    max_length: int | None = None,
    column: str | None = None,
    validation_size: int = 0,
    data_dir: str | os.PathLike | None = None,
) -> TextSplits:
    """Loads texts as tokens, in fixed parts.

    Texts without parts are divided by `splits.fixed_split`, with a tenth for testing. The
    vocabulary is that of the training part.

    Args:
        source: One of
            - the path of a text file with one text per line, which may be compressed (`.gz`);
            - the path of a `.csv` or `.csv.gz` file, with `column`;
            - the path of a folder with `train.txt`, `test.txt` and optionally `validation.txt`,
              each of which may be compressed (`.gz`);
            - a list of strings, a column of a data frame, or, with `column`, a data frame;
            - a dict of lists, with the keys "train", "test" and optionally "validation".
        unit: "words" (separated by white space) or "characters".
        vocabulary: `Vocabulary` or `Tokenizer` to use instead of one built here.
        max_tokens: Integer, or `None`: the maximum number of words or characters in the vocabulary,
            which are the most frequent ones.
        min_count: Integer: the minimum number of occurrences in the training part of a word or
            character in the vocabulary.
        max_length: Integer, or `None`: texts with more tokens, including the end token, are left
            out.
        column: String, the column of a table.
        validation_size: Integer, the number of texts at the end of the training part that become
            the validation part.
        data_dir: Folder in which a relative path is also looked up; see `load`.

    Returns:
        `TextSplits`.

    Raises:
        ValueError: If there are too few texts, an element is not a text, there is no such column,
            or a number is out of range.
        FileNotFoundError: If a path does not exist. The message lists the places searched.

    Example:

    ```python
    data = load_text(["the food was great .", "the staff was rude .", "never again !"])
    data.vocabulary.decode(data.train.x)
    ```
    """
    texts, name = _texts_in_parts(source, column, data_dir)
    if validation_size:
        size = check_count("validation_size", validation_size)
        if "validation" in texts or size >= len(texts["train"]):
            raise ValueError(
                f"`validation_size` must be less than the {len(texts['train'])} training texts, "
                "and 0 where there is a validation part. Received: "
                f"validation_size={validation_size}."
            )
        texts["validation"], texts["train"] = texts["train"][-size:], texts["train"][:-size]
    if vocabulary is None:
        vocabulary = Vocabulary.of(texts["train"], unit, max_tokens, min_count)
    parts = {part: _encoded(part, found, vocabulary, max_length) for part, found in texts.items()}
    return TextSplits(
        name, **parts, description=f"Texts of {name}, by {unit}.", vocabulary=vocabulary
    )


def _encoded(part, texts, vocabulary, max_length):
    x = vocabulary.encode(texts)
    if max_length is not None and x.shape[1] > check_count("max_length", max_length):
        ends = (x == END).argmax(axis=1)
        x = x[ends < max_length, :max_length]
        if not len(x):
            raise ValueError(
                f"No text of the {part} part has at most {max_length} tokens, including the end. "
                f"Received: `max_length={max_length}`."
            )
    return Arrays(x)


def _texts_in_parts(source, column, data_dir):
    """Returns `{part: texts}` and a name."""
    if isinstance(source, dict):
        if not {"train", "test"} <= source.keys() <= _FILES.keys():
            raise ValueError(
                'A dict of texts must have the keys "train", "test" and optionally "validation". '
                f"Received: the keys {list(source)}."
            )
        return {part: check_texts(texts) for part, texts in source.items()}, "a dict"
    if not isinstance(source, str | os.PathLike):
        return _divided(check_texts(_column_of(source, column))), type(source).__name__
    path = find(source, data_dir)
    if path.is_dir():
        return _of_folder(path), path.name
    return _divided(_lines(path, column)), path.name


def _of_folder(path):
    found = {}
    for part, stems in _FILES.items():
        names = [f"{stem}.txt{end}" for stem in stems for end in ("", ".gz")]
        files = [path / name for name in names if (path / name).is_file()]
        if files:
            found[part] = _lines(files[0], None)
    if "train" not in found or "test" not in found:
        raise ValueError(
            f"The folder {path} must hold `train.txt` and `test.txt`, each optionally ending in "
            f"`.gz`. Received: {', '.join(sorted(p.name for p in path.iterdir())) or 'nothing'}."
        )
    return found


def _divided(texts):
    train, test = fixed_split(len(texts))
    return {"train": [texts[i] for i in train], "test": [texts[i] for i in test]}


def _column_of(source: Any, column: str | None) -> Iterable[Any]:
    if column is None:
        if hasattr(source, "columns") or not hasattr(source, "__iter__"):
            raise ValueError(
                "`source` must be a path, a list of texts, or a table with `column`. Received: "
                f"{type(source).__name__}."
            )
        return source
    try:
        return source[column]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"`source` has no column {column!r}. Received: {source!r:.200}") from error


def _lines(path: Path, column: str | None) -> list[str]:
    """Returns the texts of a file: its lines, or a column of a table."""
    is_compressed = path.suffix == ".gz"
    kind = Path(path.stem).suffix if is_compressed else path.suffix
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if is_compressed
        else open(path, encoding="utf-8", newline="") as file
    ):
        if kind != ".csv":
            # Not `splitlines`, which also splits at characters within texts, such as U+2028.
            return [line.rstrip("\r\n") for line in file]
        table = csv.DictReader(file)
        if column is None or column not in (table.fieldnames or ()):
            raise ValueError(
                f"`column` must be a column of {path.name}: "
                f"{', '.join(map(repr, table.fieldnames or ()))}. Received: {column!r}."
            )
        return [row[column] for row in table]
