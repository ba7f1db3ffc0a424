"""Repeats the measurement of every number of a card: `keras-vae evaluate PRESET --full`."""

import sys
from collections.abc import Sequence

import keras

from keras_vae import presets
from keras_vae import recipes
from keras_vae.cli import preset_texts
from keras_vae.cli.exit_codes import NOT_AS_STATED
from keras_vae.cli.writing import write_json
from keras_vae.models import GenerativeModel


def reproduce(
    preset: str, data_dir: str | None = None, output: str | None = None, record: bool = False
) -> int:
    """Measures a preset as after its training, and prints each number next to the stated one.

    Args:
        preset: A name, a folder, or `hf://owner/name`.
        data_dir: Folder of data files.
        output: A JSON file to which the numbers are also written.
        record: Whether to add numbers of this backend that are missing to `metrics.json`.

    Returns:
        The exit code: 0, or `NOT_AS_STATED` if a number differs by more than its tolerance.

    Raises:
        ValueError: If the preset has no recipe or no numbers.
    """
    folder = presets.find(preset)
    recipe, metrics = preset_texts.read_recipe(folder), preset_texts.read_metrics(folder)
    if recipe is None or metrics is None:
        raise ValueError(
            f"{folder} lacks {recipes.RECIPE} or {recipes.METRICS}: there are no numbers to "
            "measure again."
        )
    recipes.check_measures(recipe)
    data = recipes.load_data(recipe, data_dir)
    model = GenerativeModel.from_preset(preset)
    measured = recipes.all_measures(model, recipe, data.test, verbose=0, train=data.train)
    found = recipes.compare(metrics["test"], measured, recipe)
    print(table(found))
    again = {"test": measured, "environment": recipes.environment()}
    if output:
        write_json(output, {"preset": preset, **again})
    names = [name for name, *_, is_within in found if not is_within]
    if record and _is_of_this_backend(metrics):  # adds numbers that the card lacks
        names = [name for name in names if name in metrics["test"]]
    if names:
        print(f"keras-vae: differs from the card: {', '.join(names)}", file=sys.stderr)
        return NOT_AS_STATED
    if record:
        _record(folder, metrics, again)
    return 0


def table(found: Sequence[tuple]) -> str:
    """Returns the results of `recipes.compare` as lines of text."""
    lines = [("number", "stated", "measured", "tolerance", "")]
    for name, stated, measured, tolerance, is_within in found:
        verdict = "" if is_within else "not on the card" if stated is None else "DIFFERS"
        lines.append((name, _text(stated), _text(measured), f"{tolerance:.2g}", verdict))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "\n".join(rows)


def _record(folder, metrics, again):
    """Adds the numbers to `metrics.json`, so that the card shows a column for this backend.

    If the card's own numbers are of this backend, only those are added that it does not state.
    """
    backend = keras.config.backend()
    if _is_of_this_backend(metrics):
        new = {k: v for k, v in again["test"].items() if k not in metrics["test"]}
        if not new:
            print(f"The card's own numbers come from {backend}: there is nothing to record.")
            return
        metrics["test"] |= new
        recorded = ", ".join(new)
    else:
        metrics["backends"] = {**metrics.get("backends", {}), backend: again}
        recorded = f"the numbers on {backend}"
    write_json(folder / recipes.METRICS, metrics)
    print(f"Recorded {recorded}.")


def _is_of_this_backend(metrics):
    return metrics["environment"]["backend"] == keras.config.backend()


def _text(value):
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
