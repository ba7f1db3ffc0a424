"""The commands that generate pictures or rows: `keras-vae sample` and `reconstruct`."""

from pathlib import Path

import click
import numpy as np

from keras_vae import presets
from keras_vae.cli import conditions
from keras_vae.cli import evaluation_data
from keras_vae.cli import folders
from keras_vae.cli import options
from keras_vae.cli import tables
from keras_vae.cli.command import Command
from keras_vae.cli.writing import write_arrays

_ARRAYS = (".npz", ".npy")


@click.command(
    cls=Command,
    examples="""
    keras-vae sample vae_mnist_mini                                  into samples.png
    keras-vae sample vae_mnist_mini --num 1000 --output digits.npz   as an array `images`
    keras-vae sample vae_mnist_mini --seed 1                         the same at every call
    keras-vae sample cvae_mnist --label 7                            of one class
    keras-vae sample cvae_quadrants_mnist --num 20                   completions of test pictures
    keras-vae sample cvae_quadrants_mnist --data digits.npz          completions of others
    keras-vae sample text_vae_yelp --num 5                           texts, a line each
    keras-vae sample runs/customers --rows 1000 --where sex=F        rows of a table: samples.csv
    """,
)
@options.preset()
@options.count(
    "--num", "--rows", "num_samples", default=64, help="Number of samples (default: 64)."
)
@click.option(
    "--label",
    type=options.Integer(0),
    metavar="C",
    help="Class of all samples, for a model conditioned on labels (default: each class in turn).",
)
@click.option(
    "--where",
    metavar="COLUMN=VALUE",
    multiple=True,
    help="For tables: a value that all rows must have. Can be given several times.",
)
@options.data
@options.seed("Seed of the draws (default: a different one at every call).")
@click.option(
    "--output",
    metavar="FILE",
    help="A .png, .npz (array `images`) or .npy (default: samples.png); for a table, a .csv or "
    ".tsv (default: samples.csv).",
)
def sample(
    preset: str,
    num_samples: int,
    label: int | None,
    where: tuple[str, ...],
    data: str | None,
    data_dir: str | None,
    seed: int | None,
    output: str | None,
) -> None:
    """Generate new samples from a preset.

    These are the means of p(x|z), with z sampled from the prior; rows of a table are drawn from
    p(x|z). Texts are printed, one per line. A preset conditioned on a part of each picture gets
    parts of test pictures, which are shown above its samples.
    """
    from keras_vae.models import GenerativeModel
    from keras_vae.table_schema import schema_of

    if output is not None:
        _check_ending(output, also=tables.ENDINGS)
    model = GenerativeModel.from_preset(preset)
    schema = schema_of(model)
    if schema is not None:
        if data is not None:
            raise ValueError(f"{preset} is not conditioned on other rows: leave --data out.")
        tables.sample_into(output or "samples.csv", model, schema, num_samples, where, label, seed)
        return
    _check_is_not_printed(model, preset)
    output = output or "samples.png"
    _check_ending(output)
    if where:
        raise ValueError(f"--where is for models of tables. Received: {preset}.")
    evaluation_data.check_name(data, data_dir)
    condition, told = _condition(preset, model, num_samples, label), {}
    if condition is None and _needs_pictures(model):
        told, condition = _told(preset, model, num_samples, data, data_dir)
        num_samples = len(condition)
    elif data is not None:
        raise ValueError(f"{preset} is not conditioned on other pictures: leave --data out.")
    drawn = model.sample(num_samples, condition, seed=seed)
    if _are_texts(drawn):
        print("\n".join(drawn))
    else:
        _save(output, {**told, "images": drawn})


