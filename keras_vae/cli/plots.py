"""The commands that draw what a model has learned: `keras-vae plot` and `interpolate`."""

import math
from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_vae import presets
from keras_vae.cli import conditions
from keras_vae.cli import evaluation_data
from keras_vae.cli import options
from keras_vae.cli.command import Command

# Name of a plot -> what it shows, in the order in which they are drawn.
PLOTS = {
    "samples": "new pictures",
    "reconstructions": "test examples and the model's outputs for them",
    "latent_grid": "the plane of a model with two latent dimensions",
    "traversals": "the effect of each latent dimension",
    "interpolations": "paths from one test picture to another",
    "latent_scatter": "where test examples lie in the latent space",
    "kl": "the cost of each latent dimension",
    "codebook": "how often each code is used",
    "code_maps": "the codes of test examples",
    "nats": "the log-likelihoods of test examples",
    "curves": "the curves of training",
}
_NUM_WAYS = 5
_NUM_SHOWN = 20
_MOST_LABELS = 20
_LIKELIHOOD_DRAWS = 50


@click.command(
    cls=Command,
    examples="""
    keras-vae plot vae_mnist_mini                   every plot that the model has, into plots/
    keras-vae plot runs/photos --only code_maps     one of them
    keras-vae plot runs/my_run --data ./photos --output my_plots
    """,
)
@options.preset()
@options.data
@click.option(
    "--only",
    type=click.Choice(tuple(PLOTS)),
    multiple=True,
    help="Draw this plot. Can be given several times (default: all that the model has).",
)
@options.count("--num-examples", default=500, help="Number of test examples (default: 500).")
@options.seed("Seed of samples and of the binarized test data (default: the recipe's).")
@click.option(
    "--output", metavar="FOLDER", default="plots", help="Folder to write to (default: plots)."
)
def plot(
    preset: str,
    data: str | None,
    data_dir: str | None,
    only: tuple[str, ...],
    num_examples: int,
    seed: int | None,
    output: str,
) -> None:
    """Draw what a preset has learned, with a file for each plot."""
    folder, model, pairs, labels = _loaded(preset, data, data_dir, num_examples, seed)
    drawn = [name for name in PLOTS if name in _fitting(model, folder, pairs[0])]
    if missing := [name for name in only if name not in drawn]:
        raise ValueError(
            f"{preset}, a {type(model).__name__}, has no {', '.join(missing)}. It has: "
            f"{', '.join(drawn)}."
        )
    for name in only or drawn:
        path = Path(output) / f"{name}.png"
        _draw(name, path, folder, model, pairs, labels, seed or 0)
        print(f"Wrote {path}: {PLOTS[name]}")


@click.command(
    cls=Command,
    examples="""
    keras-vae interpolate vae_mnist_mini                       into interpolations.png
    keras-vae interpolate vae_mnist_mini --how spherical --num 3 --steps 12
    keras-vae interpolate runs/my_run --data ./photos          pictures of your own
    """,
)
@options.preset()
@options.data
@options.count("--num", default=_NUM_WAYS, help="Number of pairs (default: 5).")
@click.option(
    "--steps",
    type=options.Integer(2),
    default=8,
    metavar="N",
    help="Points on each path (default: 8).",
)
@click.option(
    "--how",
    type=click.Choice(("linear", "spherical")),
    default="linear",
    help="Along a line (default), or a great circle.",
)
@options.seed("Seed of the binarized test data (default: the recipe's).")
@click.option(
    "--output",
    metavar="FILE",
    default="interpolations.png",
    help="A .png file (default: interpolations.png).",
)
def interpolate(
    preset: str,
    data: str | None,
    data_dir: str | None,
    num: int,
    steps: int,
    how: str,
    seed: int | None,
    output: str,
) -> None:
    """Draw paths through the latent space between test examples."""
    from keras_vae import plotting

    if Path(output).suffix != ".png":
        raise ValueError(f"--output must end in .png. Received: {output}")
    _, model, pairs, _ = _loaded(preset, data, data_dir, 2 * num, seed)
    num = len(pairs[0]) // 2
    if not num:
        raise ValueError(
            "Interpolation leads from one example to another, and needs two of them. Received: 1."
        )
    _ways(plotting, model, pairs, num, Path(output), steps=steps, how=how)
    print(f"Wrote {output}")


def _loaded(preset, data, data_dir, num_examples, seed):
    """Returns a preset's folder and model, test pictures with their conditions, and labels."""
    from keras_vae.models import GenerativeModel

    evaluation_data.check_name(data, data_dir)
    folder = presets.find(preset)
    model = GenerativeModel.from_preset(preset)
    recipe = evaluation_data.recipe_of(folder, data, seed)
    pairs = evaluation_data.pairs_of(recipe, num_examples, data, data_dir)
    conditions.check(preset, model, pairs, model.predicts_from_pairs)
    labels = evaluation_data.labels_of(recipe, num_examples, data, data_dir)
    return folder, model, pairs, labels


