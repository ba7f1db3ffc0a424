"""The command `keras-vae evaluate`."""

import click

from keras_vae import presets
from keras_vae.cli import conditions
from keras_vae.cli import evaluation_data
from keras_vae.cli import options
from keras_vae.cli import preset_texts
from keras_vae.cli.command import Command
from keras_vae.cli.writing import write_json


@click.command(
    cls=Command,
    examples="""
    keras-vae evaluate vae_mnist_mini                         on the data of its recipe
    keras-vae evaluate vae_mnist_mini --num-examples 100      faster and less exact
    keras-vae evaluate runs/my_run --data digits.npz          on other data
    keras-vae evaluate vae_mnist_mini --output numbers.json   for a program to read
    keras-vae evaluate vae_mnist_mini --full                  every number of its card again
    """,
)
@options.preset()
@options.data
@options.count(
    "--num-samples",
    metavar="K",
    help="Draws of z per example for the NLL (default: the recipe's, or 1000).",
)
@options.count("--num-examples", help="Evaluate only the first N test examples.")
@options.seed("Seed of the draws and of the binarized test data (default: the recipe's).")
@click.option("--output", metavar="FILE", help="Also write the numbers as JSON.")
@click.option(
    "--full",
    is_flag=True,
    help="Measure every number of the card; exit code 3 if one differs beyond its tolerance.",
)
@click.option(
    "--record",
    is_flag=True,
    help="With --full: add the numbers of this backend that the card lacks to metrics.json.",
)
def evaluate(
    preset: str,
    data: str | None,
    data_dir: str | None,
    num_samples: int | None,
    num_examples: int | None,
    seed: int | None,
    output: str | None,
    full: bool,
    record: bool,
) -> int:
    """Evaluate a preset on test data.

    Reports the ELBO, the importance-sampled NLL with its standard error, bits per dimension and
    active units.
    """
    from keras_vae import recipes
    from keras_vae.cli.reproduction import reproduce
    from keras_vae.models import GenerativeModel

    if full:
        _check_none_is_given(
            {
                "--data": data,
                "--num-samples": num_samples,
                "--num-examples": num_examples,
                "--seed": seed,
            }
        )
        return reproduce(preset, data_dir=data_dir, output=output, record=record)
    if record:
        raise ValueError("--record needs --full: only full measurements are recorded.")
    evaluation_data.check_name(data, data_dir)
    folder = presets.find(preset)
    model = GenerativeModel.from_preset(preset)
    recipe = evaluation_data.recipe_of(folder, data, seed)
    pairs = evaluation_data.pairs_of(recipe, num_examples, data, data_dir)
    conditions.check(preset, model, pairs, is_told=True)
    asked = {"num_samples": num_samples, "seed": seed}
    config = recipe.evaluation if recipe else {}
    config = config | {k: v for k, v in asked.items() if v is not None}
    test = recipes.measure(model, pairs, config)
    print(preset_texts.summary(test))
    if output:
        report = {
            "preset": preset,
            "data": data or (recipe.data["name"] if recipe else None),
            "test": test,
            "environment": recipes.environment(),
        }
        write_json(output, report)
    return 0


def _check_none_is_given(options):
    """Refuses options that would change the meaning of a card's numbers."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ValueError(
            "--full measures the numbers on the card, and cannot be combined with "
            f"{', '.join(given)}."
        )
