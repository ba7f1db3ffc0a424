"""The base of models of token sequences: conversion of texts, and generation."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.batching import run_batches
from keras_vae.checks import check_count
from keras_vae.datasets.vocabulary import TextCoder
from keras_vae.datasets.vocabulary import holds_texts
from keras_vae.distributions import TokenSequences
from keras_vae.likelihoods.token_sequence import TokenLikelihood
from keras_vae.models.base import writing
from keras_vae.models.base.autoregressive_model import check_temperature
from keras_vae.models.base.autoregressive_model import check_top_k
from keras_vae.models.base.conditional_model import ConditionalModel
from keras_vae.models.base.conditional_model import as_input
from keras_vae.models.base.data.checks import check_examples
from keras_vae.noise import check_seed
from keras_vae.tokens import PADDING
from keras_vae.tokens import UNKNOWN
from keras_vae.typing import Array
from keras_vae.typing import Tensor


class SequenceModel(ConditionalModel):
    """Base class of models of sequences: p(x|z) or p(x) over tokens, one after the other.

    A subclass has the attributes `decoder`, `max_length`, `vocabulary` and `word_dropout`, set by
    `take_sequence_arguments`.
    """

    fixed_likelihood: type | None = TokenLikelihood

    def take_sequence_arguments(
        self, max_length: int, vocabulary: TextCoder | None, word_dropout: float
    ) -> None:
        """Checks and stores arguments of the constructor."""
        self.max_length = check_count("max_length", max_length)
        self.vocabulary = _check_vocabulary(vocabulary, self.decoder.num_tokens)
        self.word_dropout = _check_rate(word_dropout)

    # Texts.

    def as_arrays(self, x: Any) -> Any:
        """Returns texts as tokens (N, T), with T the longest length; other input as it is."""
        if not holds_texts(x):
            return x
        if self.vocabulary is None:
            raise ValueError(
                f"This {type(self).__name__} has no vocabulary to read texts with: it takes tokens "
                "(N, T). Construct it with `vocabulary=keras_vae.datasets.Vocabulary.of(texts)`."
            )
        return self.vocabulary.encode(x)

    def as_texts(self, tokens: np.ndarray) -> Any:
        """Returns a list of texts, or, without a vocabulary, the tokens (N, T) themselves."""
        return tokens if self.vocabulary is None else self.vocabulary.decode(tokens)

    # p(x|z).

    def sequences(self, z: Tensor, batch_size: Any, training: bool = False) -> TokenSequences:
        """Returns p(x|z), or without a latent p(x), for a batch.

        In training each input token of the decoder is replaced by `UNKNOWN` with the probability
        `word_dropout`; the tokens to predict are not.
        """

        def logits(previous):
            if training and self.word_dropout:
                noise = keras.random.uniform(
                    ops.shape(previous), seed=self.noise.stream(training), dtype="float32"
                )
                is_dropped = ops.logical_and(noise < self.word_dropout, previous != PADDING)
                previous = ops.where(is_dropped, UNKNOWN, previous)
            inputs = previous if z is None else [as_input(z), previous]
            return self.decoder(inputs, training=training)

        return TokenSequences(logits, batch_size)

    # Generation.

    def sample(
        self,
        num_samples: int,
        condition: Array = None,
        seed: int | None = None,
        from_likelihood: bool = True,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> Any:
        """Returns new sequences, each token at the cost of one position.

        Args:
            num_samples: Integer, N.
            condition: Must be `None`: the model takes none.
            seed: Integer, or `None` for fresh noise.
            from_likelihood: Whether each token is drawn. If not, it is the most probable one, so
                sequences differ only by their z.
            temperature: Positive number by which the logits are divided; below 1, probable tokens
                become more probable.
            top_k: Integer, or `None`. Draws from the k most probable tokens only.
            top_p: Number in (0, 1], or `None`. Draws only from the smallest set of tokens whose
                total probability is at least this.

        Returns:
            List of N texts, or, without a vocabulary, a NumPy int32 array (N, max_length).

        Raises:
            ValueError: If `temperature`, `top_k` or `top_p` is out of range.

        Reference: [Holtzman et al., 2020](https://arxiv.org/abs/1904.09751), for `top_p`.
        """
        num_samples = self.check_num_samples(num_samples)
        self.conditions_for(condition, num_samples)
        size = min(self.sample_batch_size, 1 << (num_samples - 1).bit_length())
        choose = self._chooser(from_likelihood, temperature, top_k, top_p)

        def draw(*numbers):
            z = self.new_latents(self.sample_batch_size)
            return choose(None if z is None else z[:size], size, *numbers)

        run = self.jitted_once(("sample", size, *choose.key), draw)
        tokens = self.drawn(lambda: run(*choose.numbers), num_samples, (), seed, size)
        return self.as_texts(tokens)

    def new_latents(self, batch_size: int) -> Tensor:
        """Returns z (B, D) from the prior, or `None` in a model without a latent."""
        return None

    def _chooser(self, from_likelihood, temperature, top_k, top_p):
        num_tokens = self.decoder.num_tokens - 1  # padding is never generated
        temperature = np.float32(check_temperature(temperature))
        top_k, top_p = check_top_k(top_k, num_tokens), _check_top_p(top_p)
        return _Chooser(self, bool(from_likelihood), temperature, top_k, top_p)

    # Plumbing.

    def known_shape(self) -> tuple | None:
        return (None, self.max_length)

    @property
    def likelihood_shape(self) -> tuple | None:
        return (None,)  # any length, so there is no fixed number of dimensions

    def check_values(self, x: np.ndarray, name: str = "x") -> None:
        TokenLikelihood(self.decoder.num_tokens).check(x, name)

    def check_examples(self, x: np.ndarray, name: str = "x") -> None:
        if x.ndim == 2 and not x.shape[1]:
            raise ValueError(
                f"`{name}` has sequences of length 0. Received: shape {x.shape}. An empty sequence "
                "still has its end."
            )
        check_examples(x, (None,), name, self.check_values)  # type: ignore[arg-type]
        if x.shape[1] > self.max_length:
            raise ValueError(
                f"`{name}` has sequences of {x.shape[1]} tokens, including the end. Expected: at "
                f"most `max_length={self.max_length}`. Received: shape {x.shape}. Cut or leave out "
                "longer sequences, or construct the model with a larger `max_length`."
            )


class _Chooser:
    """Generates sequences for z. Holds the options that a compiled function of it depends on."""

    def __init__(self, model, from_likelihood, temperature, top_k, top_p):
        self.model, self.from_likelihood, self.top_k = model, from_likelihood, top_k
        self.key = (from_likelihood, top_k, top_p is None)
        self.numbers = (temperature,) if top_p is None else (temperature, np.float32(top_p))

    def __call__(self, z, batch_size, temperature, top_p=None):
        model, choose = self.model, writing.greedy
        if self.from_likelihood:
            stream = model.noise.stream(training=False)
            # For a full batch, so that a seed gives the same first sequences whatever their number.
            shape = (model.sample_batch_size, model.max_length)
            noise = keras.random.uniform(shape, seed=stream, dtype="float32")[:batch_size]
            choose = writing.drawing(noise, temperature, self.top_k, top_p)
        return writing.written(model.decoder, z, batch_size, model.max_length, choose)


def check_token_decoder(decoder: Any, has_latent: bool) -> None:
    """Raises an error if `decoder` is not a token decoder with (or without) a latent."""
    needed = ("num_tokens", "start", "step", "latent_dim")
    if not isinstance(decoder, keras.Layer) or not all(hasattr(decoder, n) for n in needed):
        raise TypeError(
            "`decoder` must be a network of tokens with `start` and `step`, such as "
            f"keras_vae.RecurrentTokenDecoder(num_tokens, latent_dim). Received: {decoder!r}."
        )
    if has_latent != (decoder.latent_dim is not None):
        raise ValueError(
            f"`decoder` must have been made with {'a size' if has_latent else 'None'} for "
            f"`latent_dim`. Received: latent_dim={decoder.latent_dim}."
        )


def written_for(
    model: SequenceModel, z: np.ndarray, seed: int | None, choose: _Chooser
) -> np.ndarray:
    """Returns tokens (N, T) for an array z (N, D)."""
    run = model.jitted_once(
        ("write", *choose.key), lambda z, *numbers: choose(z, ops.shape(z)[0], *numbers)
    )
    with model.noise.seeded(check_seed(seed)):
        return run_batches(
            lambda batch: run(batch, *choose.numbers),
            z.astype("float32"),
            batch_size=model.sample_batch_size,
        )


def _check_vocabulary(vocabulary, num_tokens):
    if vocabulary is None:
        return None
    if not isinstance(vocabulary, TextCoder):
        raise TypeError(
            "`vocabulary` must be a keras_vae.datasets.Vocabulary or Tokenizer. Received: "
            f"{vocabulary!r}."
        )
    if vocabulary.num_tokens != num_tokens:
        raise ValueError(
            f"`vocabulary` has {vocabulary.num_tokens} tokens, but the decoder {num_tokens}. Build "
            "the networks with `vocabulary.num_tokens`."
        )
    return vocabulary


def _check_rate(rate):
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise ValueError(f"`word_dropout` must lie in [0, 1]. Received: {rate!r}.")
    return float(rate)


def _check_top_p(top_p):
    is_number = isinstance(top_p, int | float | np.number) and not isinstance(top_p, bool)
    if top_p is not None and not (is_number and 0 < top_p <= 1):
        raise ValueError(f"`top_p` must lie in (0, 1]. Received: {top_p!r}.")
    return top_p
