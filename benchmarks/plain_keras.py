"""VAEs as one writes them with Keras alone: the default train step, and `compute_loss`."""

from typing import Any

import keras
from keras import ops


class PlainVAE(keras.Model):
    """The Bernoulli VAE of Keras' example, on logits and on any backend."""

    def __init__(self, encoder: keras.Model, decoder: keras.Model):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.noise = keras.random.SeedGenerator(0)

    def call(self, x: Any) -> dict[str, Any]:
        z_mean, z_log_var = self.encoder(x)
        noise = keras.random.normal(ops.shape(z_mean), seed=self.noise)
        z = z_mean + ops.exp(0.5 * z_log_var) * noise
        return {"z_mean": z_mean, "z_log_var": z_log_var, "logits": self.decoder(z)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        z_mean, z_log_var = y_pred["z_mean"], y_pred["z_log_var"]
        nll = ops.binary_crossentropy(x, y_pred["logits"], from_logits=True)
        kl = 0.5 * ops.sum(z_mean**2 + ops.exp(z_log_var) - 1 - z_log_var)
        return (ops.sum(nll) + kl) / ops.cast(ops.shape(x)[0], "float32")


class PlainVectorQuantizer(keras.layers.Layer):
    """The quantizer of Keras' VQ-VAE example: distances by a product, codes by a one-hot
    product."""

    def __init__(self, num_codes: int, beta: float = 0.25):
        super().__init__()
        self.num_codes, self.beta = num_codes, beta

    def build(self, input_shape: tuple[Any, ...]) -> None:
        self.codes = self.add_weight(
            shape=(input_shape[-1], self.num_codes), initializer="random_uniform", name="codes"
        )

    def call(self, z: Any) -> Any:
        flat = ops.reshape(z, (-1, z.shape[-1]))
        distances = (
            ops.sum(flat**2, axis=1, keepdims=True)
            + ops.sum(ops.square(self.codes), axis=0)
            - 2 * ops.matmul(flat, self.codes)
        )
        one_hot = ops.one_hot(ops.argmin(distances, axis=1), self.num_codes)
        z_q = ops.reshape(ops.matmul(one_hot, ops.transpose(self.codes)), ops.shape(z))
        commitment = ops.mean((ops.stop_gradient(z_q) - z) ** 2)
        self.add_loss(self.beta * commitment + ops.mean((z_q - ops.stop_gradient(z)) ** 2))
        return z + ops.stop_gradient(z_q - z)
