"""The commands of compressed files: `keras-vae compress` and `decompress`."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_vae.atomic_files import write_atomically
from keras_vae.cli import conditions
from keras_vae.cli import options
from keras_vae.cli.command import Argument
from keras_vae.cli.command import Command
from keras_vae.cli.writing import write_arrays
from keras_vae.terminal import is_live

ENDING = ".kvz"
_ARRAYS = (".npy", ".npz")
_COMPARED = 1000  # number of examples for the comparison with other formats


@click.command(
    cls=Command,
    examples="""
    keras-vae compress vae_mnist digits.npy                 into digits.kvz
    keras-vae compress vae_mnist digits.npz -o small.kvz    the array `images`, or the only one
    """,
)
@options.preset()
@click.argument(
    "source",
    cls=Argument,
    metavar="FILE",
    explanation="A .npy or .npz file, with data in the form that the model takes.",
)
@click.option(
    "-o", "--output", metavar="FILE", help="File to write (default: FILE with the ending .kvz)."
)
@options.count("--batch-size", default=64, help="Examples at once (default: 64).")
def compress(preset: str, source: str, output: str | None, batch_size: int) -> None:
    """Compress an array with the probabilities of a preset.

    Compression is lossless unless the preset is a model of codes.

    The file can be read on every backend, with the same preset.
    """
    from keras_vae import codecs
    from keras_vae.models import GenerativeModel

    x = _read_array(source)
    target = Path(output) if output else Path(source).with_suffix(ENDING)
    if target.suffix != ENDING:
        raise ValueError(f"--output must end in {ENDING}. Received: {target}")
    model = GenerativeModel.from_preset(preset)
    conditions.refuse(preset, getattr(model, "sample_condition", None), "compress(x, condition)")
    data = model.compress(x, batch_size=batch_size, verbose=int(is_live()))
    write_atomically(target, data)
    info = codecs.read_info(data)
    print(described(info))
    few = x[:_COMPARED]
    of_few = f", of {len(few):,} examples" if len(few) < len(x) else ""
    for name, size in _other_sizes(few).items():
        print(f"  {name:<12}{8 * size / few.size:.4f} bits per dimension, {size:,} bytes{of_few}")
    print(f"Wrote {target}")


@click.command(
    cls=Command,
    examples="""
    keras-vae decompress vae_mnist digits.kvz                into digits.npy
    keras-vae decompress vae_mnist digits.kvz -o again.npz   as an array `images`
    """,
)
@options.preset()
@click.argument("source", cls=Argument, metavar="FILE", explanation=f"A {ENDING} file.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="A .npy or .npz file to write (default: FILE with the ending .npy).",
)
@options.count("--batch-size", default=64, help="Examples at once (default: 64).")
def decompress(preset: str, source: str, output: str | None, batch_size: int) -> None:
    """Read a compressed file back with its preset."""
    from keras_vae.models import GenerativeModel

    target = Path(output) if output else Path(source).with_suffix(".npy")
    if target.suffix not in _ARRAYS:
        raise ValueError(f"--output must end in .npy or .npz. Received: {target}")
    data = _read_bytes(source)
    model = GenerativeModel.from_preset(preset)
    conditions.refuse(
        preset, getattr(model, "sample_condition", None), "decompress(data, condition)"
    )
    x = model.decompress(data, batch_size=batch_size, verbose=int(is_live()))
    write_arrays(target, {"images": x})


def show(path: str) -> None:
    """Prints the header of a compressed file."""
    from keras_vae.codecs.file_format import read_info

    print(described(read_info(_read_bytes(path))))


def described(info: Any) -> str:
    """Returns a `FileInfo` as lines of text."""
    kind = {
        "bits-back": "lossless, by bits-back coding with the latents of a VAE",
        "direct": "lossless, with the probabilities of an autoregressive model",
        "codes": "lossy: the discrete codes of a model, coded with their prior",
    }[info.scheme]
    shape = " x ".join(map(str, info.shape))
    return (
        f"{info.num_examples:,} examples of {shape}, {info.dtype}\n"
        f"  {kind}\n"
        f"  model       sha256 {info.model_sha256}\n"
        f"  file        {info.bits_per_dim:.4f} bits per dimension, {info.num_bytes:,} bytes\n"
        f"  bound       {info.bound:.4f} bits per dimension\n"
        f"  of these    {info.header_bytes} bytes of header, {info.initial_bits} initial bits"
    )


def _other_sizes(x):
    """Returns the sizes in other formats in bytes, if the data have few enough levels."""
    from keras_vae.codecs.comparison import general_sizes

    values = np.unique(x)
    if values[0] < 0 or len(values) > 256:
        return {}
    if values[-1] <= 1 and len(values) > 2:  # grey levels k / 255
        return general_sizes(np.round(np.asarray(x, "float64") * 255).astype("int32"), 256)
    return general_sizes(x.astype("int32"), max(2, int(values[-1]) + 1))


def _read_array(path):
    if Path(path).suffix not in _ARRAYS:
        raise ValueError(f"FILE must be a .npy or .npz file. Received: {path}")
    _check_is_file(path)
    if Path(path).suffix == ".npz":
        from keras_vae.datasets.npz import read_arrays

        arrays = read_arrays(Path(path), "images=x")
        if "images" not in arrays and len(arrays) != 1:
            raise ValueError(
                f"{path} must hold one array, or one named `images`. Received: {', '.join(arrays)}."
            )
        return arrays["images"] if "images" in arrays else next(iter(arrays.values()))
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path} holds no array saved by NumPy, or one of Python objects. Save numbers with "
            "np.save(path, x)."
        ) from error


def _read_bytes(path):
    _check_is_file(path)
    return Path(path).read_bytes()


def _check_is_file(path):
    if not Path(path).is_file():
        raise ValueError(f"There is no file {path}.")
