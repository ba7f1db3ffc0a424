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
    """`SequenceVAE` against whose collapse the encoder is updated more often than the decoder.

    Early in training q(z|x) lags behind the posterior of the model, and the decoder learns to do
    without z before the encoder has learnt to tell anything. Here the encoder is updated at every
    step and the decoder at each `encoder_steps`-th only, until `LaggingInference`, a callback,
    finds that the mutual information of x and z no longer rises; then both are, at every step. The
    objective is the plain bound throughout.

    One detail differs from the paper, which updates the encoder until its cost stops falling over
    10 batches, and then the decoder once: here the number of steps is fixed.

    Args:
        encoder, decoder, max_length, vocabulary, word_dropout: See `SequenceVAE`.
        encoder_steps: Int, how many updates of the encoder there are to each of the decoder.
        **kwargs: As for `SequenceVAE`.

    Terms, in nats per sequence: those of `VAE`. In training `loss` is the sum of what the encoder
    and what the decoder descend.

    Raises:
        ValueError: As for `SequenceVAE`, or if `encoder_steps` is not a positive integer; from
            `compile`, without an optimizer of each group's own.

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
        **kwargs: Any,
    ):
        super().__init__(encoder, decoder, max_length, vocabulary, **kwargs)
        self.encoder_steps = check_count("encoder_steps", encoder_steps)
        # A weight, so that it is saved, and that a compiled step sees it change.
        self.is_lagging = self.add_weight(
            name="is_lagging", shape=(), initializer="ones", trainable=False, autocast=False
        )

    def objective(self) -> dict[str, Term]:
        return {**super().objective(), "decoder": Term(group="decoder", metric=None)}

    def switches(self) -> dict:
        return {"decoder": self._decoder_is_on}

    def terms(
        self, x: Tensor, c: Tensor = None, training: bool = False, target: Tensor = None
    ) -> dict[str, Tensor]:
        terms = super().terms(x, c, training, target)
        return {**terms, "decoder": terms["reconstruction"]}

    def _decoder_is_on(self, step):
        """Returns 1 at steps (scalar) that update the decoder, and 0 at others."""
        is_due = ops.equal(ops.mod(step + 1.0, float(self.encoder_steps)), 0.0)
        return ops.cast(ops.logical_or(is_due, self.is_lagging.value < 0.5), "float32")
