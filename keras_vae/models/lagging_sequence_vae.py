"""The VAE whose encoder is trained ahead of its decoder."""

from typing import Any

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.models.base.term import Term
from keras_vae.models.sequence_vae import SequenceVAE
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class LaggingSequenceVAE(SequenceVAE):
    """`SequenceVAE` whose encoder is updated more often than its decoder, to prevent collapse.

    Early in training q(z|x) lags behind the true posterior of the model, and the decoder learns to
    ignore z before the encoder has learnt to encode anything. Here the encoder is updated at every
    step, and the decoder only at every `encoder_steps`-th, until the callback `LaggingInference`
    finds that the mutual information of x and z no longer rises. From then on both are updated at
    every step. The objective is the plain bound throughout.

    One detail differs from the paper, which updates the encoder until its cost stops falling over
    10 batches, and then the decoder once: here the number of steps is fixed unless `window` is set.

    Args:
        encoder, decoder, max_length, vocabulary, word_dropout: See `SequenceVAE`.
        encoder_steps: Int, the number of encoder updates for each decoder update; with `window`,
            the largest number.
        window: Int, a number of batches, or `None`. The decoder is also updated once the mean cost
            over `window` batches is no lower than over the `window` batches before. `None` always
            waits for `encoder_steps`.
        **kwargs: As for `SequenceVAE`.

    Terms, in nats per sequence: those of `VAE`. In training `loss` is the sum of the costs
    that the encoder and the decoder descend.

    Raises:
        ValueError: As for `SequenceVAE`, or if `encoder_steps` or `window` is not a positive
            integer. Also raised by `compile` unless each group has an optimizer of its own.

    Example:

    ```python
    model = LaggingSequenceVAE(encoder, decoder, 16, vocabulary, encoder_steps=5)
    adam, adam_of_decoder = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)
    model.compile({"main": adam, "decoder": adam_of_decoder})
    model.fit(sentences, epochs=20, callbacks=[LaggingInference(held_out)])
    ```

    Reference:
        - [He et al., 2019](https://arxiv.org/abs/1901.05534), "Lagging inference networks and
          posterior collapse in variational autoencoders", algorithm 1
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        max_length: int,
        vocabulary: Any = None,
        encoder_steps: int = 5,
        window: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(encoder, decoder, max_length, vocabulary, **kwargs)
        self.encoder_steps = check_count("encoder_steps", encoder_steps)
        self.window = None if window is None else check_count("window", window)
        # A weight, so that it is saved and compiled steps see it change.
        self.is_lagging = self.add_weight(
            name="is_lagging", shape=(), initializer="ones", trainable=False, autocast=False
        )
        # Since the decoder's last update: the summed cost of the current window, the number of
        # encoder updates, the mean cost of the last window, the number of complete windows, and
        # whether the decoder is due.
        self.progress = self.add_weight(
            name="progress", shape=(5,), initializer="zeros", trainable=False, autocast=False
        )

    def objective(self) -> dict[str, Term]:
        return {**super().objective(), "decoder": Term(group="decoder", metric=None)}

    def switches(self) -> dict:
        return {"decoder": self._decoder_is_on}

    def terms(
        self, x: Tensor, c: Tensor = None, training: bool = False, target: Tensor = None
    ) -> dict[str, Tensor]:
        terms = super().terms(x, c, training, target)
        if training and self.window is not None:
            self._watch(-ops.mean(terms["elbo"]))
        return {**terms, "decoder": terms["reconstruction"]}

    def _watch(self, cost):
        """Records the cost (scalar) of a step of the encoder."""
        total, steps, before, windows, _ = ops.unstack(self.progress.value)
        share = self.across_replicas(ops.ones_like(cost))
        total, steps = total + self.across_replicas(cost) / share, steps + 1.0
        mean, is_whole = total / self.window, ops.equal(steps, (windows + 1.0) * self.window)
        has_stopped = ops.logical_and(windows > 0, mean >= before)
        is_over = ops.logical_or(
            ops.logical_and(is_whole, has_stopped), steps >= self.encoder_steps
        )
        zero, one = ops.zeros_like(cost), ops.ones_like(cost)
        within = ops.stack([total, steps, before, windows, zero])
        at_end = ops.stack([zero, steps, mean, windows + 1.0, zero])
        anew = ops.stack([zero, zero, zero, zero, one])
        self.progress.assign(ops.where(is_over, anew, ops.where(is_whole, at_end, within)))

    def _decoder_is_on(self, step):
        """Returns 1 if `step` (scalar) updates the decoder, otherwise 0."""
        if self.window is None:
            is_due = ops.equal(ops.mod(step + 1.0, float(self.encoder_steps)), 0.0)
        else:
            is_due = self.progress.value[4] > 0.5
        return ops.cast(ops.logical_or(is_due, self.is_lagging.value < 0.5), "float32")
