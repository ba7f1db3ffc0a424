"""The language model: a sequence VAE's decoder without the latent."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.batching import run_batches
from keras_vae.datasets.vocabulary import TextCoder
from keras_vae.models.base.generative_model import LikelihoodKind
from keras_vae.models.base.generative_model import check_exact
from keras_vae.models.base.sequence_model import SequenceModel
from keras_vae.models.base.sequence_model import check_token_decoder
from keras_vae.models.base.term import Term
from keras_vae.tokens import token_counts
from keras_vae.typing import Array
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class LanguageModel(SequenceModel):
    """p(x) = prod_t p(x_t | x_1 ... x_{t-1}) of sequences of tokens.

    It has the decoder of a `SequenceVAE` without z, and serves as its baseline.

    Args:
        decoder: Token decoder built with `latent_dim=None`.
        max_length: Int, T, the maximum number of tokens in a sequence, including the end token.
        vocabulary: `datasets.Vocabulary` or `datasets.Tokenizer`, with which the model takes and
            returns texts; or `None`.
        word_dropout: Float in [0, 1], the fraction of the decoder's input tokens that are replaced
            by the unknown token in training.
        seed: Integer, or `None`. Determines all noise and the order of the batches.

    Terms, in nats per sequence: `nll` = -log p(x), exact, including the end token but not padding.
    The logs contain `loss`, `nll` and `nll_per_token`, which is averaged within each sequence
    first.

    Raises:
        TypeError: If `decoder` is not a token decoder.
        ValueError: If a number is out of range. Also raised by `fit` if a row is not a valid
            sequence.

    Example:

    ```python
    decoder = RecurrentTokenDecoder(vocabulary.num_tokens, latent_dim=None)
    model = LanguageModel(decoder, max_length=16, vocabulary=vocabulary)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(sentences, epochs=5)
    model.sample(5, temperature=0.8)
    ```

    Reference:
        - [Mikolov et al., 2010](https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html),
          "Recurrent neural network based language model"
    """

    log_likelihood_is: LikelihoodKind | None = "exact"
    sample_draws = "elements"

    def __init__(
        self,
        decoder: keras.Model,
        max_length: int,
        vocabulary: TextCoder | None = None,
        word_dropout: float = 0.0,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(seed=seed, name=name, dtype=dtype)
        check_token_decoder(decoder, has_latent=False)
        self.decoder = decoder
        self.take_sequence_arguments(max_length, vocabulary, word_dropout)

    def objective(self) -> dict[str, Term]:
        return {"nll": Term(evaluate=1.0), "nll_per_token": Term(train=0.0)}

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        nll = -self.sequences(None, ops.shape(x)[0], training).log_prob(x)
        return {"nll": nll, "nll_per_token": nll / ops.maximum(token_counts(x), 1.0)}

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns log p(x_t | x_1 ... x_{t-1}) of each token, (B, T), as `predict` does."""
        return self.sequences(None, ops.shape(inputs)[0], training).log_prob_of_tokens(inputs)

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
        batch_size: int = 128,
    ) -> np.ndarray:
        """Returns log p(x), exactly.

        Args:
            x: Texts, or tokens (N, T).
            condition, num_samples, seed: Must be `None`: the model takes no condition, and nothing
                is sampled.
            batch_size: Int, the number of sequences per batch.

        Returns:
            NumPy array (N,), nats.

        Raises:
            ValueError: If `x` does not fit this model, or `num_samples` is given.
        """
        check_exact(self, num_samples)

        def log_p(x):
            return self.sequences(None, ops.shape(x)[0]).log_prob(x)

        arrays = self.check_inputs(x, condition)
        return run_batches(self.jitted_once("log_p", log_p), *arrays, batch_size=batch_size)