def _fitting(model, folder, x):
    """Returns the names of the plots that are possible for a model."""
    z = getattr(model, "latent_shape", None) if model.encode_gives != "posteriors" else None
    is_continuous = z is not None and model.encode_gives in ("posterior", "point")
    can_be_seen = _is_of_pictures(model)
    has = {
        "samples": can_be_seen and model.can_sample and not _needs_pictures(model),
        "reconstructions": can_be_seen and model.can_reconstruct,
        "latent_grid": can_be_seen
        and is_continuous
        and z == (2,)
        and not model.predicts_from_pairs,
        "traversals": can_be_seen and is_continuous and len(z) == 1,
        "interpolations": can_be_seen and z is not None and len(x) > 1,
        "latent_scatter": is_continuous and len(z) == 1 and z[0] > 1,
        "kl": is_continuous and _has_gaussians(model),
        "codebook": model.encode_gives == "codes",
        "code_maps": can_be_seen and model.encode_gives == "codes",
        "nats": model.log_likelihood_is is not None,
        "curves": (folder / "epochs.csv").exists(),
    }
    return [name for name, is_there in has.items() if is_there]


def _is_of_pictures(model):
    """Whether examples can be drawn: they are pictures, or rows of the pixels of square ones."""
    from keras_vae.table_schema import schema_of

    *size, last = model.data_shape
    if not size:
        is_of_other_rows = schema_of(model) is not None or hasattr(model, "vocabulary")
        return not is_of_other_rows and math.isqrt(last) ** 2 == last
    return len(size) == 1 or last in (1, 3)


def _needs_pictures(model):
    from keras_vae.conditions import LabelCondition

    condition = getattr(model, "sample_condition", None)
    return condition is not None and not isinstance(condition, LabelCondition)


def _has_gaussians(model):
    """Whether KL per dimension has a closed form: a Gaussian posterior and a Gaussian prior."""
    from keras_vae import priors

    gaussians = priors.StandardNormal, priors.ConditionalGaussian
    is_gaussian = model.encode_gives == "posterior" and not hasattr(model, "codes")
    return is_gaussian and isinstance(getattr(model, "prior", None), gaussians)


def _draw(name, path, folder, model, pairs, labels, seed):
    from keras_vae import evaluation
    from keras_vae import plotting
    from keras_vae import recipes

    x, *condition = pairs
    shown = tuple(part[:_NUM_SHOWN] for part in pairs)
    if name == "samples":
        classes = getattr(getattr(model, "sample_condition", None), "num_classes", None)
        given = None if classes is None else np.arange(64) % classes
        plotting.image_grid(model.sample(64, given, seed=seed), path)
    elif name == "reconstructions":
        plotting.reconstructions(shown[0], model.reconstruct(*shown), path)
    elif name == "latent_grid":
        plotting.latent_grid(model, path)
    elif name == "traversals":
        plotting.traversals(model, x, path, condition=condition[0] if condition else None)
    elif name == "interpolations":
        _ways(plotting, model, pairs, min(_NUM_WAYS, len(x) // 2), path)
    elif name == "latent_scatter":
        is_few = labels is not None and len(np.unique(labels)) <= _MOST_LABELS
        z = plotting.latents(model, *pairs)[0]
        plotting.latent_scatter(z, path, y=labels if is_few else None)
    elif name == "kl":
        plotting.kl_per_dimension(evaluation.kl_per_dimension(model, *pairs), path)
    elif name == "codebook":
        usage: Any = evaluation.codebook_usage(model, *pairs)
        first = usage[0] if isinstance(usage, list) else usage
        plotting.codebook_histogram(first.counts, path)
    elif name == "code_maps":
        indices = model.encode_indices(*shown)
        first = indices[0] if isinstance(indices, list) else indices
        quantizer = evaluation.quantizers_of(model)[0]
        plotting.code_maps(shown[0], first, quantizer.num_embeddings, path)
    elif name == "nats":
        own = {}
        if model.log_likelihood_is == "estimate":
            own = {"num_samples": _LIKELIHOOD_DRAWS, "seed": seed}
        plotting.nats_histogram({"test": model.log_likelihood(*pairs, **own)}, path)
    else:
        history = recipes.read_history(folder / "epochs.csv")
        plotting.curves(history, path, held_out="test")


def _ways(plotting, model, pairs, num, path, **choices):
    x, *condition = pairs
    given = condition[0][:num] if condition else None
    plotting.interpolations(model, x[:num], x[num : 2 * num], path, condition=given, **choices)
