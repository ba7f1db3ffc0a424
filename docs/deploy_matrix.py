"""Writes the matrix of docs/deploy.md: what can be exported, in which format, where.

    KERAS_BACKEND=torch python docs/deploy_matrix.py            # measures what this backend writes
    KERAS_BACKEND=torch python docs/deploy_matrix.py VAE VQVAE  # of these families only

Each model, its encoder and its decoder are exported, run without Keras on one and on five examples,
and compared with Keras' own outputs, to within 1e-5. `deploy_matrix.json` keeps the result of each
backend, and the error where it failed; the table is made from it.
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

from keras_vae.models.saving import exported  # noqa: E402

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
    specs = keras.tree.flatten(exported.signature_of(model))
    inputs = [np.asarray(a, spec.dtype) for a, spec in zip(inputs, specs, strict=False)]
    if part == "model":
        return inputs, [model.predict(family.inputs(num_examples), verbose=0)]
    x, *conditions = inputs
    network = getattr(model, part)
    tokens = [np.asarray(x, "int32")] if network.inputs[-1].dtype == "int32" else []
    given = tokens or [x]
    if part == "decoder":  # one of sequences also takes the token before each
        given = [_latents(model, num_examples), *tokens]
    if model.condition is not None:
        given.append(keras.ops.convert_to_numpy(model.embedded(*conditions)))
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


def measure(family, export_format):
    """Returns `{part: "" or what went wrong}` of a family on this backend."""
    model = family.compiled()
    model.fit(*family.pairs(), epochs=1, verbose=0)
    of_latents = getattr(model, "latent_shape", None) is not None
    parts = [p for p in PARTS if p == "model" or (of_latents and hasattr(model, p))]
    return {part: measured(model, family, part, export_format) for part in parts}


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
    every = rows()
    for key in (key for key in COLUMNS if key[0] == BACKEND):
        for name in sys.argv[1:] or every:
            found = measure(every[name], key[1])
            print(f"{'/'.join(key)} {name}: {found}", flush=True)
            results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            results.setdefault("/".join(key), {})[name] = found
            write(results)  # after each one: all of them take long


if __name__ == "__main__":
    main()
