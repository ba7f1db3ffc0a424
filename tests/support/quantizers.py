"""One of each quantizer, and a small model to train them in."""

import keras
import numpy as np
from keras import ops

from keras_vae.models import GenerativeModel
from keras_vae.models import Term
from keras_vae.quantizers import CosineVectorQuantizer
from keras_vae.quantizers import EntropyConstrainedVectorQuantizer
from keras_vae.quantizers import FiniteScalarQuantizer
from keras_vae.quantizers import GradientUpdate
from keras_vae.quantizers import GroupedQuantizer
from keras_vae.quantizers import GumbelQuantizer
from keras_vae.quantizers import LookupFreeQuantizer
from keras_vae.quantizers import ResidualQuantizer
from keras_vae.quantizers import RotationTrick
from keras_vae.quantizers import SimVQ
from keras_vae.quantizers import VectorQuantizer
from keras_vae.quantizers.quantizer import per_example

DIM, NUM_POSITIONS = 4, 12

# Name -> a new quantizer of z_e (B, ..., 4).
QUANTIZERS = {
    "vector": lambda: VectorQuantizer(5),
    "projected_vector": lambda: VectorQuantizer(5, code_dim=2, initialization="data"),
    "gradient_vector": lambda: VectorQuantizer(5, update=GradientUpdate(), revival=None),
    "rotated_vector": lambda: VectorQuantizer(5, gradient=RotationTrick()),
    "cosine_vector": lambda: CosineVectorQuantizer(5),
    "entropy_constrained_vector": lambda: EntropyConstrainedVectorQuantizer(5, 0.5),
    "sim": lambda: SimVQ(5),
    "projected_sim": lambda: SimVQ(5, code_dim=2, gradient=RotationTrick()),
    "finite_scalar": lambda: FiniteScalarQuantizer((3, 4, 2, 5)),
    "projected_finite_scalar": lambda: FiniteScalarQuantizer((3, 4)),
    "lookup_free": lambda: LookupFreeQuantizer(4),
    "projected_lookup_free": lambda: LookupFreeQuantizer(3),
    "gumbel": lambda: GumbelQuantizer(5),
    "residual_vector": lambda: ResidualQuantizer([VectorQuantizer(5) for _ in range(2)]),
    "residual_lookup_free": lambda: ResidualQuantizer([LookupFreeQuantizer(3) for _ in range(2)]),
    "grouped_vector": lambda: GroupedQuantizer([VectorQuantizer(5) for _ in range(2)]),
    "grouped_gumbel": lambda: GroupedQuantizer([GumbelQuantizer(5) for _ in range(2)]),
}


def data(num_examples=6, shape=(NUM_POSITIONS,), seed=0):
    draws = np.random.default_rng(seed).normal(size=(num_examples, *shape, DIM))
    return draws.astype("float32")


@keras.saving.register_keras_serializable(package="tests")
class TinyAutoencoder(GenerativeModel):
    """x (B, 12, 4) -> dense -> quantizer -> squared error."""

    def __init__(self, quantizer, **kwargs):
        super().__init__(**kwargs)
        self.dense, self.quantizer = keras.layers.Dense(DIM), quantizer
        quantizer.serve(self)

    def known_shape(self):
        return (None, NUM_POSITIONS, DIM)

    def quantized(self, x, training=False):
        seed = self.noise.stream(training)
        return self.quantizer(self.dense(x), training=training, seed=seed)

    def call(self, x):
        return self.quantized(x).z_q

    def objective(self):
        return {
            "error": Term(evaluate=1.0),
            "commitment": Term(train=0.25, evaluate=1.0),
            "codebook": Term(evaluate=1.0),
        }

    def terms(self, x, c=None, training=False):
        quantized = self.quantized(x, training)
        costs = {"commitment": quantized.commitment, "codebook": quantized.codebook}
        return {"error": per_example(ops.square(x - quantized.z_q)), **costs}
