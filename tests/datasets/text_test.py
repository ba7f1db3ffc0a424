import gzip

import numpy as np
import pytest

from keras_vae.datasets import Vocabulary
from keras_vae.datasets import load_text
from keras_vae.datasets.splits import fixed_split

pytestmark = pytest.mark.one_backend
TEXTS = [f"{thing} {was} {how}" for thing in "ab" for was in "cd" for how in ("e", "f", "g h", "")]


def texts_of(data, part="train"):
    return data.vocabulary.decode(getattr(data, part).x)


def check_parts(data):
    train, test = fixed_split(len(TEXTS))
    assert texts_of(data) == [TEXTS[i].strip() for i in train]
    assert texts_of(data, "test") == [TEXTS[i].strip() for i in test]


def test_a_list_is_divided_once_and_for_all():
    check_parts(load_text(TEXTS))


@pytest.mark.parametrize("name", ["texts.txt", "texts.txt.gz"])
def test_files(name, tmp_path, monkeypatch):
    opened = gzip.open if name.endswith("gz") else open
    with opened(tmp_path / name, "wt", encoding="utf-8") as file:
        file.write("\n".join(TEXTS) + "\n")
    check_parts(load_text(tmp_path / name))
    monkeypatch.setenv("KERAS_VAE_DATA_DIR", str(tmp_path))
    check_parts(load_text(name))


def test_a_column_of_a_file(tmp_path):
    lines = ["number,text", *(f'{i},"{text}"' for i, text in enumerate(TEXTS))]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    check_parts(load_text(tmp_path / "table.csv", column="text"))


def test_a_column_of_a_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"number": range(len(TEXTS)), "text": TEXTS})
    check_parts(load_text(frame["text"]))
    check_parts(load_text(frame, column="text"))
    with pytest.raises(ValueError, match="no column 'words'"):
        load_text(frame, column="words")
    with pytest.raises(ValueError, match="a table with `column`"):
        load_text(frame)


def test_a_folder_brings_its_parts(tmp_path):
    for name, texts in (("train", TEXTS[:8]), ("valid", TEXTS[8:10]), ("test", TEXTS[10:])):
        with gzip.open(tmp_path / f"{name}.txt.gz", "wt") as file:
            file.write("\n".join(texts))
    data = load_text(tmp_path)
    assert [len(p) for p in (data.train, data.validation, data.test)] == [8, 2, 6]
    assert "b" not in data.vocabulary.tokens  # the vocabulary is that of the training part
    assert texts_of(data, "test")[0].startswith("<unk>")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["texts.txt", "texts.txt.gz"])
def test_only_the_ends_of_lines_end_texts(tmp_path, name, ending):
    texts = ["one\u2028two", "three\x0cfour", "five\x85six", "seven"] * 5
    with (gzip.open if name.endswith("gz") else open)(tmp_path / name, "wb") as file:
        file.write(ending.join(texts).encode() + ending.encode())
    data = load_text(tmp_path / name, unit="characters")
    assert sorted(texts_of(data, "train") + texts_of(data, "test")) == sorted(texts)


def test_what_is_asked_of_the_texts():
    data = load_text({"train": TEXTS, "test": TEXTS[:2]}, max_length=4, validation_size=3)
    assert data.train.x.dtype == np.int32
    assert (len(data.train), len(data.validation)) == (10, 2)  # of 13 and 3, without "a c g h"
    assert data.train.x.shape[1] == 4
    assert load_text(TEXTS, max_tokens=2).vocabulary.num_tokens == 5
    own = Vocabulary(["a"])
    assert load_text(TEXTS, vocabulary=own).vocabulary is own
    assert " " in load_text(TEXTS, unit="characters").vocabulary.tokens


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda d: load_text(["one"]), ValueError, "at least 2"),
        (lambda d: load_text(["a", 1.5]), ValueError, "1.5, of type float, at index 1"),
        (lambda d: load_text(3), ValueError, "`source` must be.*int"),
        (lambda d: load_text({"train": ["a"]}), ValueError, '"test".*train'),
        (lambda d: load_text({"t": ["a"]}, column="x"), ValueError, "keys"),
        (lambda d: load_text(d / "no.txt"), FileNotFoundError, "no.txt"),
        (lambda d: load_text(d), ValueError, "train.txt.*Received: table.csv"),
        (lambda d: load_text(d / "table.csv"), ValueError, "`column`.*'x', 'y'.*None"),
        (lambda d: load_text(TEXTS, max_length=1), ValueError, "at most 1 tokens"),
        (lambda d: load_text(TEXTS, max_length=-1), ValueError, "`max_length`.*positive"),
        (lambda d: load_text(TEXTS, validation_size=99), ValueError, "less than the 14"),
        (lambda d: load_text(TEXTS, unit="lines"), ValueError, "`unit`"),
    ],
)
def test_what_cannot_be_loaded(make, error, word, tmp_path):
    (tmp_path / "table.csv").write_text("x,y\n1,2\n")
    with pytest.raises(error, match=word):
        make(tmp_path)
