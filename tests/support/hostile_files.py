"""Presets that a stranger might send, as folders. Every one must be refused, and do no harm.

`CASES` maps a name to what writes the files of the case into an empty folder, given those of a
sound preset. Configurations are signed, since whoever sends a file can sign it.
"""

import gzip
import io
import json
import lzma
import os
import pickle
import socket
import tarfile
import zipfile

import h5py
import hostile_configs
import numpy as np
from safetensors.numpy import load
from safetensors.numpy import save

from keras_vae.presets.format import preset_files
from keras_vae.presets.format.preset_files import CONFIG
from keras_vae.presets.format.preset_files import WEIGHTS
from keras_vae.presets.format.preset_files import config_bytes

CASES = {}
MIB = 2**20


def case(name, write):
    assert name not in CASES, name
    CASES[name] = write


def written(folder, config, weights):
    (folder / CONFIG).write_bytes(config)
    (folder / WEIGHTS).write_bytes(weights)


def weights_case(name, change):
    """A preset whose config vouches for other weights."""

    def write(folder, model, weights):
        changed = change(weights)
        written(folder, config_bytes(model, changed), changed)

    case(f"weights/{name}", write)


def tensors_case(name, change):
    weights_case(f"tensors_{name}", lambda weights: save(change(load(weights))))


def header_case(name, header, num_bytes=8):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + bytes(num_bytes)
    weights_case(f"header_{name}", lambda weights: data)


def text_case(name, change):
    """A config of other text, given that of the sound one."""
    case(
        f"config/{name}",
        lambda folder, model, weights: written(
            folder, change(config_bytes(model, weights)), weights
        ),
    )


def model_case(name, change):
    """A signed config of another model."""

    def write(folder, model, weights):
        config = preset_files._signed(
            json.loads(config_bytes(model, weights))["weights"], change(model)
        )
        written(folder, config, weights)

    case(f"model/{name}", write)


# Files of other kinds, in the place of either.


class Attack:
    def __reduce__(self):
        return __import__, (hostile_configs.SENTINEL,)


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("UP", "../"), data)
    return file.getvalue()


def hdf5(**datasets):
    file = io.BytesIO()
    with h5py.File(file, "w") as store:
        for name, shape in datasets.items():
            store.create_dataset(name, shape, "float32", chunks=True, compression="gzip")
        store.attrs["model_config"] = "{}"
    return file.getvalue()


def external_hdf5():
    file = io.BytesIO()
    with h5py.File(file, "w") as store:
        store["link"] = h5py.ExternalLink("/etc/passwd", "/")
    return file.getvalue()


def tarred():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../written"), io.BytesIO(b""))
    return file.getvalue()


OTHER_KINDS = {
    "empty": b"",
    "zeros": bytes(MIB),
    "blanks": b" " * MIB,
    "text": b"weights\n",
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "lfs_pointer": b"version https://git-lfs.github.com/spec/v1\nsize 12345\n",
    "script": b"#!/bin/sh\ntouch written\n",
    "elf": b"\x7fELF" + bytes(100),
    "pickle": pickle.dumps(Attack()),
    "pickled_tensors": pickle.dumps({"a": np.zeros(3)}),
    "zip": zipped(a="b"),
    "zip_bomb": zipped(a=bytes(64 * MIB)),
    "zip_traversal": zipped(UPUPwritten="x"),
    "keras_file": zipped(**{"config.json": "{}", "metadata.json": "{}", "model.weights.h5": ""}),
    "torch_file": zipped(**{"archive/data.pkl": pickle.dumps(Attack())}),
    "npz": zipped(**{"a.npy": b"\x93NUMPY\x01\x00"}),
    "gzip_bomb": gzip.compress(bytes(64 * MIB)),
    "xz_bomb": lzma.compress(bytes(16 * MIB), preset=0),
    "tar_traversal": tarred(),
    "hdf5": hdf5(a=(3,)),
    "hdf5_bomb": hdf5(a=(2**20, 2**20)),
    "hdf5_external": external_hdf5(),
    "random": np.random.default_rng(0).bytes(10_000),
}
for _name, _data in OTHER_KINDS.items():
    weights_case(f"is_{_name}", lambda weights, data=_data: data)
    text_case(f"is_{_name}", lambda text, data=_data: data)

# Tables of tensors.


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


