"""The command `keras-vae score`."""

import click
import numpy as np

from keras_vae.cli import options
from keras_vae.cli import tables
from keras_vae.cli.command import Command

_NUM_NAMED = 5


@click.command(
    cls=Command,
    examples="""
    keras-vae score runs/customers --data new.csv                       into scores.csv
    keras-vae score runs/customers --data new.csv --columns --output s.csv   and of each column
    """,
)
@options.preset()
@options.table
@click.option(
    "--method",
    type=click.Choice(("likelihood", "bound")),
    default="likelihood",
    help="log p(x), by importance sampling (default), or its lower bound.",
)
@options.count("--num-samples", default=128, help="Draws of z for each row (default: 128).")
@click.option("--columns", is_flag=True, help="Also write what each column adds to log p(x|z).")
@options.seed("Seed of the draws, which are the same for all rows (default: 0).")
@click.option(
    "--output", metavar="FILE", default="scores.csv", help="A .csv or .tsv (default: scores.csv)."
)
def score(
    preset: str,
    data: str,
    method: str,
    num_samples: int,
    columns: bool,
    seed: int | None,
    output: str,
) -> None:
    """Score the rows of a table, in nats: higher is more likely.

    Missing values are left out of the score of their row.
    """
    from keras_vae.datasets.csv_tables import check_ending
    from keras_vae.datasets.csv_tables import read_table
    from keras_vae.datasets.csv_tables import write_table

    check_ending(output, "--output")
    table = read_table(data)
    model, schema = tables.model_of_table(preset)
    x, seed = table.encoded(schema), seed or 0
    scores = model.score(x, method=method, num_samples=num_samples, seed=seed)
    written = {"line": table.lines, "score": _texts(scores)}
    if columns:
        of_columns = model.score_per_feature(x, num_samples=num_samples, seed=seed)
        written |= {
            f"score of {name}": _texts(of_columns[:, i]) for i, name in enumerate(schema.names)
        }
    write_table(output, written)
    lowest = np.argsort(scores)[:_NUM_NAMED]
    named = ", ".join(f"line {table.lines[i]} ({scores[i]:.1f})" for i in lowest)
    print(f"{len(table):,} rows, mean {scores.mean():.2f} nats. Least likely: {named}")
    print(f"Wrote {output}")


def _texts(values):
    return [tables.text_of(float(value)) for value in values]
