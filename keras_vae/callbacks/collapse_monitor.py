"""A warning of posterior collapse."""

import warnings
from typing import Any

import keras
import numpy as np

from keras_vae.batching import padded_batches
from keras_vae.batching import run_batches
from keras_vae.checks import check_count
from keras_vae.evaluation.latent_usage import mean_and_kl
from keras_vae.evaluation.latent_usage import vary
from keras_vae.typing import Array

BATCH_SIZE = 256
MAX_NAMED = 5  # units named in a message


class CollapseMonitor(keras.callbacks.Callback):
    """Counts the active latent units during training, and warns of posterior collapse.

    Every `every` epochs it encodes x, deterministically and without changing the state of the
    model, and adds `active_units` to the logs: the number of units with
    Var_x(E_q[z_j|x]) > `threshold`. Callbacks that are to log it, such as `CSVLogger`, must come
    later in the list.

    It issues a `UserWarning`, at most once per problem in a call to `fit`,

    - if the posterior has collapsed, that is if no unit is active or the KL term is below `min_kl`:
      the decoder then ignores z, and the model is no better than one without latents;
    - at the end of training, if more than half of the units are inactive. Some usually are: a VAE
      turns off units that it does not need, at no cost, and `latent_dim` could be lower.

    Args:
        x: Array (N, *S) of held-out examples; a few hundred are enough.
        condition: Array (N, ...), the conditions, if the model is conditional.
        every: Positive integer, the number of epochs between measurements.
        threshold: Float, at least 0, the variance above which a unit is active.
        min_kl: Float, at least 0, in nats: the posterior counts as collapsed if the mean of
            KL(q(z|x) || p(z)) is lower.

    Attributes:
        active: NumPy bool array in the shape of the latent, the units that were active at the last
            measurement.
        kl: Float, in nats, the mean of KL(q(z|x) || p(z)) at the last measurement, estimated from
            one draw if it has no closed form.

    Raises:
        ValueError: If `every` is not a positive integer, or if `threshold` or `min_kl` is not a
            number of at least 0; or, in `fit`, if `x` is not valid data for the model or the model
            has no q(z|x).

    Example:

    ```python
    monitor = CollapseMonitor(x_validation[:500])
    history = model.fit(x_train, epochs=20, callbacks=[monitor]).history
    print(history["active_units"], np.flatnonzero(monitor.active))
    ```

    Reference:
        - [Burda et al., 2016](https://arxiv.org/abs/1509.00519), section 5.2, for active units
        - [Bowman et al., 2016](https://arxiv.org/abs/1511.06349), section 3.1, for collapse and
          annealing
    """

    def __init__(
        self,
        x: Array,
        condition: Array | None = None,
        every: int = 1,
        threshold: float = 0.01,
        min_kl: float = 0.1,
    ) -> None:
        super().__init__()
        for name, value in (("threshold", threshold), ("min_kl", min_kl)):
            if not value >= 0:
                raise ValueError(f"`{name}` must be a number of at least 0. Received: {value!r}.")
        self.x, self.condition = x, condition
        self.every = check_count("every", every)
        self.threshold, self.min_kl = threshold, min_kl
        self.active: Any = None
        self.kl: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks x and the model."""
        model = self.model
        self._arrays = model.check_inputs(self.x, self.condition)
        self._run = model.jitted(mean_and_kl(model))  # compiled once for all epochs
        first, _ = next(padded_batches(self._arrays, min(BATCH_SIZE, len(self._arrays[0]))))
        self._run(*first)  # fails now, not after an epoch, if the model cannot be measured
        self._is_reported = False
        self.active = self.kl = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures the active units, and warns of collapse."""
        if (epoch + 1) % self.every:
            return
        self._measure()
        if logs is not None:
            logs["active_units"] = int(self.active.sum())
        if self._has_collapsed() and not self._is_reported:
            self._is_reported = True
            warnings.warn(self._alarm(epoch + 1), stacklevel=2)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Warns if most units are inactive."""
        if self.active is None or self._has_collapsed():
            return
        if 2 * self.active.sum() < self.active.size:
            warnings.warn(
                f"At the end of training {self._inactive()}. That costs no nats and is normal in a "
                f"VAE, but a `latent_dim` closer to {self.active.sum()} would do as well.",
                stacklevel=2,
            )

    def _measure(self) -> None:
        _ = self.model  # on JAX, reading it writes the trained values back to the variables
        means, kl = run_batches(self._run, *self._arrays, batch_size=BATCH_SIZE)
        self.active = vary(means, self.threshold)
        self.kl = float(np.mean(kl.astype("float64")))

    def _has_collapsed(self) -> bool:
        return not self.active.any() or self.kl < self.min_kl

    def _alarm(self, epoch: int) -> str:
        return (
            f"Posterior collapse after epoch {epoch}: KL(q(z|x) || p(z)) is {self.kl:.3g} nats and "
            f"{self._inactive()}, so the decoder ignores z. Anneal `kl_weight` "
            "(keras_vae.LinearAnnealing), or lower it if it is above 1; set `free_bits`; use a "
            f"weaker decoder{self._of_sequences()}; or check the scale of the likelihood: if sigma "
            "is far above the noise of the data, it does not pay to encode x."
        )

    def _of_sequences(self) -> str:
        """Returns advice for models whose decoder sees the previous tokens, as for texts."""
        if not hasattr(self.model, "word_dropout"):
            return ""
        return ", or hide from it part of what came before (`word_dropout=0.3`)"

    def _inactive(self) -> str:
        """Returns a text with the number of inactive units and the first of them."""
        inactive = [i[0] if len(i) == 1 else tuple(i) for i in np.argwhere(~self.active).tolist()]
        text = f"{len(inactive)} of {self.active.size} latent units are inactive"
        if not inactive:
            return text
        names = ", ".join(map(str, inactive[:MAX_NAMED]))
        return f"{text} ({names}{', ...' if len(inactive) > MAX_NAMED else ''})"
