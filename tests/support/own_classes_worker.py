"""A script whose classes belong to `__main__`: own_classes_worker.py FOLDER.

A FactorVAE as a stranger would write it, a VAE with an MMD term, a Laplace likelihood and a
quantizer: each is trained, saved, loaded, and saved as a preset.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import ops

import keras_vae
from keras_vae import Term


@keras.saving.register_keras_serializable(package="mine")
class FactorVAE(keras_vae.VAE):
    def __init__(self, encoder, decoder, discriminator, gamma=10.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.discriminator = discriminator
        self.gamma = gamma

    def objective(self):
        return {
            **super().objective(),
            "total_correlation": Term(train=self.gamma),
            "told_apart": Term(group="discriminator"),
        }

    def terms(self, x, c=None, training=False):
        posterior = self.infer(x, c, training)
        stream = self.noise.stream(training)
        z = posterior.sample(stream)
        order = ops.argsort(keras.random.uniform(ops.shape(z), seed=stream), axis=0)
        permuted = ops.stop_gradient(ops.take_along_axis(z, order, axis=0))
        fixed = ops.stop_gradient(z)
        joint, independent = self.logit(fixed, training), self.logit(permuted, training)
        return {
            **self.bound(x, posterior, z, c, training),
            "total_correlation": self.logit(z, training),
            "told_apart": ops.softplus(-joint) + ops.softplus(independent),
        }

    def logit(self, z, training):
        return self.discriminator(z, training=training)[:, 0]


@keras.saving.register_keras_serializable(package="mine")
class MMDVAE(keras_vae.VAE):
    def __init__(self, encoder, decoder, mmd_weight=100.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.mmd_weight = mmd_weight

    def objective(self):
        return {**super().objective(), "mmd": Term(train=self.mmd_weight)}

    def terms(self, x, c=None, training=False):
        posterior, stream = self.infer(x, c, training), self.noise.stream(training)
        z = posterior.sample(stream)
        drawn = keras.random.normal(ops.shape(z), seed=stream)
        mmd = mean_kernel(z, z) + mean_kernel(drawn, drawn) - 2 * mean_kernel(z, drawn)
        return {**self.bound(x, posterior, z, c, training), "mmd": mmd}


def mean_kernel(a, b):
    squares = ops.sum(ops.square(a[:, None] - b[None]), axis=-1)
    return ops.mean(ops.exp(-squares / a.shape[-1]))


class Laplace(keras_vae.Distribution):
    def __init__(self, location):
        self.mean = ops.cast(location, "float32")
        super().__init__(ops.shape(self.mean))

    def _log_prob(self, x):
        return -ops.abs(x - self.mean) - np.log(2.0)


@keras.saving.register_keras_serializable(package="mine")
class LaplaceLikelihood(keras_vae.Likelihood):
    def call(self, parameters):
        return Laplace(parameters)


@keras.saving.register_keras_serializable(package="mine")
class SignQuantizer(keras_vae.Quantizer):
    @property
    def num_embeddings(self):
        return 2**self.num_bits

    def build(self, input_shape):
        self.num_bits = input_shape[-1]

    def call(self, z_e, mask=None, training=False, seed=None):
        bits = ops.cast(z_e > 0, "float32")
        squares = ops.square(z_e - (2 * bits - 1))
        commitment = ops.sum(squares, axis=tuple(range(1, len(z_e.shape))))
        z_q = z_e + ops.stop_gradient(2 * bits - 1 - z_e)
        powers = ops.cast(2 ** np.arange(self.num_bits), "float32")
        indices = ops.cast(ops.sum(bits * powers, axis=-1), "int32")
        return keras_vae.Quantized(z_q, indices, commitment, ops.zeros_like(commitment))

    def embed(self, indices):
        bits = (indices[..., None] // 2 ** np.arange(self.num_bits)) % 2
        return 2 * ops.cast(bits, "float32") - 1


def networks():
    return keras_vae.MLPEncoder((4,), 3, (8,)), keras_vae.MLPDecoder((4,), 3, (8,))


def models():
    discriminator = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    two = {"main": keras.optimizers.Adam(1e-2), "discriminator": keras.optimizers.Adam(1e-3)}
    sigma = keras_vae.GaussianLikelihood(0.5)
    yield FactorVAE(*networks(), discriminator, likelihood=sigma, seed=0), two
    yield MMDVAE(*networks(), likelihood=sigma, seed=0), "adam"
    yield keras_vae.VAE(*networks(), LaplaceLikelihood(), seed=0), "adam"
    maps = (
        keras_vae.ConvMapEncoder((4, 4, 1), 3, (4,)),
        keras_vae.ConvMapDecoder((4, 4, 1), 3, (4,)),
    )
    yield keras_vae.VQVAE(*maps, SignQuantizer(), likelihood=sigma, seed=0), "adam"


def main(folder):
    for i, (model, optimizer) in enumerate(models()):
        x = np.random.default_rng(0).normal(size=(32, *model.data_shape)).astype("float32")
        model.compile(optimizer)
        model.fit(x, batch_size=8, epochs=2, validation_data=x, verbose=0)
        expected = model.evaluate(x, return_dict=True, verbose=0)
        model.save(folder / f"{i}.keras")
        model.save_to_preset(folder / f"preset_{i}")
        loaded = (
            keras.models.load_model(folder / f"{i}.keras"),
            keras_vae.from_preset(folder / f"preset_{i}"),
        )
        for again in loaded:
            assert type(again) is type(model)
            found = again.evaluate(x, return_dict=True, verbose=0)
            for name, value in expected.items():
                np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
        loaded[0].fit(x, batch_size=8, verbose=0)
    print("all of __main__")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
