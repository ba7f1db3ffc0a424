"""A sentence VAE compared with its language model: does z say anything, and what does it cost?

    python examples/text_vae.py                                  # a few built-in sentences
    python examples/text_vae.py --data FOLDER --method annealed  # train.txt.gz, test.txt.gz
    python examples/text_vae.py --data FOLDER --method language_model

Writes the model as a preset, and one row of the table of results: nats per sentence, the KL, the
mutual information of x and z, and active units. Methods: plain, normalised, annealed, cyclic,
lagging.
"""

import argparse
import json
import time
from pathlib import Path

import keras_vae
from keras_vae.datasets import LengthBatches
from keras_vae.datasets import load_text

import keras
import numpy as np

SIZES = {"units": 256, "embedding_dim": 128}
METHODS = ("plain", "normalised", "annealed", "cyclic", "lagging", "language_model")


def built_in():
    """Returns 240 sentences of 4 * 5 * 3 * 4 combinations."""
    things, was = ("food", "staff", "coffee", "service"), ("was", "is", "will be", "seems", "felt")
    words = ("great", "rude", "slow", "fresh")
    ends = (".", "!", "today .")
    return [f"the {t} {w} {a} {e}" for t in things for w in was for a in words for e in ends]


def build(method, data, latent_dim, num_steps):
    vocabulary, length = data.vocabulary, data.train.x.shape[1]
    num_tokens = vocabulary.num_tokens
    if method == "language_model":
        decoder = keras_vae.RecurrentTokenDecoder(num_tokens, None, **SIZES)
        return keras_vae.LanguageModel(decoder, length, vocabulary, seed=0)
    options = {
        "annealed": {"kl_weight": keras_vae.LinearAnnealing(num_steps // 2), "free_bits": 0.1},
        "cyclic": {"kl_weight": keras_vae.CyclicAnnealing(num_steps)},
    }.get(method, {})
    spread = 0.4 if method == "normalised" else None  # of the means of q(z|x)
    kind = keras_vae.LaggingSequenceVAE if method == "lagging" else keras_vae.SequenceVAE
    return kind(
        keras_vae.RecurrentTokenEncoder(num_tokens, latent_dim, mean_std=spread, **SIZES),
        keras_vae.RecurrentTokenDecoder(num_tokens, latent_dim, **SIZES),
        length,
        vocabulary,
        seed=0,
        **options,
    )


def measured(model, x, num_draws):
    """Returns a row of the table, in nats per sentence."""
    if isinstance(model, keras_vae.LanguageModel):
        nats = -model.log_likelihood(x)
        row = {}
    else:
        nats = -model.log_likelihood(x, num_samples=num_draws, seed=0)
        split = keras_vae.evaluation.kl_split(model, x, seed=0)
        units = keras_vae.evaluation.active_units(model, x)
        row = {
            "kl": split.kl,
            "mutual_information": split.mutual_information,
            "active_units": int(np.sum(units)),
        }
    error = float(np.std(nats) / np.sqrt(len(nats)))
    return {"nll": float(np.mean(nats)), "nll_standard_error": error, **row}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder or file of sentences; built-in ones by default")
    parser.add_argument("--method", choices=METHODS, default="annealed")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--latent-dim", type=int, default=32)
    parser.add_argument("--min-count", type=int, default=1)
    parser.add_argument("--max-train", type=int, default=None)
    parser.add_argument("--measured", type=int, default=500, help="test sentences")
    parser.add_argument("--draws", type=int, default=500, help="of z for each, for log p(x)")
    parser.add_argument("--output", type=Path, default=Path("runs/text_vae"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.epochs, arguments.measured, arguments.draws = 1, 20, 5

    data = load_text(arguments.data or built_in(), min_count=arguments.min_count)
    x = data.train.x[: arguments.max_train]
    num_watched = min(arguments.measured, len(x) // 5)
    x, watched = x[:-num_watched], x[-num_watched:]  # no test sentence guides training
    batches = LengthBatches(x, batch_size=arguments.batch_size, seed=0)
    num_steps = len(batches) * arguments.epochs
    model = build(arguments.method, data, arguments.latent_dim, num_steps)
    rate = keras.optimizers.schedules.CosineDecay(arguments.learning_rate, num_steps, alpha=0.05)
    groups = model.group_names(model.objective())  # two for a lagging model, each with its own
    adam = {group: keras.optimizers.Adam(rate, clipnorm=5.0) for group in groups}
    model.compile(adam if len(adam) > 1 else adam["main"])

    held_out = data.test.x[: arguments.measured]
    callbacks = []
    if arguments.method == "lagging":
        callbacks.append(keras_vae.LaggingInference(watched))
    if arguments.method != "language_model":
        callbacks.append(keras_vae.CollapseMonitor(watched))
    started = time.process_time()
    history = model.fit(batches, epochs=arguments.epochs, callbacks=callbacks, verbose=2).history
    seconds = time.process_time() - started

    row = {
        "method": arguments.method,
        **measured(model, held_out, arguments.draws),
        "steps": num_steps,
        "cpu_seconds": round(seconds),
        "history": history,
    }
    folder = arguments.output
    model.save_to_preset(folder)
    (folder / "row.json").write_text(json.dumps(row, indent=2, default=float) + "\n")
    lines = ["Drawn:", *model.sample(10, seed=0), "", "Drawn, temperature 0.7:"]
    lines += model.sample(10, seed=0, temperature=0.7)
    if arguments.method != "language_model":
        a, b = model.as_texts(held_out[:2])
        lines += ["", "Between two:", a, *model.interpolate(a, b, 7), b]
        lines += ["", f"Nearest to: {a}", *model.neighbours(a, model.as_texts(held_out[1:]), 5)]
    (folder / "samples.txt").write_text("\n".join(lines) + "\n")
    print({k: v for k, v in row.items() if k != "history"})


if __name__ == "__main__":
    main()
