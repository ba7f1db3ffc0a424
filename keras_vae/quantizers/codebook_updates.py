"""What moves the codes of a codebook: gradients or running means, and new lives for dead codes."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_vae.configured import Configured
from keras_vae.typing import Tensor

if TYPE_CHECKING:
    from keras_vae.quantizers.vector_quantizer import VectorQuantizer


class CodebookPart(Configured):
    """Base class of what goes by the rows of z that the codes have been nearest to.

    What is remembered from step to step are weights of the quantizer, in its dict `memory`.
    """

    def new_memory(self, quantizer: "VectorQuantizer") -> dict[str, keras.Variable]:
        """Returns `{name: variable}`, new, for a quantizer that has its codebook."""
        return {}

    def forget(self, quantizer: "VectorQuantizer", lost: Tensor) -> None:
        """Forgets the codes, bool (K,), that have been put elsewhere."""

    def learn(self, quantizer: "VectorQuantizer", sums: Tensor, counts: Tensor) -> None:
        """Goes by the sums (K, d) and the numbers (K,) of the rows of a batch nearest to each."""


class CodebookUpdate(CodebookPart):
    """Base class: how codes follow the z that they stand for.

    Attributes:
        by_gradient: whether codes are trainable, and moved by the gradient of the codebook cost.
    """

    by_gradient = False


@keras.saving.register_keras_serializable(package="keras_vae")
class GradientUpdate(CodebookUpdate):
    """Codes are trainable weights, moved by the gradient of the codebook cost |sg[z] - e|^2.

    Reference: van den Oord et al. 2017, "Neural discrete representation learning", equation 3.
    """

    by_gradient = True


@keras.saving.register_keras_serializable(package="keras_vae")
class EMAUpdate(CodebookUpdate):
    """Codes are running means of the z nearest to them, and no gradient moves them.

        N <- decay N + (1 - decay) n,   m <- decay m + (1 - decay) sum z,   e = m / N

    (equations 6 to 8) for the n rows z of the batch nearest to a code e. Both start at 0, and are
    divided by the weight gathered in t steps, 1 - decay^t. N is smoothed (Laplace) where m is
    divided by it, but stays as it is otherwise:

        (N + epsilon) / (sum N + K epsilon) sum N

    Codes that no row has been nearest to keep their place.

    Args:
        decay: float in [0, 1).
        epsilon: float of at least 0, in rows.

    Raises:
        ValueError: an argument that is not as above.

    Reference: van den Oord et al. 2017, "Neural discrete representation learning", appendix A.1.
    """

    def __init__(self, decay: float = 0.99, epsilon: float = 1e-5) -> None:
        self.decay = _check_decay(decay)
        if not epsilon >= 0:
            raise ValueError(f"`epsilon` must be at least 0. Received: {epsilon!r}.")
        self.epsilon = epsilon

    def new_memory(self, quantizer: "VectorQuantizer") -> dict[str, keras.Variable]:
        num_codes, dim = quantizer.codebook.shape
        return {
            "sums": quantizer.add_memory("sums", (num_codes, dim)),
            "counts": quantizer.add_memory("counts", (num_codes,)),
            "gathered": quantizer.add_memory("gathered", ()),
        }

    def forget(self, quantizer: "VectorQuantizer", lost: Tensor) -> None:
        kept = 1.0 - ops.cast(lost, "float32")
        sums, counts = quantizer.memory["sums"], quantizer.memory["counts"]
        sums.assign(sums * kept[:, None])
        counts.assign(counts * kept)

    def learn(self, quantizer: "VectorQuantizer", sums: Tensor, counts: Tensor) -> None:
        memory = quantizer.memory
        for name, new in {"sums": sums, "counts": counts, "gathered": 1.0}.items():
            memory[name].assign(self.decay * memory[name] + (1 - self.decay) * new)
        sums, counts = (memory[name] / memory["gathered"] for name in ("sums", "counts"))
        total = ops.sum(counts)
        smoothed = (counts + self.epsilon) / (total + counts.shape[0] * self.epsilon) * total
        codes = ops.convert_to_tensor(quantizer.codebook)
        quantizer.codebook.assign(ops.where((counts > 0)[:, None], sums / smoothed[:, None], codes))

    def get_config(self) -> dict[str, Any]:
        return {"decay": self.decay, "epsilon": self.epsilon}


class RunningShares(CodebookPart):
    """Base class of what goes by the running share of the rows that each code has.

    Shares start even, also those of codes put elsewhere. A batch without rows leaves them.

    Args:
        decay: float in [0, 1).
    """

    name = "shares"  # of the weight

    def __init__(self, decay: float) -> None:
        self.decay = _check_decay(decay)

    def new_memory(self, quantizer: "VectorQuantizer") -> dict[str, keras.Variable]:
        even = keras.initializers.Constant(self.even(quantizer))
        return {self.name: quantizer.add_memory(self.name, (quantizer.num_embeddings,), even)}

    def shares(self, quantizer: "VectorQuantizer") -> Tensor:
        """Returns the shares, (K,), in the unit that `even` says."""
        return ops.convert_to_tensor(quantizer.memory[self.name])

    def forget(self, quantizer: "VectorQuantizer", lost: Tensor) -> None:
        shares = ops.where(lost, self.even(quantizer), self.shares(quantizer))
        quantizer.memory[self.name].assign(shares)

    def learn(self, quantizer: "VectorQuantizer", sums: Tensor, counts: Tensor) -> None:
        old, total = self.shares(quantizer), ops.sum(counts)
        new = self.even(quantizer) * counts.shape[0] * counts / ops.maximum(total, 1.0)
        new = self.decay * old + (1 - self.decay) * new
        quantizer.memory[self.name].assign(ops.where(total > 0, new, old))

    def even(self, quantizer: "VectorQuantizer") -> float:
        """Returns what an even share is: here the unit."""
        return 1.0


@keras.saving.register_keras_serializable(package="keras_vae")
class DeadCodeRevival(RunningShares):
    """Puts codes that hardly any z is nearest to on rows of the batch, drawn at random.

    It goes by the running share of the rows that each code has, in units of the even share 1/K.
    Shares start at 1, also those of codes put elsewhere, and a code without any row falls below
    the threshold after ln(threshold) / ln(decay) steps: 90 by default.

    Args:
        threshold: float in (0, 1), the share below which a code is dead.
        decay: float in [0, 1), of the running share.

    Raises:
        ValueError: an argument that is not as above.

    Reference: Dhariwal et al. 2020, "Jukebox: a generative model for music", section 3.1 (random
    restarts).
    """

    def __init__(self, threshold: float = 0.01, decay: float = 0.95) -> None:
        super().__init__(decay)
        if not 0 < threshold < 1:
            raise ValueError(f"`threshold` must lie in (0, 1). Received: {threshold!r}.")
        self.threshold = threshold

    def dead(self, quantizer: "VectorQuantizer") -> Tensor:
        """Returns which codes are dead, bool (K,)."""
        return self.shares(quantizer) < self.threshold

    def get_config(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "decay": self.decay}


def _check_decay(decay):
    if not 0 <= decay < 1:
        raise ValueError(f"`decay` must lie in [0, 1). Received: {decay!r}.")
    return decay
