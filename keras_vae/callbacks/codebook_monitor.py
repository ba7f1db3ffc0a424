"""A warning of codebook collapse."""

import re
import warnings
from typing import Any

import keras

from keras_vae.evaluation.codebook_usage import quantizers_of

ADVICE = {  # problem -> what to do
    "Codebook collapse": (
        "A code that is nearest to no z_e learns nothing. Let `VectorQuantizer` start from the "
        "data (k-means initialisation) and revive dead codes; learn the codes with `EMAUpdate`; "
        "look them up in few dimensions (`code_dim=8`); pass gradients with `RotationTrick`; or "
        "use `SimVQ` or `FiniteScalarQuantizer`, whose codes move together. Batches with fewer "
        "positions than codes cannot train all codes: raise `batch_size`, or lower "
        "`num_embeddings`."
    ),
    "Falling codebook usage": (
        "The encoder moves away from its codes. Revive dead codes, let the codes follow faster "
        "(`EMAUpdate` with a lower decay), raise `commitment_weight` or `batch_size`, or lower the "
        "learning rate."
    ),
    "Uneven codebook usage": (
        "A few codes do most of the work. If most of the data look alike, such as background, that "
        "is fine, and a smaller `num_embeddings`, closer to the perplexity, would do as well. "
        "Otherwise revive rare codes too, start with k-means, lower `code_dim`, or use "
        "`RotationTrick`, `SimVQ` or `FiniteScalarQuantizer`."
    ),
}


class CodebookMonitor(keras.callbacks.Callback):
    """Monitors how a model's codebooks are used during training, and warns of codebook collapse.

    After every epoch it reads `usage` and `perplexity` from the logs, for every level and also for
    the validation data, at no extra cost. It issues a `UserWarning`, at most once per problem in a
    call to `fit`, if a codebook

    - is hardly used: `usage` is below `min_usage`;
    - is used unevenly: `perplexity` is below `min_perplexity` times the number of codes;
    - is used less than before: `usage` is more than `max_fall` below that of an earlier epoch.

    Data with fewer positions than there are codes, such as a small validation set, cannot use them
    all.

    Args:
        min_usage: Float in [0, 1], the fraction of the codes that must be used.
        min_perplexity: Float in [0, 1], the lowest perplexity, as a fraction of the number of
            codes.
        max_fall: Float in [0, 1], the largest decrease of `usage` from its maximum.

    Raises:
        ValueError: If an argument does not lie in [0, 1]; or, in `fit`, if the model has no
            codebook.

    Example:

    ```python
    model.fit(x_train, epochs=20, callbacks=[CodebookMonitor(min_usage=0.9)])
    ```

    Reference:
        - [van den Oord et al., 2017](https://arxiv.org/abs/1711.00937)
        - [Dhariwal et al., 2020](https://arxiv.org/abs/2005.00341), for the revival of dead codes
    """

    def __init__(
        self, min_usage: float = 0.5, min_perplexity: float = 0.1, max_fall: float = 0.25
    ) -> None:
        super().__init__()
        self.min_usage, self.min_perplexity, self.max_fall = min_usage, min_perplexity, max_fall
        for name in ("min_usage", "min_perplexity", "max_fall"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"`{name}` must be a number from 0 to 1. Received: {getattr(self, name)!r}."
                )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks that the model has a codebook."""
        self._sizes = [quantizer.num_embeddings for quantizer in quantizers_of(self.model)]
        self._best: dict[str, float] = {}  # name in the logs -> highest usage so far
        self._reported: set[str] = set()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reads the logs, and warns of problems."""
        found: dict[str | None, list[str]] = {}  # problem -> where it was found
        logs = logs or {}
        for name, usage in logs.items():
            if match := re.fullmatch(r"(?:val_)?usage(?:_(\d+))?", name):
                size = self._sizes[int(match[1] or 1) - 1]  # the name ends in the level
                perplexity = logs[name.replace("usage", "perplexity")]
                best = self._best[name] = max(usage, self._best.get(name, 0.0))
                where = (
                    f"`{name}` is {usage:.1%} of {size} codes ({best:.1%} at best), at a "
                    f"perplexity of {perplexity:.3g}"
                )
                found.setdefault(self._problem(usage, perplexity / size, best), []).append(where)
        for problem, advice in ADVICE.items():
            if problem in found and problem not in self._reported:
                self._reported.add(problem)
                where = "; ".join(found[problem])
                warnings.warn(f"{problem} after epoch {epoch + 1}: {where}. {advice}", stacklevel=2)

    def _problem(self, usage: float, perplexity: float, best: float) -> str | None:
        """Returns the problem of a codebook, or `None`; all values are fractions of its size."""
        if usage < self.min_usage:
            return "Codebook collapse"
        if usage < best - self.max_fall:
            return "Falling codebook usage"
        return "Uneven codebook usage" if perplexity < self.min_perplexity else None
