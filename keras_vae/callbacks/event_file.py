"""Event files of pictures for TensorBoard, written without TensorFlow."""

import os
import struct
import time
from pathlib import Path


class EventFile:
    """An event file for TensorBoard that holds pictures only.

    It consists of records, each with its length and checksums, that contain TensorFlow's protocol
    buffers `Event` and `Summary`.

    Args:
        folder: Path of the folder to write to.

    Reference:
        - [TFRecord](https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details)
        - [summary.proto](https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/summary.proto)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{os.getpid()}.pictures"
        self.path = Path(folder) / name
        self._append(_field(3, b"brain.Event:2"))

    def add_picture(self, name: str, step: int, png: bytes, width: int, height: int) -> None:
        """Adds a picture.

        Args:
            name: String, the name that TensorBoard shows.
            step: Integer, the epoch.
            png: Bytes of the PNG file.
            width: Integer, in pixels.
            height: Integer, in pixels.
        """
        image = _number(1, height) + _number(2, width) + _number(3, 3) + _field(4, png)
        summary = _field(1, _field(1, name.encode()) + _field(4, image))
        self._append(_number(2, step) + _field(5, summary))

    def _append(self, event):
        event = b"\x09" + struct.pack("<d", time.time()) + event  # field 1, the wall time
        length = struct.pack("<Q", len(event))
        with open(self.path, "ab") as file:
            file.write(length + _checksum(length) + event + _checksum(event))


def _varint(number):
    pieces = bytearray()
    while number > 127:
        pieces.append(number & 127 | 128)
        number >>= 7
    return bytes([*pieces, number])


def _number(field, value):
    """A field that holds an integer."""
    return _varint(field << 3) + _varint(value)


def _field(field, content):
    """A field that holds bytes, a text or a message."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _table():
    """CRC-32C of each byte, with Castagnoli's polynomial, which `zlib` does not support."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC = _table()


def _checksum(content):
    """The masked CRC-32C of bytes, as stored in records."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
