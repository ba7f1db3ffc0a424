import pytest

from keras_vae.presets.format.strict_json import MAX_BYTES
from keras_vae.presets.format.strict_json import parse

pytestmark = pytest.mark.one_backend


def nested(depth):
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    "data, value",
    [
        (b'{"a": [1, 2.5, "\xc3\xa4", null, true]}', {"a": [1, 2.5, "ä", None, True]}),
        (b"7", 7),
        (b'[{"a": 1}, {"a": 1}]', [{"a": 1}, {"a": 1}]),
        (b"-1e-400", 0.0),
    ],
)
def test_json_is_read(data, value):
    assert parse(data) == value


def test_100_levels_are_read():
    assert parse(nested(100)) is not None


@pytest.mark.parametrize(
    "data, message",
    [
        (nested(101), "nested deeper than 100 levels"),
        (b"[" * 500_000, "nested deeper than 100 levels"),
        (b'{"a":' * 200_000, "nested deeper than 100 levels"),
        (b'{"a": 1, "b": 2, "a": 3}', "the key 'a' appears twice"),
        (b'{"%s": 1, "%s": 1}' % (b"k" * 10**5, b"k" * 10**5), "appears twice"),
        (b"[NaN]", "NaN, which is not a number"),
        (b"[-Infinity]", "-Infinity, which is not a number"),
        (b"[1e999]", "1e999, which no float can hold"),
        (b"9" * 5000, "4300 digits"),
        (b"1" * (MAX_BYTES + 1), "longer than 2,097,152 bytes"),
        (b"[" + b"0," * 260_000 + b"0]", "more than 250,000 values"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"\xff\xfe[\0]\0", "decode"),
        (b'"\x00"', "control character"),
        (b"[1] [2]", "Extra data"),
        (b"", "Expecting value"),
    ],
    ids=range(16),
)
def test_all_else_is_refused(data, message):
    with pytest.raises(ValueError, match=message) as error:
        parse(data)
    assert len(str(error.value)) < 300
