"""The base class of quantizers: layers from an encoder's output to discrete codes and back."""

from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from keras_vae.typing import Seed
from keras_vae.typing import Shape
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


class Quantized(NamedTuple):
    """The output of a quantizer.

    Attributes:
        z_q: float32 (B, ..., D), the input of the decoder, with a gradient that reaches z_e.
        indices: int32 (B, ...), or (B, ..., Q) for a quantizer with Q codebooks, from 0 to
            `num_embeddings` - 1; -1 at masked positions.
        commitment: float32 (B,), the cost that keeps z_e near its codes; 0 if there is none.
        codebook: float32 (B,), the cost that moves the codes; 0 if only the decoder or a running
            mean moves them.

    Example:

    ```python
    def rounded(z_e):
        whole = keras.ops.round(z_e)
        z_q = z_e + keras.ops.stop_gradient(whole - z_e)  # the gradient passes straight through
        squares = keras.ops.square(z_e - keras.ops.stop_gradient(whole))
        commitment = keras.ops.sum(squares, axis=tuple(range(1, len(z_e.shape))))  # (B,)
        indices = keras.ops.cast(keras.ops.clip(whole[..., 0], 0, 9), "int32")
        return keras_vae.Quantized(z_q, indices, commitment, keras.ops.zeros_like(commitment))
    ```
    """

    z_q: Tensor
    indices: Tensor
    commitment: Tensor
    codebook: Tensor


class Quantizer(keras.layers.Layer):
    """Base class of quantizers.

    `quantizer(z_e, mask=None, training=False, seed=None)` returns `Quantized`, for z_e (B, ..., D)
    with one, two or three axes of positions. Values and costs are the same in training and in
    evaluation; codebooks that no gradient moves are updated in training only. Quantizers that need
    randomness draw it from `seed`, a `keras.random.SeedGenerator`.

    Costs are per example and unweighted: squared distances summed over positions and dimensions,
    like the terms of a likelihood. Positions where `mask`, bool (B, ...), is false cost nothing,
    update nothing, and have z_q = 0. Everything is computed in float32 under every dtype policy, so
    that the indices do not depend on it.

    A subclass defines `num_embeddings`, `call` and `embed`, and creates its codes in `build`.

    Attributes:
        num_embeddings: Int, K, the number of values of an index.
        num_codebooks: Int, Q, the number of indices per position.

    Example:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class RandomCodebook(keras_vae.Quantizer):
        def __init__(self, size, **kwargs):
            super().__init__(**kwargs)
            self.size = size

        @property
        def num_embeddings(self):
            return self.size

        def build(self, input_shape):
            self.codes = self.add_weight(
                shape=(self.size, input_shape[-1]), initializer="random_normal", trainable=False
            )

        def call(self, z_e, mask=None, training=False, seed=None):
            difference = z_e[..., None, :] - keras.ops.convert_to_tensor(self.codes)
            distances = keras.ops.sum(keras.ops.square(difference), axis=-1)  # (B, ..., K)
            indices = keras.ops.argmin(distances, axis=-1)
            nearest = keras.ops.min(distances, axis=-1)
            commitment = keras.ops.sum(nearest, axis=tuple(range(1, len(nearest.shape))))
            z_q = z_e + keras.ops.stop_gradient(self.embed(indices) - z_e)
            return keras_vae.Quantized(z_q, indices, commitment, keras.ops.zeros_like(commitment))

        def embed(self, indices):
            return keras.ops.take(self.codes, indices, axis=0)
    ```
    """

    num_codebooks = 1

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.supports_masking = True  # otherwise Keras warns at every call with a mask

    @property
    def num_embeddings(self) -> int:
        """K, the number of values of an index."""
        raise NotImplementedError

    def call(
        self, z_e: Tensor, mask: Tensor | None = None, training: bool = False, seed: Seed = None
    ) -> Quantized:
        """Returns z_e (B, ..., D) as `Quantized`.

        A quantizer may also take `share`, a number or a tensor (B, 1, ..., 1): the part of the
        gradient of z_q that passes through the codes to z_e. Weights that turn codes into z_q
        receive all of it. If a level of a `ResidualQuantizer` takes no `share`, the whole gradient
        of its z_q is scaled.
        """
        raise NotImplementedError

    def embed(self, indices: Tensor) -> Tensor:
        """Returns z_q (B, ..., D) for indices: exactly the z_q that `call` returned with them."""
        raise NotImplementedError

    def compute_output_spec(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
        **options: Any,
    ) -> Quantized:
        # Not by tracing `call`, as Keras does: the search takes seconds to trace for nothing.
        batch_size, *latent_shape = z_e.shape
        indices = (batch_size, *self.indices_shape(latent_shape))
        cost = keras.KerasTensor((batch_size,), "float32")
        z_q = keras.KerasTensor(z_e.shape, "float32")
        return Quantized(z_q, keras.KerasTensor(indices, "int32"), cost, cost)

    def indices_shape(self, latent_shape: Shape) -> Shape:
        """Returns the shape of one example's indices, given the shape of its z_e."""
        positions = tuple(latent_shape[:-1])
        return positions if self.num_codebooks == 1 else (*positions, self.num_codebooks)

    def serve(self, model: keras.Model) -> None:
        """Takes the methods below from a model, whose training step they belong to."""
        if getattr(self.at_this_step, "__self__", None) is model:
            return
        self.across_replicas = model.across_replicas  # type: ignore[method-assign]
        self.of_first_replica = model.of_first_replica  # type: ignore[method-assign]
        self.at_this_step = model.at_this_step  # type: ignore[method-assign]

    def across_replicas(self, statistics: Tensor) -> Tensor:
        """Returns the sum of a tensor over the devices that share a step: itself, for one device.

        So running means of codes see the whole batch and stay equal on all devices.
        """
        return statistics

    def of_first_replica(self, tensor: Tensor) -> Tensor:
        """Returns a tensor's value on the first of the devices that share a step.

        So codes that are placed on rows of z lie at the same places on all devices.
        """
        return tensor

    def at_this_step(self, value: Weight) -> Tensor | float:
        """Returns a number as it is, and the value of a schedule after the updates made so far;
        without a model, none have been made."""
        return value(ops.zeros(())) if callable(value) else value


def rows_of(z: Tensor) -> Tensor:
    """Returns z (B, ..., D) as rows (N, D)."""
    return ops.reshape(z, (-1, z.shape[-1]))


def per_example(costs: Tensor) -> Tensor:
    """Returns the sum of costs (B, ...) over all axes but the first, (B,)."""
    axes = tuple(range(1, len(costs.shape)))
    # Not by a reshape: sizes may be unknown while TensorFlow traces. PyTorch reads () as all axes.
    return ops.sum(costs, axis=axes) if axes else costs
