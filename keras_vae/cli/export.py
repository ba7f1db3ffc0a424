"""The command that exports a model for programs without this library: `keras-vae export`."""

from pathlib import Path

import click

from keras_vae.cli import options
from keras_vae.cli.command import Command

_PARTS = ("model", "encoder", "decoder")
_ONNX = ".onnx"


@click.command(
    cls=Command,
    examples="""
    keras-vae export vae_mnist --backend torch                    into vae_mnist.onnx
    keras-vae export vae_mnist --backend tensorflow               into the folder vae_mnist
    keras-vae export runs/photos --part encoder -o encoder.onnx   the latents alone
    """,
)
@options.preset()
@click.option(
    "--part",
    type=click.Choice(_PARTS),
    default="model",
    help="What to write: the model, from x to its reconstruction or prediction (default), or one "
    "of its networks.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="A .onnx file, or a folder for a SavedModel (default: the preset's name; .onnx on "
    "PyTorch).",
)
def export(preset: str, part: str, output: str | None) -> None:
    """Write a preset as ONNX or SavedModel.

    A program then runs it without this library and without Keras.
    """
    import keras

    from keras_vae.models import GenerativeModel

    target = Path(output) if output else _default(preset, part, keras.config.backend())
    if target.suffix not in ("", _ONNX):
        raise ValueError(
            f"--output must end in {_ONNX}, or have no ending for a SavedModel. Received: {target}"
        )
    if target.exists():
        raise ValueError(f"--output {target} exists. Delete it, or give another path.")
    model = GenerativeModel.from_preset(preset)
    what = model if part == "model" else getattr(model, part, None)
    if what is None:
        raise ValueError(f"{preset} is a {type(model).__name__}, which has no single {part}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    written_as = "onnx" if target.suffix else "tf_saved_model"
    try:
        what.export(str(target), format=written_as, verbose=False)
    except RuntimeError as error:  # operations unknown to the converter are not a program fault
        raise ValueError(str(error)) from error
    print(f"Wrote {target}")


def _default(preset, part, backend):
    name = Path(preset).name if part == "model" else f"{Path(preset).name}_{part}"
    return Path(f"{name}{_ONNX}" if backend == "torch" else name)
