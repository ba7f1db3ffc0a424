"""Rules that move the codes of a codebook: gradients, running means, revival of dead codes."""

from typing import TYPE_CHECKING
from typing import Any

import keras
from keras import ops

from keras_vae.configured import Configured
from keras_vae.typing import Tensor

if TYPE_CHECKING:
    from keras_vae.quantizers.vector_quantizer import VectorQuantizer


class CodebookPart(Configured):
    """Base class of objects that track the rows of z assigned to each code.

    Its state is held in weights of the quantizer, in the dict `quantizer.memory`.
    """

    def new_memory(self, quantizer: "VectorQuantizer") -> dict[str, keras.Variable]:
        """Returns new variables, `{name: variable}`, for a quantizer whose codebook exists."""
        return {}

    def forget(self, quantizer: "VectorQuantizer", lost: Tensor) -> None:
        """Resets the state of the codes in `lost`, bool (K,), which have been relocated."""

    def learn(self, quantizer: "VectorQuantizer", sums: Tensor, counts: Tensor) -> None:
        """Updates from the sums (K, d) and counts (K,) of a batch's rows nearest to each code."""


class CodebookUpdate(CodebookPart):
    """Base class of rules by which codes follow the z they represent.

    Attributes:
        by_gradient: Bool, whether the codes are trainable weights, moved by the gradient of the
            codebook cost.
    """

    by_gradient = False


@keras.saving.register_keras_serializable(package="keras_vae")
class GradientUpdate(CodebookUpdate):
    """Makes the codes trainable, moved by the gradient of the codebook cost |sg[z] - e|^2.

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), "Neural discrete
          representation learning", equation 3
    """

    by_gradient = True


@keras.saving.register_keras_serializable(package="keras_vae")
class EMAUpdate(CodebookUpdate):
    """Makes each code the running mean of the z nearest to it; no gradient moves the codes.

        N <- decay N + (1 - decay) n,   m <- decay m + (1 - decay) sum z,   e = m / N

    (equations 6 to 8) for the n rows z of the batch nearest to a code e. Both averages start at 0
    and are debiased by 1 - decay^t after t steps. Where m is divided by it, N is replaced by its
    Laplace-smoothed value,

        (N + epsilon) / (sum N + K epsilon) sum N

    Codes that have never been nearest to a row stay where they are.

    Args:
        decay: Float in [0, 1).
        epsilon: Float, at least 0, the smoothing in rows.

    Raises:
        ValueError: If `decay` is not in [0, 1) or `epsilon` is negative.

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937), "Neural discrete
          representation learning", appendix A.1
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
    """Base class of objects that track the running share of rows assigned to each code.

    Shares start even, and those of relocated codes are reset to even. A batch without rows leaves
    them unchanged.

    Args:
        decay: Float in [0, 1).
    """

    name = "shares"  # of the weight

    def __init__(self, decay: float) -> None:
        self.decay = _check_decay(decay)

    def new_memory(self, quantizer: "VectorQuantizer") -> dict[str, keras.Variable]:
        even = keras.initializers.Constant(self.even(quantizer))
        return {self.name: quantizer.add_memory(self.name, (quantizer.num_embeddings,), even)}

    def shares(self, quantizer: "VectorQuantizer") -> Tensor:
        """Returns the shares (K,), in units in which an even share is `even`."""
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
        """Returns the value of an even share: 1, the unit of the shares."""
        return 1.0


@keras.saving.register_keras_serializable(package="keras_vae")
class DeadCodeRevival(RunningShares):
    """Moves codes that are hardly ever nearest to a z onto random rows of the batch.

    A code is dead when its running share of the rows, in units of the even share 1/K, falls below
    `threshold`. Shares start at 1, and return to 1 when a code is moved; a code that no row is
    assigned to dies after ln(threshold) / ln(decay) steps, 90 by default.

    Args:
        threshold: Float in (0, 1), the share below which a code is dead.
        decay: Float in [0, 1), the decay of the running share.

    Raises:
        ValueError: If `threshold` is not in (0, 1) or `decay` is not in [0, 1).

    Reference:
        - [Dhariwal et al., 2020](https://arxiv.org/abs/2005.00341), "Jukebox: a generative model
          for music", section 3.1 (random restarts)
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
