"""A VAE of molecules, as SMILES read character by character.

    python examples/molecules.py                            # 40 small molecules, to try it out
    python examples/molecules.py --data qm9.csv --epochs 10 # a table with a column "smiles"

Writes the model as a preset, and new molecules. With RDKit installed it counts how many are valid,
how many of these differ, and how many of those are not among the training data.
"""

import argparse
import json
from pathlib import Path

import keras_vae
from keras_vae.datasets import LengthBatches
from keras_vae.datasets import load_text

import keras

SIZES = {"units": 256, "embedding_dim": 64}


def built_in():
    """Returns 40 molecules: chains with a group at their end."""
    groups = ("O", "N", "C=O", "C#N", "C(=O)O")
    return ["C" * length + group for length in range(1, 9) for group in groups]


def counted(molecules, known):
    """Returns the shares of valid, unique and novel molecules, or `{}` without RDKit."""
    try:
        return keras_vae.evaluation.molecule_shares(molecules, known)._asdict()
    except ImportError as error:
        print(f"Nothing is counted: {error}")
        return {}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a table with a column 'smiles'")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--latent-dim", type=int, default=32)
    parser.add_argument("--max-train", type=int, default=None)
    parser.add_argument("--num-samples", type=int, default=10_000)
    parser.add_argument("--output", type=Path, default=Path("runs/molecules"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.epochs, arguments.num_samples = 1, 20

    if arguments.data is None:
        data = load_text(built_in(), unit="characters")
    else:
        data = load_text(arguments.data, unit="characters", column="smiles")
    x = data.train.x[: arguments.max_train]
    num_tokens = data.vocabulary.num_tokens
    batches = LengthBatches(x, batch_size=arguments.batch_size, seed=0)
    num_steps = len(batches) * arguments.epochs
    model = keras_vae.SequenceVAE(
        keras_vae.RecurrentTokenEncoder(num_tokens, arguments.latent_dim, **SIZES),
        keras_vae.RecurrentTokenDecoder(num_tokens, arguments.latent_dim, **SIZES),
        data.train.x.shape[1],
        data.vocabulary,
        kl_weight=keras_vae.LinearAnnealing(num_steps // 2),
        free_bits=0.1,
        seed=0,
    )
    rate = keras.optimizers.schedules.CosineDecay(2e-3, num_steps, alpha=0.05)
    model.compile(keras.optimizers.Adam(rate, clipnorm=5.0))
    model.fit(batches, epochs=arguments.epochs, verbose=2)

    molecules = model.sample(arguments.num_samples, seed=0)
    numbers = counted(molecules, data.vocabulary.decode(x))
    held_out = data.test.x[: 100 if arguments.smoke else None]
    numbers["test_elbo"] = model.evaluate(held_out, return_dict=True, verbose=0)["elbo"]
    a, b = data.vocabulary.decode(data.test.x[:2])
    model.save_to_preset(arguments.output)
    (arguments.output / "numbers.json").write_text(json.dumps(numbers, indent=2) + "\n")
    lines = [*molecules[:20], "", "Between two:", a, *model.interpolate(a, b, 7), b]
    (arguments.output / "samples.txt").write_text("\n".join(lines) + "\n")
    print(numbers)


if __name__ == "__main__":
    main()
