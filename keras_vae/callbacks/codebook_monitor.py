"""An alarm for codebook collapse."""

import re
import warnings

import keras

from keras_vae.evaluation.codebook_usage import quantizers_of

ADVICE = {  # for what is wrong
    "Codebook collapse": (
        "Codes that no z_e is near learn nothing. Let `VectorQuantizer` start at the data (k-means "
        "initialisation) and revive dead codes; learn them with `EMAUpdate`; search them in few "
        "dimensions (`code_dim=8`); pass gradients by `RotationTrick`; or take `SimVQ` or "
        "`FiniteScalarQuantizer`, whose codes move together. Batches with fewer positions than "
        "codes cannot teach them all: raise `batch_size`, or lower `num_embeddings`."
    ),
    "Falling codebook usage": (
        "The encoder leaves codes behind. Revive them, let them follow faster (`EMAUpdate` with a "
        "lower decay), raise `commitment_weight` or `batch_size`, or lower the learning rate."
    ),
    "Uneven codebook usage": (
        "A few codes do most of the work. Where most of the data look alike, such as background, "
        "that is right, and a `num_embeddings` nearer to the perplexity would do as well. "
        "Otherwise revive rare codes too, start by k-means, lower `code_dim`, or take "
        "`RotationTrick`, `SimVQ` or `FiniteScalarQuantizer`."
    ),
}


class CodebookMonitor(keras.callbacks.Callback):
    """Watches how a model's codebooks are used during training, and warns of codebook collapse.

    After every epoch it reads `usage` and `perplexity` in the logs, of every level and of the
    validation data too, and costs nothing. It warns (`UserWarning`), once each in a call of `fit`,
    of codebooks

    - that are hardly used: `usage` is below `min_usage`;
    - that are used unevenly: `perplexity` is below `min_perplexity` times the number of codes;
    - whose usage falls: it is more than `max_fall` below that of an earlier epoch.

    Args:
        min_usage: float in [0, 1], the part of the codes that shall be used.
        min_perplexity: float in [0, 1], the same for the perplexity.
        max_fall: float in [0, 1], how much of the codes may be lost.

    Data of fewer positions than there are codes, a small validation set say, cannot use them all.

    Raises:
        ValueError: an argument is not as above; or, from `fit`, the model has no codebook.

    Example:

    ```python
    model.fit(x_train, epochs=20, callbacks=[CodebookMonitor(min_usage=0.9)])
    ```

    Reference: van den Oord et al. 2017, "Neural Discrete Representation Learning"; for revival,
    Dhariwal et al. 2020, "Jukebox: A Generative Model for Music".
    """

    def __init__(self, min_usage=0.5, min_perplexity=0.1, max_fall=0.25):
        super().__init__()
        self.min_usage, self.min_perplexity, self.max_fall = min_usage, min_perplexity, max_fall
        for name in ("min_usage", "min_perplexity", "max_fall"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"`{name}` must be a number from 0 to 1. Received: {getattr(self, name)!r}."
                )

    def on_train_begin(self, logs=None):
        """Checks the model; Keras calls it."""
        self._sizes = [quantizer.num_embeddings for quantizer in quantizers_of(self.model)]
        self._best = {}  # name in the logs -> usage
        self._reported = set()

    def on_epoch_end(self, epoch, logs=None):
        """Reads the logs and warns; Keras calls it."""
        found = {}  # problem -> where
        for name, usage in (logs or {}).items():
            if match := re.fullmatch(r"(?:val_)?usage(?:_(\d+))?", name):
                size = self._sizes[int(match[1] or 1) - 1]  # of the level that the name ends in
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

    def _problem(self, usage, perplexity, best):
        """Returns what is wrong with parts of a codebook, or `None`."""
        if usage < self.min_usage:
            return "Codebook collapse"
        if usage < best - self.max_fall:
            return "Falling codebook usage"
        return "Uneven codebook usage" if perplexity < self.min_perplexity else None
