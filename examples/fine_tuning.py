"""Fine-tunes trained weights on the digits of one class.

    python examples/fine_tuning.py --digit 7

Prints the log-likelihood of held-out digits of that class before and after, for all weights and for
the decoder alone, and draws reconstructions.
"""

import argparse
from pathlib import Path

import keras_vae
from keras_vae import plotting

import keras


def tuned(x, epochs, is_encoder_frozen):
    vae = keras_vae.from_preset("vae_mnist_mini")
    vae.encoder.trainable = not is_encoder_frozen  # before `compile`
    vae.compile(keras.optimizers.Adam(2e-4))  # far below the original learning rate
    vae.fit(x, epochs=epochs, batch_size=50, verbose=0)
    return vae


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--digit", type=int, default=7, choices=range(10))
    parser.add_argument("--output", type=Path, default=Path("runs/fine_tuning"))
    parser.add_argument("--smoke", action="store_true", help="a few seconds, to see that it runs")
    arguments = parser.parse_args()
    data = keras_vae.datasets.load("mnist_mini", binarize="fixed")
    x, x_test = (part.x[part.y == arguments.digit] for part in (data.train, data.test))
    if arguments.smoke:
        x, x_test, arguments.epochs = x[:50], x_test[:10], 1
    models = {
        "before": keras_vae.from_preset("vae_mnist_mini"),
        "decoder fine-tuned": tuned(x, arguments.epochs, is_encoder_frozen=True),
        "all fine-tuned": tuned(x, arguments.epochs, is_encoder_frozen=False),
    }
    num_samples = 10 if arguments.smoke else 200
    for name, model in models.items():
        nats = model.log_likelihood(x_test, num_samples=num_samples, seed=0)
        print(f"{name}: {nats.mean():.2f} nats of log p(x) for held-out digits {arguments.digit}")
    again = models["all fine-tuned"].reconstruct(x_test[:20])
    plotting.reconstructions(x_test[:20], again, arguments.output / "samples.png")


if __name__ == "__main__":
    main()
