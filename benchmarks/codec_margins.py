"""How far the outputs of models differ between backends, compared with the margins of files.

    python benchmarks/codec_margins.py ../shared/data

Networks that `compress` runs are run on each backend, on 192 training examples: with 1 and with 128
at once, and those of autoregressive models also one position after the other, as a reader does. The
largest difference of any two is kept in `benchmarks/codecs.json` in two units: the root mean square
of the effect of moving the weights, for each dimension of latents, which the ratios in
`keras_vae.codecs.rounding_errors` must not be below, and the margin, of which it should be at most
a tenth. From there it goes into `docs/codecs.md`.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from codecs_table import read_results
from codecs_table import write_results

# Preset: its data, and whether they are made binary.
DATA = {
    "vae_mnist": ("mnist.npz", True),
    "hierarchical_vae_mnist": ("mnist.npz", True),
    "vae_frey_faces": ("frey_faces.npz", False),
    "vae_cifar10": ("cifar10_jpeg75.npz", False),
    "pixelcnn_mnist": ("mnist.npz", True),
    "vqvae_mnist": ("mnist.npz", False),
}
BACKENDS = ("torch", "tensorflow", "jax")
BATCH_SIZES = (128, 1)
NUM_EXAMPLES = 192
NUM_READ = {128: 128, 1: 4}  # examples of an autoregressive model, position by position
OF_DATA, OF_CODES = "p(x)", "prior of codes"  # of autoregressive models
LARGE = 16.0  # outputs beyond this have no edges nearby


class Part(NamedTuple):
    """Some outputs of a model.

    Attributes:
        name: String.
        kinds: What each is, a key of `rounding_errors.SCALES`.
        function, arrays, compared: As `rounding_errors.margins` takes them.
        run: Function of a batch size that returns arrays, each with as many examples as it likes.
    """

    name: str
    kinds: tuple[str, ...]
    function: Callable
    arrays: list
    compared: Callable
    run: Callable


def examples(preset, folder):
    """Returns training examples of a preset."""
    import keras_vae

    name, is_binary = DATA[preset]
    x = keras_vae.datasets.load(str(folder / name)).train.x[:NUM_EXAMPLES]
    return keras_vae.datasets.binarize(x, seed=0) if is_binary else x


def inputs_of(model, x):
    """Returns what the networks are given on every backend: x, or codes, and the z of levels."""
    from keras_vae.codecs.latents import latents_of

    if model.sample_draws == "elements":
        return [x]
    if model.encode_gives == "codes":
        return model.indices_of(x)
    nets, zs = latents_of(model, 64), {}
    for n, level in enumerate(nets.order):
        mean, _ = nets.posterior(n, x, [zs[i] for i in nets.order[:n]], [])
        zs[level] = mean.astype("float32").reshape(-1, *nets.shapes[level])
    return [x, *(zs[i] for i in range(nets.num_levels))]


def parts_of(model, inputs):
    """Returns the `Part`s of a model."""

    if model.sample_draws == "elements":
        return _sequence_parts(OF_DATA, model, inputs[0])
    if model.encode_gives == "codes":
        pairs = zip(model.priors, inputs, strict=True)
        return [
            p for prior, codes in pairs for p in _sequence_parts("prior of codes", prior, codes)
        ]
    return _latent_parts(model, *inputs)


def _latent_parts(model, x, *zs):
    from keras_vae.codecs.bits_back import BitsBackCode
    from keras_vae.codecs.latents import latents_of

    code, nets = BitsBackCode(model, 64).data_code, latents_of(model, 64)
    symbols = code.symbols(x)
    parts, gaussian = [], ("mean", "log_var")

    def part(name, kinds, function, arrays, compared, method, *arguments):
        def run(batch_size):
            return getattr(latents_of(model, batch_size), method)(*arguments)

        parts.append(Part(name, kinds, function, arrays, compared, run))

    for n in range(nets.num_levels):
        given = [zs[i] for i in nets.order[:n]]
        part("posterior", gaussian, nets.posterior_parameters(n), [x, *given], list,
             "posterior", n, x, given, [])  # fmt: skip
    for level in range(nets.num_levels - 1):
        above, rows = list(zs[level + 1 :]), np.zeros((len(x), 1), "float32")
        part("prior", gaussian, nets.prior_parameters(level), [rows, *above], list,
             "prior", level, above, [], len(x))  # fmt: skip
    part("likelihood", code.kinds, nets.likelihood_parameters(code), list(zs),
         lambda outputs: code.compared(outputs, symbols[: len(outputs[0])]),
         "likelihood", code, list(zs), [])  # fmt: skip
    return parts


def _sequence_parts(name, prior, codes):
    from keras_vae.codecs.binary import DecisionTree
    from keras_vae.codecs.sequences import SequenceCode

    code, codes = SequenceCode(prior, 1), np.asarray(codes, "int32")

    def run(batch_size):
        sized = SequenceCode(code.model, batch_size)
        at_once = sized._logits_of_decisions(codes, [])  # (positions, decisions, N)
        count = NUM_READ[batch_size]
        flat = codes[:count].reshape(count, -1)
        read = []
        for start in range(0, count, batch_size):
            rows = flat[start : start + batch_size]
            cache = sized._start(len(rows), [])
            for i in range(rows.shape[1]):
                logits, cache = sized._step(cache, rows, i)
                read.append(DecisionTree(np.asarray(logits)).path(rows[:, i]))
        shape = -1, flat.shape[1], *read[0].shape
        read = np.concatenate(list(np.reshape(read, shape)), axis=-1)
        return [at_once, read]

    def compared(outputs):
        return code.code.compared(outputs, codes[: len(outputs[0])])

    return [Part(name, ("logits",), code._parameters, [codes], compared, run)]


def worker(task, preset, kept, folder):
    """Writes the outputs of a preset on the backend of this process into a folder."""
    import keras

    import keras_vae
    from keras_vae.codecs.rounding_errors import margins
    from keras_vae.codecs.rounding_errors import probed

    model = keras_vae.from_preset(preset)
    if task == "make":
        inputs = inputs_of(model, examples(preset, folder))
        np.savez(kept / "inputs.npz", *inputs)
    with np.load(kept / "inputs.npz") as arrays:
        parts = parts_of(model, [arrays[k] for k in arrays.files])
    if task == "make":
        units = {}
        for i, p in enumerate(parts):
            arguments = model, p.kinds, p.function, p.arrays, p.compared
            if p.kinds == ("logits",) and p.name in (OF_DATA, OF_CODES):
                own = model if p.name == OF_DATA else model.priors[0]
                arguments = own, *arguments[1:]
            pairs = zip(p.kinds, probed(*arguments), margins(*arguments), strict=True)
            for k, (kind, (rms, _), margin) in enumerate(pairs):
                units[f"{i}.{k}.{p.name}.{kind}"] = np.stack([rms, margin])
        np.savez(kept / "units.npz", **units)
        return
    found = {}
    for batch_size in BATCH_SIZES:
        for i, p in enumerate(parts):
            arrays = p.run(batch_size)
            if len(arrays) != len(p.kinds):  # one kind, computed in two ways
                for way, array in enumerate(arrays):
                    found[f"{i}.0.{batch_size}.{way}"] = array
            else:
                for k, array in enumerate(arrays):
                    found[f"{i}.{k}.{batch_size}.0"] = array
    np.savez(kept / f"outputs.{keras.config.backend()}.npz", **found)


def differences(kept):
    """Returns {(part, kind): (in root mean squares, in margins)}, the largest of any two runs."""
    from keras_vae.codecs.rounding_errors import size_of

    outputs = [np.load(path) for path in sorted(kept.glob("outputs.*.npz"))]
    found = {}
    with np.load(kept / "units.npz") as units:
        for key in units.files:
            i, k, name, kind = key.split(".")
            rms, margin = units[key]
            runs = [o[f] for o in outputs for f in o.files if f.startswith(f"{i}.{k}.")]
            largest = np.zeros(())
            for a, b in itertools.combinations(runs, 2):
                shared = min(a.shape[-1], b.shape[-1]) if name in (OF_DATA, OF_CODES) else None
                a, b = a[..., :shared], b[..., :shared]
                near = np.minimum(np.abs(a), np.abs(b)) < LARGE
                apart = np.where(near, np.abs(a - b) / size_of(a, kind), 0.0)
                largest = np.maximum(largest, apart.max(axis=0) if rms.ndim else apart.max())
            before = found.get((name, kind), (0.0, 0.0))
            one = float(np.max(largest / rms)), float(np.max(largest / margin))
            found[name, kind] = max(before[0], one[0]), max(before[1], one[1])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of the data")
    parser.add_argument("--only", nargs="*", default=list(DATA), choices=DATA)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        task, preset, kept = arguments.worker
        worker(task, preset, Path(kept), arguments.folder)
        return
    for preset in arguments.only:
        with tempfile.TemporaryDirectory() as kept:
            for task, backend in [("make", "torch"), *(("run", b) for b in BACKENDS)]:
                command = [sys.executable, __file__, str(arguments.folder)]
                command += ["--worker", task, preset, kept]
                subprocess.run(command, env={**os.environ, "KERAS_BACKEND": backend}, check=True)
            rows = [
                {"part": part, "kind": kind, "in_rms": in_rms, "in_margins": in_margins}
                for (part, kind), (in_rms, in_margins) in differences(Path(kept)).items()
            ]
        print(preset, rows)
        results = read_results()
        results["margins"] = {**results.get("margins", {}), preset: rows}
        write_results(results)


if __name__ == "__main__":
    main()