@click.command(
    cls=Command,
    examples="""
    keras-vae reconstruct vae_mnist_mini                      into reconstructions.png
    keras-vae reconstruct vae_mnist_mini --output pairs.npz   as two arrays
    keras-vae reconstruct runs/my_run --data ./photos         images of your own
    keras-vae reconstruct runs/any_size --data ./photos --output copies   each at its own size
    """,
)
@options.preset()
@options.data
@options.count("--num", default=30, help="Number of test examples (default: 30).")
@options.seed("Seed of the binarized test data (default: the recipe's).")
@options.image_file(
    "reconstructions.png",
    ".npz (arrays `originals`, `reconstructions`), .npy (the reconstructions), or a folder",
)
@folders.tile
def reconstruct(
    preset: str,
    data: str | None,
    data_dir: str | None,
    num: int,
    seed: int | None,
    output: str,
    tile: int | None,
) -> None:
    """Reconstruct test examples with a preset.

    The image shows each original with its reconstruction below. If the preset takes pictures of any
    size, --data is a folder and --output has no ending, a picture is written for each of its files.
    """
    from keras_vae.models import GenerativeModel

    is_folder = not Path(output).suffix
    if not is_folder:
        _check_ending(output)
    evaluation_data.check_name(data, data_dir)
    folder = presets.find(preset)
    model = GenerativeModel.from_preset(preset)
    if folders.is_folder_of_any_size(model, data) and is_folder:
        folders.reconstruct_folder(model, str(data), output, tile)
        return
    if tile is not None or is_folder:
        raise ValueError(
            "--tile, and a folder as --output, are for a preset of pictures of any size and a "
            f"folder of them as --data. Received: --data {data}, --output {output}, and a preset "
            f"of shape {model.data_shape}."
        )
    _check_is_not_printed(model, preset)
    recipe = evaluation_data.recipe_of(folder, data, seed)
    if not hasattr(model, "reconstruct"):
        raise ValueError(f"{preset} is a {type(model).__name__}, which cannot reconstruct.")
    pairs = evaluation_data.pairs_of(recipe, num, data, data_dir)
    conditions.check(preset, model, pairs, model.predicts_from_pairs)
    again = model.reconstruct(*pairs)
    if _are_texts(again):
        both = zip(model.as_texts(pairs[0]), again, strict=True)
        print("\n".join(f"{text}\n    {copy}" for text, copy in both))
    else:
        _save(output, {"originals": pairs[0], "reconstructions": again})


def _check_is_not_printed(model, preset):
    """Refuses an --output for texts."""
    source = click.get_current_context().get_parameter_source("output")
    is_given = source is not click.core.ParameterSource.DEFAULT
    if is_given and getattr(model, "vocabulary", None) is not None:
        raise ValueError(f"{preset} writes texts, which are printed: leave --output out.")


def _are_texts(examples):
    return isinstance(examples, list)  # of a model with a vocabulary


def _condition(preset, model, num, label):
    """Returns the label of all samples, or each class in turn if none is given; `None` for an
    unconditional model."""
    from keras_vae.conditions import LabelCondition

    condition = getattr(model, "sample_condition", None)
    if isinstance(condition, LabelCondition):
        if label is not None and label >= condition.num_classes:
            raise ValueError(
                f"--label must be a class of {preset}, from 0 to {condition.num_classes - 1}. "
                f"Received: {label}"
            )
        return np.arange(num) % condition.num_classes if label is None else label
    if label is not None:
        raise ValueError(f"{preset} is not conditioned on labels: leave --label out.")
    return None


def _needs_pictures(model):
    """Whether a model samples only given a part of each picture, or other numbers."""
    condition = getattr(model, "sample_condition", None)
    return condition is not None and not condition.can_be_absent


def _told(preset, model, num, data, data_dir):
    """Returns the pictures shown above the samples, `{name: pictures}`, and the conditions of test
    examples."""
    condition = model.sample_condition
    recipe = evaluation_data.recipe_of(presets.find(preset), data, seed=None)
    pairs = evaluation_data.pairs_of(recipe, num, data, data_dir)
    if len(pairs) < 2 or pairs[1] is None:
        conditions.refuse(preset, condition, f"sample({num}, condition)")
    x, seen = pairs
    if seen.shape != (*x.shape[:-1], 2 * x.shape[-1]):
        return {}, seen
    values, mask = np.split(seen, 2, axis=-1)  # as `datasets.seen_quadrants` returns them
    return {"seen": np.where(mask > 0, values, 0.5)}, seen


def _check_ending(path, also=()):
    if Path(path).suffix not in (".png", *_ARRAYS, *also):
        raise ValueError(f"--output must end in .png, .npz or .npy. Received: {path}")


def _save(path, arrays):
    """Writes named arrays of pictures as one picture or as arrays, by the path's ending."""
    from keras_vae import plotting

    path = Path(path)
    if path.suffix in _ARRAYS:
        write_arrays(path, arrays)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if len(arrays) == 1:
        plotting.image_grid(*arrays.values(), path)
    else:
        plotting.reconstructions(*arrays.values(), path)
    print(f"Wrote {path}")
