"""The VAE of sequences of tokens."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import to_numpy
from keras_vae.checks import check_count
from keras_vae.datasets.vocabulary import TextCoder
from keras_vae.distributions import TokenSequences
from keras_vae.likelihoods.token_sequence import TokenLikelihood
from keras_vae.models.base import writing
from keras_vae.models.base.data.checks import check_examples
from keras_vae.models.base.sequence_model import SequenceModel
from keras_vae.models.base.sequence_model import check_token_decoder
from keras_vae.models.base.sequence_model import written_for
from keras_vae.models.vae import VAE
from keras_vae.typing import Array
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class SequenceVAE(SequenceModel, VAE):
    """VAE of sentences, molecules and other sequences of tokens:

        log p(x) >= E_q(z|x)[sum_t log p(x_t | x_1 ... x_{t-1}, z)] - KL(q(z|x) || p(z))

    The decoder receives the previous tokens, which in training are those of the data ("teacher
    forcing"). It can therefore ignore z, and the plain bound encourages it to: the KL falls to 0,
    and the model becomes a language model with an uninformative encoder. `CollapseMonitor` reports
    this. Remedies are `kl_weight=CyclicAnnealing(...)` or `LinearAnnealing(...)`, `free_bits`,
    `word_dropout`, and the callback `LaggingInference`. Compare the result with a `LanguageModel`
    that has the same decoder.

    Every sequence ends with an end token, which counts as a token; padding never does.

    Args:
        encoder: `keras.Model` from tokens (B, T) to `(z_mean, z_log_var)`, such as
            `RecurrentTokenEncoder`.
        decoder: Network from z and the previous tokens to logits, with `start` and `step`, such as
            `RecurrentTokenDecoder`.
        max_length: Int, T, the maximum number of tokens in a sequence, including the end token.
        vocabulary: `datasets.Vocabulary` or `datasets.Tokenizer`, with which the model takes and
            returns texts; it is saved with the model. With `None` it takes and returns tokens.
        word_dropout: Float in [0, 1], the fraction of the decoder's input tokens that are replaced
            by the unknown token in training.
        **kwargs: `prior`, `kl_weight`, `free_bits`, `capacity` and `seed`, as for `VAE`.

    Terms, in nats per sequence: those of `VAE`.

    Raises:
        TypeError: If `decoder` is not a token decoder.
        ValueError: If the networks do not fit each other. Also raised by `fit` if a row is not a
            valid sequence.

    Example:

    ```python
    vocabulary = keras_vae.datasets.Vocabulary.of(sentences, min_count=3)
    networks = (
        RecurrentTokenEncoder(vocabulary.num_tokens, latent_dim=32),
        RecurrentTokenDecoder(vocabulary.num_tokens, latent_dim=32),
    )
    annealing = LinearAnnealing(10_000)
    model = SequenceVAE(*networks, 16, vocabulary, kl_weight=annealing, free_bits=0.1)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(sentences, epochs=10, callbacks=[CollapseMonitor(held_out)])
    model.sample(5)
    model.interpolate("the food was great .", "the staff was rude .", 5)
    ```

    Reference:
        - [Bowman et al., 2016](https://arxiv.org/abs/1511.06349), "Generating sentences from a
          continuous space"
        - [Fu et al., 2019](https://arxiv.org/abs/1903.10145), for cyclic annealing
    """

    sample_draws = "latents"

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        max_length: int,
        vocabulary: TextCoder | None = None,
        word_dropout: float = 0.0,
        **kwargs,
    ):
        if kwargs.get("condition") is not None:
            raise ValueError(
                f"SequenceVAE takes no `condition`. Received: {kwargs['condition']!r}. Give the "
                "condition as tokens at the beginning of x."
            )
        check_token_decoder(decoder, has_latent=True)
        super().__init__(encoder, decoder, TokenLikelihood(decoder.num_tokens), **kwargs)
        self.take_sequence_arguments(max_length, vocabulary, word_dropout)

    # The bound.

    def encoder_outputs(self, x: Tensor, c: Tensor = None, training: bool = False) -> list[Tensor]:
        # As integers: a network in half precision would round token ids.
        return super().encoder_outputs(ops.cast(x, "int32"), c, training)

    def generate(
        self, z: Tensor, c: Tensor = None, training: bool = False, like: Tensor | None = None
    ) -> TokenSequences:
        return self.sequences(z, ops.shape(z)[0], training)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns the sequences decoded greedily from the posterior means, int32 (B, max_length),
        as `predict` does."""
        z = self.latent_mean(inputs, None, training)
        return writing.written(self.decoder, z, ops.shape(z)[0], self.max_length, writing.greedy)

    # For users.

    def reconstruct(self, x: Array, condition: Array = None, batch_size: int = 128) -> Any:
        """Returns the sequences decoded greedily from the posterior means of x: texts, or, without
        a vocabulary, tokens (N, max_length).

        Args:
            x: Texts, or tokens (N, T).
            condition: Must be `None`: the model takes none.
            batch_size: Integer, the number of sequences per batch.

        Raises:
            ValueError: If x does not fit this model.
        """
        return self.as_texts(super().reconstruct(x, condition, batch_size))

    def write(
        self,
        z: Array,
        seed: int | None = None,
        from_likelihood: bool = False,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> Any:
        """Returns a sequence for each z: texts, or, without a vocabulary, tokens (N, max_length).

        Args:
            z: Array (N, D).
            seed, from_likelihood, temperature, top_k, top_p: See `sample`; by default each token is
                the most probable one.

        Raises:
            ValueError: If z has another shape or is not finite, or a number is out of range.
        """
        values = to_numpy(z, "z")
        check_examples(values, self.latent_shape, "z")
        choose = self._chooser(from_likelihood, temperature, top_k, top_p)
        return self.as_texts(written_for(self, values, seed, choose))

    def interpolate(self, a: Any, b: Any, steps: int = 5) -> Any:
        """Returns the sequences decoded from evenly spaced points on the line between the posterior
        means of two sequences, both ends included.

        Args:
            a, b: Texts, or tokens (T,).
            steps: Integer of at least 2, the number of points.

        Returns:
            Texts, or, without a vocabulary, tokens (steps, max_length).

        Raises:
            ValueError: If a or b does not fit this model, or `steps` is below 2.

        Reference: [Bowman et al., 2016](https://arxiv.org/abs/1511.06349), section 5.3.
        """
        weights = np.linspace(0, 1, check_count("steps", steps, least=2))[:, None]
        return self.write((1 - weights) * self._mean(a) + weights * self._mean(b))

    def neighbours(self, x: Any, corpus: Any, count: int = 5) -> list:
        """Returns the entries of a corpus whose posterior means are nearest to x's, nearest first.

        Args:
            x: Text, or tokens (T,).
            corpus: Texts, or tokens (N, T).
            count: Integer, how many to return; all if the corpus has fewer.

        Returns:
            List of entries of the corpus.

        Raises:
            ValueError: If x or the corpus does not fit this model.
        """
        count = check_count("count", count)
        distances = np.square(self._means(corpus) - self._mean(x)).sum(axis=-1)
        nearest = np.argsort(distances, kind="stable")[:count]
        return [list(corpus)[i] for i in nearest]

    def _means(self, x):
        """Returns the posterior means of x, NumPy (N, D)."""
        return self.latent_means(*self.check_inputs(x), batch_size=self.sample_batch_size)

    def _mean(self, x):
        """Returns the posterior mean of one x, NumPy (1, D)."""
        return self._means([x] if isinstance(x, str) else np.asarray(x)[None])

    def new_latents(self, batch_size: int) -> Tensor:
        return self.draw_latents(self.prior_given(), batch_size)

    # Construction.

    def build_parts(self) -> None:
        (x,) = self.symbolic_pair()
        self.latent_shape = tuple(self.latent_mean(x).shape[1:])
        if self.latent_shape != (self.decoder.latent_dim,):
            raise ValueError(
                f"The encoder returns z of shape {self.latent_shape}, but the decoder was built "
                f"with latent_dim={self.decoder.latent_dim}. Build both with the same."
            )
        self.build_latent(self.latent_shape)
        z = keras.KerasTensor((None, *self.latent_shape), "float32")
        logits = self.decoder([z, keras.KerasTensor((None, self.max_length), "int32")])
        if not self.likelihood.built:  # a likelihood loaded from a file is
            self.likelihood.build(logits.shape)
