import io
import json

import numpy as np
import pytest
from safetensors.numpy import save

from keras_vae.presets.format.tensor_table import TensorEntry
from keras_vae.presets.format.tensor_table import read_table

pytestmark = pytest.mark.one_backend

TENSORS = {
    "wide": np.arange(6, dtype="float32").reshape(2, 3),
    "double": np.float64([1.5]),
    "scalar": np.array(0.5, "float32"),
    "empty": np.zeros((0, 3), "float32"),
}


def read(data):
    return read_table(io.BytesIO(data), len(data))


def of_header(header, num_bytes=8):
    """A file of a header, an object or text, and of zeros."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(num_bytes)


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_a_table_says_where_each_tensor_is():
    data = save(TENSORS, metadata={"format": "any"})
    file = io.BytesIO(data)
    table = read_table(file, len(data))
    start = file.tell()
    assert table.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        found = table[name]
        assert (found.shape, found.dtype) == (tensor.shape, tensor.dtype)
        np.testing.assert_array_equal(found.of(np.frombuffer(data, "uint8", offset=start)), tensor)
    assert sum(found.num_bytes for found in table.values()) == len(data) - start
    starts = [found.start for found in table.values()]
    assert starts == sorted(starts)


def test_a_tensor_at_any_byte_is_an_aligned_array():
    values = np.float64([1.5, -2.0])
    data = np.frombuffer(bytes(3) + values.tobytes(), "uint8")
    found = TensorEntry(np.dtype("<f8"), (2, 1), start=3).of(data)
    assert found.flags.aligned
    np.testing.assert_array_equal(found, values[:, None])


def test_a_file_of_no_tensors():
    assert read(save({})) == {}


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "0 bytes long, in a file of 0 bytes"),
        (bytes(8), "header would be 0 bytes"),
        (b"\xff" * 8, "header would be 18,446,744,073,709,551,615 bytes"),
        (of_header({"a": entry()})[:-9], "bytes long, in a file"),
        (of_header(b"{}garbage"), "Extra data"),
        (of_header(b"[1]"), "not a JSON object"),
        (of_header({"a": entry()}, 7), "take 8 bytes, but 7 follow"),
        (of_header({"a": entry()}, 9), "take 8 bytes, but 9 follow"),
        (of_header({"a": entry(), "b": entry()}), "'b' starts at byte 0 instead of 8"),
        (of_header({"a": entry(offsets=(8, 16))}, 16), "starts at byte 8 instead of 0"),
        (of_header({"a": entry(offsets=(8, 0))}), "takes 8 bytes, but -8 are declared"),
        (of_header({"a": entry(offsets=(-8, 0))}), "no valid `data_offsets`"),
        (of_header({"a": entry(offsets=(0, 8, 8))}), "no valid `data_offsets`"),
        (of_header({"a": entry(offsets=(0.0, 8.0))}), "no valid `data_offsets`"),
        (of_header({"a": entry(offsets="08")}), "no valid `data_offsets`"),
        (of_header({"a": entry(shape=(10**12,))}), "takes 4,000,000,000,000 bytes, but 8"),
        (of_header({"a": entry(shape=(2**62, 2**62))}), "but 8 are declared"),
        (of_header({"a": entry(shape=(-2, -1))}), "no valid shape"),
        (of_header({"a": entry(shape=(True, 2))}), "no valid shape"),
        (of_header({"a": entry(shape=(2, *[1] * 32))}), "no valid shape"),
        (of_header({"a": entry(shape=2)}), "no valid shape"),
        (of_header({"a": entry("I64")}), "the dtype 'I64', not one of"),
        (of_header({"a": entry("O")}), "the dtype 'O', not one of"),
        (of_header({"a": entry(None)}), "the dtype 'None', not one of"),
        (of_header({"a": entry(["F32"])}), "not one of"),
        (of_header({"a": {"dtype": "F32", "shape": [2]}}), "not described by"),
        (of_header({"a": entry() | {"more": 1}}), "not described by"),
        (of_header({"a": "F32"}), "not described by"),
        (of_header({str(n): entry(shape=(0,)) for n in range(10_001)}), "10,001 tensors, but"),
        (of_header(b'{"a": {}, "a": {}}'), "'a' appears twice"),
    ],
    ids=range(30),
)
def test_a_file_that_is_not_filled_by_its_tensors_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        read(data)
