import struct

import numpy as np
import pytest

from keras_vae.callbacks.event_file import EventFile
from keras_vae.callbacks.event_file import _checksum

pytestmark = pytest.mark.one_backend


def test_the_checksum_is_that_of_the_standard():
    # RFC 3720, B.4: the CRC-32C of 32 zeros is 8A9136AA. Records hold it turned and moved.
    crc = 0x8A9136AA
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert _checksum(bytes(32)) == struct.pack("<I", masked)


def test_tensorflow_reads_what_was_written(tmp_path):
    summaries = pytest.importorskip("tensorflow.python.summary.summary_iterator")
    events = EventFile(tmp_path / "log")
    pictures = {3: b"three" * 100, 300: b"png"}
    for step, content in pictures.items():
        events.add_picture("samples", step, content, width=640, height=48)
    first, *others = summaries.summary_iterator(str(events.path))
    assert first.file_version == "brain.Event:2"
    assert [event.step for event in others] == list(pictures)
    for event in others:
        (value,) = event.summary.value
        assert value.tag == "samples"
        assert (value.image.width, value.image.height, value.image.colorspace) == (640, 48, 3)
        assert value.image.encoded_image_string == pictures[event.step]
        np.testing.assert_allclose(event.wall_time, first.wall_time, atol=60)
