"""Vector quantization: each z is replaced by the nearest of K learned codes."""

from typing import Any

import keras
from keras import ops

from keras_vae.configured import check_configured
from keras_vae.gradients import straight_through
from keras_vae.quantizers.codebook_quantizer import CodebookQuantizer
from keras_vae.quantizers.codebook_updates import CodebookUpdate
from keras_vae.quantizers.codebook_updates import DeadCodeRevival
from keras_vae.quantizers.codebook_updates import EMAUpdate
from keras_vae.quantizers.gradient_estimators import GradientEstimator
from keras_vae.quantizers.k_means import drawn_again
from keras_vae.quantizers.k_means import k_means
from keras_vae.quantizers.k_means import totals
from keras_vae.quantizers.projected_quantizer import where
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import rows_of
from keras_vae.typing import Seed
from keras_vae.typing import Shape
from keras_vae.typing import Tensor

INITIALIZATIONS = {
    "k_means": 10,
    "data": 0,
    "uniform": None,
}  # number of k-means iterations; None if no rows are needed
REVIVAL = DeadCodeRevival()


@keras.saving.register_keras_serializable(package="keras_vae")
class VectorQuantizer(CodebookQuantizer):
    """Assigns each z to the nearest of K codes e, and learns the codes:

        index = argmin_k |z - e_k|,   z_q = e_index      (equations 1 and 2)

    `commitment` is |z - sg[e]|^2 and `codebook` |sg[z] - e|^2; the paper's loss is beta times the
    first plus the second (equation 3). Both have the same value, in training and in evaluation;
    with `EMAUpdate` the second has no gradient.

    A code that is nearest to no z does not learn, and without countermeasures most codes of a
    codebook end up like that. The codes therefore start among the z of the first training batch,
    and dead codes restart among the z of a later batch. With several devices, these z are those of
    the first device.

    With `code_dim`, z is a projection of z_e, and z_q a projection of the code: in fewer dimensions
    more codes are used.

    Args:
        num_embeddings: Int, K, at least 2.
        code_dim: Int, d, the dimension of the codes. Defaults to the D of z_e.
        update: `CodebookUpdate`, such as `GradientUpdate()`. Defaults to `EMAUpdate()`.
        gradient: `GradientEstimator`, such as `RotationTrick()`. Defaults to `StraightThrough()`.
        initialization: String, `"k_means"` of the first training batch, random rows of it
            (`"data"`), or `"uniform"` in [-1/K, 1/K]. The first two overwrite codes set before.
        revival: `DeadCodeRevival`. Defaults to `DeadCodeRevival()`; `None` leaves dead codes alone.
        **kwargs: `name` and `trainable`, as for every Keras layer. The codes of a quantizer that
            is not trainable do not move.

    Input shape: (B, ..., D).
    Output: `Quantized`, with indices (B, ...).

    Raises:
        ValueError: If `num_embeddings` is below 2, `code_dim` is not a positive int, `update`,
            `gradient` or `revival` has the wrong type, or `initialization` is unknown; when built,
            if the input has no axis of positions; in training, if rows are drawn without `seed`.

    Example:

    ```python
    quantizer = VectorQuantizer(512)
    noise = keras.random.SeedGenerator(0)
    z_q, indices, commitment, codebook = quantizer(z_e, training=True, seed=noise)
    z_q = quantizer.embed(indices)
    ```

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), "Neural discrete
          representation learning"
        - [Yu et al., 2022](https://arxiv.org/abs/2110.04627), "Vector-quantized image modeling with
          improved VQGAN", section 3.2 (`code_dim`)
    """

    def __init__(
        self,
        num_embeddings: int,
        code_dim: int | None = None,
        update: CodebookUpdate | None = None,
        gradient: GradientEstimator | None = None,
        initialization: str = "k_means",
        revival: DeadCodeRevival | None = REVIVAL,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_embeddings, code_dim, gradient, **kwargs)
        self.update = check_configured("update", update, CodebookUpdate, EMAUpdate)
        if initialization not in list(INITIALIZATIONS):
            raise ValueError(
                f"`initialization` must be one of {list(INITIALIZATIONS)}. Received: "
                f"{initialization!r}."
            )
        self.initialization = initialization
        self.revival = revival
        if revival is not None:
            check_configured("revival", revival, DeadCodeRevival, DeadCodeRevival)

    def build(self, input_shape: tuple[Any, ...]) -> None:
        super().build(input_shape)
        num_codes, dim = self.num_embeddings, self.code_dim or input_shape[-1]
        self.codebook = self.add_memory(
            "codebook",
            (num_codes, dim),
            keras.initializers.RandomUniform(-1 / num_codes, 1 / num_codes),
            trainable=self.update.by_gradient,
        )
        is_placed = "ones" if self._num_iterations is None else "zeros"
        self.is_placed = self.add_memory("is_placed", (), is_placed)
        self.memory = {k: v for part in self._parts for k, v in part.new_memory(self).items()}

    def add_memory(
        self,
        name: str,
        shape: Shape,
        initializer: str | keras.Initializer = "zeros",
        trainable: bool = False,
    ) -> keras.Variable:
        """Returns a new weight that training may assign to, the same on all devices."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=trainable,
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(
        self,
        z_e: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        seed: Seed = None,
        share: Tensor | float | None = None,
    ) -> Quantized:
        z = self.compared(self.project_in(where(mask, z_e, 0.0)))  # (B, ..., d)
        if not (training and self.trainable):
            return self.nearest(z, self.codes(), mask, share)
        rows, weights = _rows_to_learn_from(z, mask)
        self._place(rows, weights, seed)
        quantized = self.nearest(z, self.codes(), mask, share)
        indices = ops.reshape(quantized.indices, (-1,))
        sums, counts = totals(rows, weights, indices, self.num_embeddings)
        sums, counts = self.across_replicas(sums), self.across_replicas(counts)
        for part in self._parts:
            part.learn(self, sums, counts)
        return quantized

    def codes(self) -> Tensor:
        codebook = ops.convert_to_tensor(self.codebook)
        return self.compared(codebook if self.codebook.trainable else ops.stop_gradient(codebook))

    def compared(self, vectors: Tensor) -> Tensor:
        """Returns z or codes, (..., d), in the form in which they are compared."""
        return vectors

    def _place(self, rows, weights, seed):
        """Places codes on rows: all of them in the first step, dead ones in later steps."""
        if self._num_iterations is None and self.revival is None:
            return
        if seed is None:
            raise ValueError(
                f"{type(self).__name__} draws rows of the batch in training, and needs `seed`, "
                "such as keras.random.SeedGenerator(0). Received: seed=None."
            )
        noise = keras.random.uniform(ops.shape(weights), seed=seed)
        is_first = ops.convert_to_tensor(self.is_placed) == 0
        lost = ops.broadcast_to(is_first, (self.num_embeddings,))
        if self.revival is not None:
            lost = ops.logical_or(lost, self.revival.dead(self))
        before = ops.convert_to_tensor(self.codebook)
        codes = drawn_again(ops.stop_gradient(before), lost, rows, weights, noise)
        if self._num_iterations:
            codes = ops.cond(  # later steps skip the iterations
                is_first,
                lambda: k_means(codes, rows, weights, noise, self._num_iterations),
                lambda: codes,
            )
        codes = self.of_first_replica(codes)
        # On JAX the gradient of a weight passes through the value assigned to it; straight-through,
        # it stays that of the weight itself.
        self.codebook.assign(straight_through(codes, before))
        self.is_placed.assign(ops.maximum(self.is_placed, ops.max(weights)))
        for part in self._parts:
            part.forget(self, lost)

    @property
    def _parts(self):
        """The objects that track the rows assigned to each code."""
        return [self.update] if self.revival is None else [self.update, self.revival]

    @property
    def _num_iterations(self):
        return INITIALIZATIONS[self.initialization]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "update": keras.saving.serialize_keras_object(self.update),
            "initialization": self.initialization,
            "revival": keras.saving.serialize_keras_object(self.revival),
        }


@keras.saving.register_keras_serializable(package="keras_vae")
class CosineVectorQuantizer(VectorQuantizer):
    """A `VectorQuantizer` on the unit sphere: z and codes are divided by their norms.

    The nearest code is the one with the largest cosine similarity, and z_q has norm 1 (before its
    projection, if `code_dim` is set).

    Args:
        *args, **kwargs: See `VectorQuantizer`.

    Reference:
        - [Yu et al., 2022](https://arxiv.org/abs/2110.04627), "Vector-quantized image modeling with
          improved VQGAN", section 3.2
    """

    def compared(self, vectors: Tensor) -> Tensor:
        squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
        # A norm below 1e-12 counts as 1e-12: no division by 0, and a finite gradient.
        return vectors * ops.rsqrt(ops.maximum(squares, 1e-24))


def _rows_to_learn_from(z, mask):
    """Returns z (B, ..., d) as rows (N, d), and weights (N,): 0 for masked and non-finite rows.

    A single non-finite row would spoil the running means for good."""
    rows = ops.stop_gradient(rows_of(z))
    is_good = ops.isfinite(ops.sum(rows, axis=-1))  # not finite if a summand is not
    if mask is not None:
        is_good = ops.logical_and(is_good, ops.reshape(mask, (-1,)))
    return where(is_good, rows, 0.0), ops.cast(is_good, "float32")