header_case("of_another_model", {"a": entry()})
header_case("traversal", {"../../../written": entry()})
header_case("long_name", {"a" * MIB: entry()})
header_case("huge_shape", {"a": entry(shape=(10**12,))})
header_case("huge_consistent_shape", {"a": entry(shape=(10**12,), offsets=(0, 4 * 10**12))})
header_case("overflowing_shape", {"a": entry(shape=(2**62, 4))}, 0)
header_case("negative_shape", {"a": entry(shape=(-1, -2))})
header_case("many_axes", {"a": entry(shape=[1] * 10**5 + [2])})
header_case("float_shape", {"a": entry(shape=(2.0,))})
header_case("true_shape", {"a": entry(shape=(True, 2))})
header_case("overlap", {"a": entry(), "b": entry()})
header_case("hole", {"a": entry(offsets=(8, 16))}, 16)
header_case("backwards", {"a": entry(offsets=(8, 0))})
header_case("negative_offset", {"a": entry(offsets=(-8, 0))})
header_case("outside", {"a": entry(offsets=(8 * MIB, 8 * MIB + 8))})
header_case("trailing_bytes", {"a": entry()}, 4096)
header_case("objects", {"a": entry("O")})
header_case("integers", {"a": entry("I64", (1,))})
header_case("bfloat16", {"a": entry("BF16", (4,))})
header_case("no_dtype", {"a": {"shape": [2], "data_offsets": [0, 8]}})
header_case("entry_of_text", {"a": "F32"})
header_case("list", [1, 2])
header_case("twice", b'{"a": %s, "a": %s}' % ((json.dumps(entry()).encode(),) * 2))
header_case("nan", b'{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 8]}}')
header_case("deep", b"[" * 10**6)
header_case("many", {f"t{i}": entry(shape=(0,), offsets=(0, 0)) for i in range(25_000)}, 0)
header_case("too_long", b" " * (3 * MIB))
header_case("latin_1", b'{"\xe4": 1}')
weights_case("header_of_2**64", lambda weights: b"\xff" * 8 + weights[8:])
weights_case("header_of_the_rest", lambda weights: len(weights).to_bytes(8, "little") + weights)
weights_case("cut", lambda weights: weights[:-1])
weights_case("longer", lambda weights: weights + b"\0")
weights_case("pickle_behind", lambda weights: weights + pickle.dumps(Attack()))

# Tensors that are not the model's.


def first_changed(function, place=0):
    def change(tensors):
        name = sorted(tensors)[place]
        return tensors | {name: np.ascontiguousarray(function(tensors[name]))}

    return change


def with_value(value):
    def change(tensor):
        tensor = np.array(tensor)
        tensor.flat[-1] = value
        return tensor

    return change


tensors_case("none", lambda tensors: {})
tensors_case("missing", lambda tensors: dict(sorted(tensors.items())[1:]))
tensors_case("extra", lambda tensors: tensors | {"extra": np.zeros(1, "float32")})
tensors_case("extra_empty", lambda tensors: tensors | {"": np.zeros(0, "float32")})
tensors_case("renamed", lambda tensors: {f"{k}_": v for k, v in tensors.items()})
tensors_case("huge", lambda tensors: tensors | {"extra": np.zeros(MIB, "float32")})
tensors_case("flat", lambda tensors: {k: v.reshape(-1) for k, v in tensors.items()})
tensors_case("one_more_axis", lambda tensors: {k: v[None] for k, v in tensors.items()})
tensors_case("transposed", lambda tensors: {k: v.T.copy() for k, v in tensors.items()})
tensors_case("longer", first_changed(lambda tensor: np.concatenate([tensor, tensor])))
tensors_case("scalar", first_changed(lambda tensor: np.float32(0)))
tensors_case("nothing", first_changed(lambda tensor: tensor[:0]))
for _name, _value in (("nan", np.nan), ("inf", np.inf), ("minus_inf", -np.inf)):
    tensors_case(f"{_name}_first", first_changed(with_value(_value)))
    tensors_case(f"{_name}_last", first_changed(with_value(_value), -1))
for _dtype in ("float64", "int32", "uint8", "bool"):
    tensors_case(
        _dtype, lambda tensors, dtype=_dtype: {k: v.astype(dtype) for k, v in tensors.items()}
    )

# Configs.


def with_weights(**changes):
    def change(text):
        config = json.loads(text)
        return preset_files._signed(config["weights"] | changes, config["model"])

    return change


