"""Incremental sampling of codes against the naive way, in turn in one process.

    KERAS_BACKEND=jax python benchmarks/sampling.py

The naive sampler is the same model with one full pass, compiled, for each code. It draws the same
codes from the same noise, which is checked. Rounds alternate, so that a change in the machine's
speed hits all alike; times are medians of the rounds. The bar is a ratio of 10 on the backends that
compile. Then come the peaks of memory for few and for many samples, and, where pythae is installed,
its sampler with a PixelCNN of as many layers and channels (whose decoder is left empty).
"""

import argparse
import importlib.util
import os
import resource
import statistics
import time

import keras
import numpy as np
from keras import ops

import keras_vae
from keras_vae.models.base.autoregressive_model import inverse_cdf

FAMILIES = {
    "pixel_cnn": lambda *sizes: keras_vae.PixelCNN(*sizes),
    "pixel_cnn_attention": lambda *sizes: keras_vae.PixelCNN(*sizes, attention_every=2),
    "transformer": lambda *sizes: keras_vae.TransformerPrior(*sizes),
}


def with_drawn_weights(model):
    """Before training every model of the zoo is uniform, and a poor test of equality."""
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(0.1 * rng.normal(size=variable.shape))
    return model


def naive_sampler(model, num_samples):
    """Returns a function of a seed that draws as `model.sample` does, by full passes."""
    shape = (model.sample_batch_size, model.num_codes)

    @model.jitted
    def noise():
        return keras.random.uniform(shape, seed=model.noise.stream(training=False))

    @model.jitted
    def draw(codes, uniform, position):
        logits = model.logits(ops.reshape(codes, (-1, *model.data_shape)))
        logits = ops.reshape(logits, (num_samples, model.num_codes, -1))
        return inverse_cdf(ops.take(logits, position, axis=1), uniform)

    def sample(seed):
        with model.noise.seeded(seed):
            uniform = noise()[:num_samples]
        codes = np.zeros((num_samples, model.num_codes), "int32")
        for i in range(model.num_codes):
            codes[:, i] = draw(codes, uniform[:, i], np.int32(i))
        return codes.reshape(num_samples, *model.data_shape)

    return sample


def pythae_sampler(grid, num_embeddings, num_samples):
    """Returns a function that draws with pythae's `PixelCNNSampler`, and a VQ-VAE around it whose
    networks do nothing."""
    import torch
    from pythae.models import VQVAE
    from pythae.models import VQVAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder
    from pythae.models.nn import BaseEncoder
    from pythae.samplers import PixelCNNSampler
    from pythae.samplers import PixelCNNSamplerConfig

    class Encoder(BaseEncoder):
        def forward(self, x):
            return ModelOutput(embedding=torch.zeros(len(x), 4, *grid))

    class Decoder(BaseDecoder):
        def forward(self, z):
            return ModelOutput(reconstruction=z[:, :1])

    config = VQVAEConfig(input_dim=(1, *grid), latent_dim=4, num_embeddings=num_embeddings)
    vq_vae = VQVAE(config, encoder=Encoder(), decoder=Decoder())
    sampler = PixelCNNSampler(vq_vae, PixelCNNSamplerConfig(n_layers=6, kernel_size=3))
    sampler.is_fitted = True  # its weights do not matter here
    sampler.pixelcnn_model.eval()

    def sample(seed):
        with torch.no_grad():
            return sampler.sample(num_samples, batch_size=num_samples)

    return sample


def peak_memory():
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=FAMILIES, default="pixel_cnn")
    parser.add_argument("--grid", type=int, nargs=2, default=(16, 16))
    parser.add_argument("--num-embeddings", type=int, default=512)
    parser.add_argument("--num-samples", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=1)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.cores :])
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(arguments.cores)

    grid, num_samples = tuple(arguments.grid), arguments.num_samples
    model = with_drawn_weights(FAMILIES[arguments.family](grid, arguments.num_embeddings))
    samplers = {
        "incremental": lambda seed: model.sample(num_samples, seed=seed),
        "naive": naive_sampler(model, num_samples),
    }
    # Compiles both.
    different = np.mean(samplers["incremental"](0) != samplers["naive"](0))
    if importlib.util.find_spec("pythae"):
        samplers["pythae"] = pythae_sampler(grid, arguments.num_embeddings, num_samples)

    seconds = {name: [] for name in samplers}
    for seed in range(arguments.rounds):
        for name, sample in samplers.items():
            started = time.perf_counter()
            sample(seed)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    title = f"{keras.config.backend()} {arguments.family}"
    print(f"{title}, {num_samples} grids of {grid}, K = {arguments.num_embeddings}")
    for name, median in medians.items():
        ratio = median / medians["incremental"]
        print(f"{name:12}{median:9.3f} s{num_samples / median:9.2f} grids/s{ratio:9.1f} x")
    print(f"codes that differ between incremental and naive: {different:.2%}")
    full_pass = medians["naive"] / model.num_codes
    print(f"incremental sampling takes {medians['incremental'] / full_pass:.1f} full passes")
    for many in (128, 1024):
        model.sample(many, seed=0)
        print(f"peak of memory after {many} samples: {peak_memory():.0f} MiB")


if __name__ == "__main__":
    main()
