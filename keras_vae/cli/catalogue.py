"""What there is to know about presets without running them: `keras-vae list` and `info`."""

import json
import textwrap

from keras_vae import presets
from keras_vae import recipes

_OF_EVERY_LAYER = ("name", "trainable", "dtype")


def list_presets(options):
    """Prints a table of all presets, or of those of one family or of one data set."""
    header = ("preset", "family", "data", "test NLL, nats", "parameters", "weights")
    found = list(map(_row, sorted({*presets.names(), *presets.recipe_names()})))
    found = _only(found, header.index("family"), "--family", options.family)
    rows = [header, *_only(found, header.index("data"), "--dataset", options.dataset)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    print("\nkeras-vae info PRESET tells more; keras-vae train PRESET trains a recipe.")


def info(options):
    """Prints what a preset is, its numbers, how it was made, and how to use it."""
    folder = _folder_of(options.preset)
    recipe, metrics = read_recipe(folder), read_metrics(folder)
    print(recipe.name if recipe else folder)
    if recipe:
        print(indented("\n".join(text for text in (recipe.summary, recipe.limits) if text)))
    print(f"\nModel\n{indented(_parts(folder, recipe))}")
    if metrics:
        print(f"\nNumbers\n{indented(summary(metrics['test']))}")
        print(f"\nMade by\n{indented(_making(metrics))}")
    if recipe:
        known = options.preset in presets.recipe_names()
        print(f"\nUse\n{indented(recipes.usage(recipe, None if known else str(folder)))}")


def summary(test):
    """Returns the numbers of `recipes.measure` as lines of text."""
    lines = [(words.replace("\\|", "|"), _plain(value)) for _, words, value in recipes.rows(test)]
    lines.append(("test examples", f"{test['num_examples']:,}"))
    if test.get("nll_num_samples", 1) > 1:
        lines.append(("draws each for the NLL", f"{test['nll_num_samples']:,}"))
    width = max(len(words) for words, _ in lines)
    return "\n".join(f"{words:<{width}}  {value}" for words, value in lines)


def read_recipe(folder):
    """Returns the `Recipe` that lies in a preset's or run's folder, or `None`."""
    path = folder / recipes.RECIPE
    return recipes.read_recipe(path) if path.exists() else None


def read_metrics(folder):
    """Returns what `metrics.json` in a preset's or run's folder holds, or `None`."""
    path = folder / recipes.METRICS
    return json.loads(path.read_text()) if path.exists() else None


def indented(text):
    """Returns text moved two columns to the right."""
    return textwrap.indent(text, "  ")


def _folder_of(preset):
    try:
        return presets.describe(preset)
    except ValueError:
        return presets.find_recipe(preset).parent


def _only(rows, column, option, wanted):
    """The rows with this word in a column, in capitals or not, with the ending `.npz` or not."""
    if wanted is None:
        return rows
    found = [row for row in rows if _plainer(row[column]) == _plainer(wanted)]
    if not found:
        known = ", ".join(sorted({row[column] for row in rows}))
        raise ValueError(f"{option} {wanted}: there is no such preset. Known here: {known}.")
    return found


def _plainer(word):
    return word.lower().removesuffix(".npz")


def _row(name):
    folder = _folder_of(name)
    recipe, metrics = read_recipe(folder), read_metrics(folder)
    numbers = ("-", "-")
    if metrics:
        test, count = metrics["test"], metrics["training"]["num_parameters"]
        numbers = (_plain(recipes.headline(test, recipe)), f"{count:,}")
    made_of = (recipe.family, recipe.data["name"]) if recipe else ("-", "-")
    return (name, *made_of, *numbers, _where(name))


def _where(name):
    if presets.is_here(name):
        return "here"
    return "to be fetched" if name in presets.names() else "recipe only"


def _parts(folder, recipe):
    """Lines that name the classes of a model and their arguments."""
    if recipe:
        lines = [
            _call(part, table["class"], {k: v for k, v in table.items() if k != "class"})
            for part, tables in recipe.parts.items()
            for table in (tables if isinstance(tables, list) else [tables])
        ]
    else:
        model = presets.read_preset(folder).model_config
        parts = {k: v for k, v in model["config"].items() if isinstance(v, dict) and k != "dtype"}
        lines = [_call("model", model["class_name"], {})]
        lines += [_call(part, v["class_name"], v["config"]) for part, v in parts.items()]
    return "\n".join(lines)


def _plain(value):
    return value.replace("±", "+-")  # not every terminal can show it


def _call(part, name, arguments):
    own = {k: v for k, v in arguments.items() if k not in _OF_EVERY_LAYER}
    return f"{part:<11} {name}({', '.join(f'{k}={v}' for k, v in own.items())})"


def _making(metrics):
    training, machine = metrics["training"], metrics["environment"]
    return (
        f"{training['epochs']:,} epochs over {training['num_examples']:,} examples "
        f"({training['updates']:,} updates), seed {training['seed']},\n"
        f"in {recipes.duration(training['wall_seconds'])} on {recipes.hardware(machine)}\n"
        f"with keras_vae {machine['keras_vae']}, Keras {machine['keras']} and {machine['backend']}"
        f", {machine['date']}"
    )
