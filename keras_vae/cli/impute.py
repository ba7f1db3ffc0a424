"""The command `keras-vae impute`."""

import click
import numpy as np

from keras_vae.cli import options
from keras_vae.cli import tables
from keras_vae.cli.command import Command


@click.command(
    cls=Command,
    examples="""
    keras-vae impute runs/customers --data gaps.csv                        into imputed.csv
    keras-vae impute runs/customers --data gaps.csv --output complete.csv
    """,
)
@options.preset()
@options.table
@options.count("--num-samples", default=1000, help="Weighted draws for each row (default: 1000).")
@options.seed("Seed of the draws (default: 0).")
@click.option(
    "--output", metavar="FILE", default="imputed.csv", help="A .csv or .tsv (default: imputed.csv)."
)
def impute(preset: str, data: str, num_samples: int, seed: int | None, output: str) -> None:
    """Fill the gaps of a table.

    Gaps are filled with means, the median of ordered classes, or the most probable of other
    classes. Existing values are kept, and so are columns that the model does not know.
    """
    from keras_vae.datasets.csv_tables import check_ending
    from keras_vae.datasets.csv_tables import read_table
    from keras_vae.datasets.csv_tables import write_table
    from keras_vae.models.base.imputation import ImpossibleRowError

    check_ending(output, "--output")
    table = read_table(data)
    model, schema = tables.model_of_table(preset)
    x = table.encoded(schema)
    is_missing = np.isnan(x)
    try:
        x = model.impute(x, num_samples=num_samples, seed=seed or 0).values
    except ImpossibleRowError as error:
        line = f"{data}, line {table.lines[error.row]},"
        raise ImpossibleRowError(error.row, line) from error
    written = {name: cells.tolist() for name, cells in table.columns.items()}
    for i, (name, values) in enumerate(schema.decode(x).items()):
        for row in np.flatnonzero(is_missing[:, i]):
            written[name][row] = tables.text_of(values[row])
    write_table(output, written)
    num_rows = is_missing.any(axis=1).sum()
    print(f"Filled {is_missing.sum():,} gaps in {num_rows:,} of {len(table):,} rows")
    print(f"Wrote {output}")
