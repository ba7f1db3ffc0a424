"""Writes the matrix of docs/deploy.md: what of which family is exported, in which format, where.

    KERAS_BACKEND=torch python docs/deploy_matrix.py            # measures what this backend writes
    KERAS_BACKEND=torch python docs/deploy_matrix.py VAE VQVAE  # of these families only

Each model, its encoder and its decoder are exported, run without Keras on one and on five examples,
and compared with Keras' own outputs: 1e-5. `deploy_matrix.json` keeps what each backend gave, and
what it said where it failed; the table is made of that.
"""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests" / "support"))

import exports  # noqa: E402
import families  # noqa: E402

BACKEND = keras.config.backend()
RESULTS = DOCS / "deploy_matrix.json"
COLUMNS = {
    ("tensorflow", "tf_saved_model"): "SavedModel, TensorFlow",
    ("jax", "tf_saved_model"): "SavedModel, JAX",
    ("tensorflow", "onnx"): "ONNX, TensorFlow",
    ("torch", "onnx"): "ONNX, PyTorch",
}
MARKS = ("<!-- matrix: begin, written by docs/deploy_matrix.py -->", "<!-- matrix: end -->")
PARTS = ("model", "encoder", "decoder")
TOLERANCE = 1e-5


def rows():
    """Returns `{class name: family}`, the first of each class in the list of the tests."""
    found = {}
    for family in families.FAMILIES:
        found.setdefault(type(family.model()).__name__, family)
    return found


def of_part(model, family, part, num_examples):
    """Returns what a part is given and what Keras makes of it: two lists of arrays."""
    inputs = family.inputs(num_examples)
    inputs = list(inputs) if isinstance(inputs, tuple) else [inputs]
    if part == "model":
        return inputs, [model.predict(family.inputs(num_examples), verbose=0)]
    x, *conditions = inputs
    given = [x if part == "encoder" else _latents(model, num_examples)]
    if model.condition is not None:
        given.append(keras.ops.convert_to_numpy(model.embedded(*conditions)))
    network = getattr(model, part)
    outputs = network(given if len(given) > 1 else given[0])
    return given, [keras.ops.convert_to_numpy(y) for y in keras.tree.flatten(outputs)]


def _latents(model, num_examples):
    shape = (num_examples, *model.latent_shape)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def measured(model, family, part, export_format):
    """Returns "" where a part is exported and gives Keras' numbers, or else what went wrong."""
    network = model if part == "model" else getattr(model, part)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = exports.export(network, folder, export_format)
            for num_examples in (1, 5):
                given, expected = of_part(model, family, part, num_examples)
                found = exports.outputs(path, export_format, *given)
                for a, b in zip(found, expected, strict=True):
                    np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [""]
        return f"{type(error).__name__}: {lines[0].strip()[:200]}"
    return ""


def measure(export_format, names):
    """Returns `{class: {part: "" or what went wrong}}` on this backend, of all or these classes."""
    found, every = {}, rows()
    for name in names or every:
        family = every[name]
        model = family.compiled()
        model.fit(*family.pairs(), epochs=1, verbose=0)
        parts = [part for part in PARTS if part == "model" or hasattr(model, part)]
        found[name] = {part: measured(model, family, part, export_format) for part in parts}
        print(f"{name}: {found[name]}", flush=True)
    return found


def table(results):
    """Returns the matrix in Markdown."""
    columns = [(key, title) for key, title in COLUMNS.items() if "/".join(key) in results]
    lines = [f"| family | {' | '.join(title for _, title in columns)} |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    names = {name for (key, _) in columns for name in results["/".join(key)]}
    for name in sorted(names):
        cells = [_cell(results["/".join(key)].get(name)) for key, _ in columns]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(parts):
    if parts is None:
        return "not measured"
    works = [part for part in PARTS if parts.get(part) == ""]
    return "all" if len(works) == len(parts) else ", ".join(works) or "-"


def write(results):
    """Writes the results, and the matrix into the page."""
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    page = DOCS / "deploy.md"
    before, rest = page.read_text().split(MARKS[0])
    _, after = rest.split(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n{table(results)}\n{MARKS[1]}{after}")


def main():
    warnings.simplefilter("ignore")
    own = {key: measure(key[1], sys.argv[1:]) for key in COLUMNS if key[0] == BACKEND}
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for key, found in own.items():
        results["/".join(key)] = results.get("/".join(key), {}) | found
    write(results)


if __name__ == "__main__":
    main()