text_case("unsigned", lambda text: text.replace(b'"name"', b'"nome"'))
text_case("other_format", lambda text: text.replace(b'"format": 3', b'"format": 4'))
text_case("of_format_2", lambda text: text.replace(b'"format": 3', b'"format": 2'))
text_case("cut", lambda text: text[:-1])
text_case("bomb_of_lists", lambda text: b"[" + b"[]," * 600_000 + b"[]]")
text_case("bomb_of_depth", lambda text: b'{"a":' * 300_000)
text_case("bomb_of_size", lambda text: b" " * 64 * MIB + text)
text_case("bomb_of_digits", lambda text: b'{"format": ' + b"9" * MIB + b"}")
text_case("twice", lambda text: text.replace(b'"format"', b'"model": {}, "format"'))
text_case("nan", lambda text: text.replace(b"null", b"NaN"))
text_case("infinity", lambda text: text.replace(b"null", b"1e999"))
text_case("utf_16", lambda text: text.decode().encode("utf-16"))
text_case("byte_order_mark", lambda text: b"\xef\xbb\xbf" + text)
text_case("null_byte", lambda text: text.replace(b"VAE", b"V\0E"))
text_case("file_above", with_weights(file="../../model.safetensors"))
text_case("file_absolute", with_weights(file="/etc/passwd"))
text_case("file_of_a_network", with_weights(file="http://127.0.0.1:9/model.safetensors"))
text_case("digest_above", with_weights(tree_sha256="../../../../../../etc/passwd"))
text_case("digest_of_nothing", with_weights(tree_sha256=""))
text_case("digest_of_another", with_weights(tree_sha256="0" * 64))
text_case("digest_of_a_list", with_weights(tree_sha256=["0"] * 64))
text_case("size_of_another", with_weights(size=10**15))
text_case("size_negative", with_weights(size=-1))
text_case("weights_of_a_list", lambda text: text.replace(b'"weights": {', b'"weights": [], "w": {'))
for _part, _found in (("bomb", hostile_configs.encoder_bombs), ("code", hostile_configs.code)):
    for _name, _value in _found():
        for _key in ("encoder", "prior") if _part == "code" else ("encoder",):
            model_case(
                f"{_part}_{_name}_as_{_key}",
                lambda model, key=_key, value=_value: {
                    **model,
                    "config": {**model["config"], key: value},
                },
            )
for _name, _value in hostile_configs.roots():
    model_case(_name, lambda model, value=_value: value)

# What is not a file, or never ends.


def sparse(folder, model, weights):
    """A terabyte that takes up no space, vouched for by its size."""
    tensors = {"a": entry(shape=(2**38,), offsets=(0, 2**40))}
    header = json.dumps(tensors).encode()
    header = len(header).to_bytes(8, "little") + header
    (folder / WEIGHTS).write_bytes(header)
    os.truncate(folder / WEIGHTS, len(header) + 2**40)
    expected = {"file": WEIGHTS, "size": len(header) + 2**40, "tree_sha256": "0" * 64}
    (folder / CONFIG).write_bytes(preset_files._signed(expected, model))


def instead(make):
    """Writes cases of a sound preset in which either file is replaced."""

    def change(folder, model, weights, replaced):
        written(folder, config_bytes(model, weights), weights)
        (folder / replaced).unlink()
        make(folder / replaced)

    return change


def bind(path):
    before = os.getcwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(before)


case("place/sparse_terabyte", sparse)
for _name, _make in {
    "folder": os.mkdir,
    "pipe": os.mkfifo,
    "socket": bind,
    "endless": lambda path: os.symlink("/dev/zero", path),
    "terminal": lambda path: os.symlink("/dev/tty", path),
    "loop": lambda path: os.symlink(path.name, path),
    "dangling": lambda path: os.symlink("nowhere", path),
    "absent": lambda path: None,
}.items():
    for _file in (CONFIG, WEIGHTS):
        case(
            f"place/{_name}_for_{_file}",
            lambda folder, model, weights, file=_file, make=_make: instead(make)(
                folder, model, weights, file
            ),
        )


def write_all(folder, model, weights):
    """Writes every case into a folder of its own; returns `{name: folder}`."""
    folders = {}
    for number, (name, write) in enumerate(CASES.items()):
        folders[name] = folder / f"{number:03}"
        folders[name].mkdir()
        write(folders[name], model, weights)
    return folders
