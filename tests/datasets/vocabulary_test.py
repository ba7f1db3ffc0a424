import keras
import numpy as np
import pytest

from keras_vae.datasets import Tokenizer
from keras_vae.datasets import Vocabulary
from keras_vae.datasets.vocabulary import holds_texts

pytestmark = pytest.mark.one_backend
TEXTS = ["the food was great .", "the staff was rude .", "", "never  again"]


def test_by_hand():
    vocabulary = Vocabulary(["a", "b"])
    x = vocabulary.encode(["b a", "", "a c b a"])
    assert x.tolist() == [[4, 3, 1, 0, 0], [1, 0, 0, 0, 0], [3, 2, 4, 3, 1]]
    assert vocabulary.decode(x) == ["b a", "", "a <unk> b a"]
    assert vocabulary.num_tokens == 5


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_texts_come_back(unit):
    vocabulary = Vocabulary.of(TEXTS, unit)
    expected = [" ".join(t.split()) for t in TEXTS] if unit == "words" else TEXTS
    assert vocabulary.decode(vocabulary.encode(TEXTS)) == expected


def test_the_most_frequent_come_first():
    texts = ["b a a", "c b a"]
    assert Vocabulary.of(texts).tokens == ("a", "b", "c")
    assert Vocabulary.of(texts, max_size=1).tokens == ("a",)
    assert Vocabulary.of(texts, min_count=2).tokens == ("a", "b")
    assert Vocabulary.of(["ba", "a"], "characters").tokens == ("a", "b")


def test_what_does_not_fit_is_cut_and_has_no_end():
    vocabulary = Vocabulary(["a"])
    assert vocabulary.encode(["a a a", "a"], length=2).tolist() == [[3, 3], [3, 1]]
    assert vocabulary.decode([[3, 3], [3, 1]]) == ["a a", "a"]


def test_one_text_and_a_long_one():
    vocabulary = Vocabulary.of(TEXTS)
    assert vocabulary.encode("great").shape == (1, 2)
    assert vocabulary.encode("the " * 10_000).shape == (1, 10_001)


def test_its_config_makes_the_same():
    vocabulary = Vocabulary.of(TEXTS, "characters")
    config = keras.saving.serialize_keras_object(vocabulary)
    again = keras.saving.deserialize_keras_object(config)
    assert (again.tokens, again.unit) == (vocabulary.tokens, "characters")


@keras.saving.register_keras_serializable(package="tests")
class Bytes:
    def encode(self, text):
        return list(text.encode())

    def decode(self, numbers):
        return bytes(numbers).decode()

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_a_tokenizer_of_another_library():
    tokenizer = Tokenizer(Bytes(), 256)
    assert tokenizer.num_tokens == 259
    x = tokenizer.encode(["aé", ""])
    assert x.tolist() == [[3 + 97, 3 + 195, 3 + 169, 1], [1, 0, 0, 0]]
    assert tokenizer.decode(x) == ["aé", ""]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(tokenizer))
    assert np.array_equal(again.encode(["aé"]), tokenizer.encode(["aé"]))
    with pytest.raises(ValueError, match=r"outside the range from 0 to 99.*Raise `size`"):
        Tokenizer(Bytes(), 100).encode(["é"])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Vocabulary(["a", "b", "a"]), "'a' more than once"),
        (lambda: Vocabulary(["a b"]), "single words.*'a b'"),
        (lambda: Vocabulary("ab"), "list of strings"),
        (lambda: Vocabulary(["ab"], "characters"), "single characters"),
        (lambda: Vocabulary([1]), "single words.*1"),
        (lambda: Vocabulary(["a"], "syllables"), "`unit`.*'words'"),
        (lambda: Vocabulary.of([]), "`texts` is empty"),
        (lambda: Vocabulary.of(["a", None]), "None, of type NoneType, at index 1"),
        (lambda: Vocabulary.of(["a"], max_size=0), "`max_size`.*positive"),
        (lambda: Vocabulary(["a"]).encode([3]), "strings.*3, of type int"),
        (lambda: Vocabulary(["a"]).encode(["a"], length=0), "`length`.*positive"),
        (lambda: Vocabulary(["a"]).decode([[4]]), "from 0 to 3"),
        (lambda: Vocabulary(["a"]).decode([3]), r"\(N, T\)"),
        (lambda: Tokenizer(str, 5), "`encode\\(text\\)`"),
        (lambda: Tokenizer(Bytes(), -1), "`size`.*positive"),
    ],
)
def test_what_is_no_vocabulary_or_no_text(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_where_there_are_texts():
    texts = ["a", ["a", "b"], ("a",), np.array(["a", "b"]), np.array(["a", "b"], object)]
    others = [[], [1, 2], np.zeros((2, 3)), np.zeros(2), None, [["a"]]]
    assert all(map(holds_texts, texts))
    assert not any(map(holds_texts, others))


def test_where_there_are_texts_in_columns():
    pandas = pytest.importorskip("pandas")
    assert holds_texts(pandas.Series(["a", "b"]))
    assert not holds_texts(pandas.Series([1.0, 2.0]))
