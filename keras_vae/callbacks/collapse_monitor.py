"""An alarm for posterior collapse."""

import warnings

import keras
import numpy as np

from keras_vae.batching import padded_batches
from keras_vae.batching import run_batches
from keras_vae.evaluation.latent_usage import mean_and_kl
from keras_vae.evaluation.latent_usage import vary

BATCH_SIZE = 256
MAX_NAMED = 5  # units named in a message


class CollapseMonitor(keras.callbacks.Callback):
    """Counts the active latent units during training, and warns of posterior collapse.

    After every `every` epochs it encodes x, without noise and without a trace in the model, and
    adds `active_units` to the logs: the number of units with Var_x(E_q[z_j|x]) > `threshold`.
    List it before callbacks that shall see this, such as `CSVLogger`.

    It warns (`UserWarning`), once each in a call of `fit`,

    - of collapse, when no unit is active or the KL term is below `min_kl`: the decoder then works
      without z, and the model is no better than one without latents;
    - at the end of training, when more than half of the units are inactive. Some always are: a
      VAE turns off what it does not need, at no cost, and `latent_dim` may be lowered.

    Args:
        x: array (N, S), held-out examples; a few hundred are enough.
        condition: conditions (N, ...) of a conditional model.
        every: int, epochs from one measurement to the next.
        threshold: float, the variance above which a unit is active.
        min_kl: float, nats, the mean KL(q(z|x) || p(z)) of a collapsed model.

    Attributes:
        active: bool array of the latent's shape, the active units when last measured.
        kl: float, nats, the mean of KL(q(z|x) || p(z)) when last measured; by one draw where it
            has no closed form.

    Raises:
        ValueError: `every`, `threshold` or `min_kl` is not as above; or, from `fit`, x is not data
            of the model, or the model has no q(z|x).

    Example:

    ```python
    monitor = CollapseMonitor(x_validation[:500])
    history = model.fit(x_train, epochs=20, callbacks=[monitor]).history
    print(history["active_units"], np.flatnonzero(monitor.active))
    ```

    Reference: for active units, Burda et al. 2016, "Importance Weighted Autoencoders", section
    5.2; for collapse and annealing, Bowman et al. 2016, "Generating Sentences from a Continuous
    Space", section 3.1.
    """

    def __init__(self, x, condition=None, every=1, threshold=0.01, min_kl=0.1):
        super().__init__()
        if not isinstance(every, int) or isinstance(every, bool) or every < 1:
            raise ValueError(f"`every` must be a positive integer. Received: {every!r}.")
        for name, value in (("threshold", threshold), ("min_kl", min_kl)):
            if not value >= 0:
                raise ValueError(f"`{name}` must be a number of at least 0. Received: {value!r}.")
        self.x, self.condition = x, condition
        self.every, self.threshold, self.min_kl = every, threshold, min_kl
        self.active = self.kl = None

    def on_train_begin(self, logs=None):
        """Checks x; Keras calls it."""
        model = self.model
        self._arrays = model.check_inputs(self.x, self.condition)
        self._run = model.jitted(mean_and_kl(model))  # compiled once for all epochs
        first, _ = next(padded_batches(self._arrays, min(BATCH_SIZE, len(self._arrays[0]))))
        self._run(*first)  # a model that cannot be measured fails now, not after an epoch
        self._is_reported = False
        self.active = self.kl = None

    def on_epoch_end(self, epoch, logs=None):
        """Measures, and warns of collapse; Keras calls it."""
        if (epoch + 1) % self.every:
            return
        self._measure()
        if logs is not None:
            logs["active_units"] = int(self.active.sum())
        if self._has_collapsed() and not self._is_reported:
            self._is_reported = True
            warnings.warn(self._alarm(epoch + 1), stacklevel=2)

    def on_train_end(self, logs=None):
        """Warns where most units are inactive; Keras calls it."""
        if self.active is None or self._has_collapsed():
            return
        if 2 * self.active.sum() < self.active.size:
            warnings.warn(
                f"At the end of training {self._inactive()}. That costs no nats and is normal in a "
                f"VAE, but a `latent_dim` nearer to {self.active.sum()} would do as well.",
                stacklevel=2,
            )

    def _measure(self):
        _ = self.model  # on JAX this hands the trained values to the variables
        means, kl = run_batches(self._run, *self._arrays, batch_size=BATCH_SIZE)
        self.active = vary(means, self.threshold)
        self.kl = float(np.mean(kl.astype("float64")))

    def _has_collapsed(self):
        return not self.active.any() or self.kl < self.min_kl

    def _alarm(self, epoch):
        return (
            f"Posterior collapse after epoch {epoch}: KL(q(z|x) || p(z)) is {self.kl:.3g} nats and "
            f"{self._inactive()}, so the decoder works without z. Anneal `kl_weight` "
            "(keras_vae.LinearAnnealing), or lower it where it is above 1; give `free_bits`; take "
            "a weaker decoder; or check the scale of the likelihood: a sigma far above the noise "
            "of the data makes x not worth encoding."
        )

    def _inactive(self):
        """Says how many units are inactive, and the first of them."""
        inactive = [i[0] if len(i) == 1 else tuple(i) for i in np.argwhere(~self.active).tolist()]
        text = f"{len(inactive)} of {self.active.size} latent units are inactive"
        if not inactive:
            return text
        names = ", ".join(map(str, inactive[:MAX_NAMED]))
        return f"{text} ({names}{', ...' if len(inactive) > MAX_NAMED else ''})"
