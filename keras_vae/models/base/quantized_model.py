"""The base of models with quantized latents, on one or several levels."""

import functools
from typing import Any

import keras
import numpy as np

from keras_vae.batching import run_batches
from keras_vae.likelihoods import Likelihood
from keras_vae.metrics import CodebookPerplexity
from keras_vae.metrics import CodebookUsage
from keras_vae.models.base import any_size
from keras_vae.models.base import code_priors
from keras_vae.models.base import data
from keras_vae.models.base.generative_model import EncodingKind
from keras_vae.models.base.generative_model import LikelihoodKind
from keras_vae.models.base.generative_model import check_exact
from keras_vae.models.base.second_stage import SecondStage
from keras_vae.models.base.term import Term
from keras_vae.quantizers import Quantized
from keras_vae.quantizers import Quantizer
from keras_vae.schedules import check_weight
from keras_vae.typing import Array
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


class QuantizedModel(SecondStage):
    """A model p(x|z) p(z) whose z are codes, computed by an encoder and its quantizers.

    The posterior has all its mass on the codes of x, so the ELBO is computed exactly:

        log p(x) >= log p(x|z_q(x)) + log p(codes(x))

    The prior p(codes) is uniform, K^-N for N codes, until `fit_prior` has trained another.

    A family sets `quantizers` and `priors`, lists that begin with the level next to the data. It
    defines `objective` and `terms`, `encode_levels` and `state_of`, and, with `for_user` and
    `from_user`, whether users see lists of levels.

    Args:
        encoder, decoder, likelihood, condition: See `EncoderDecoderModel`.
        commitment_weight: Number or schedule, beta, the weight of the cost that keeps z_e near its
            codes.
        codebook_weight: Number or schedule, the weight of the cost that moves the codes.
    """

    log_likelihood_is: LikelihoodKind | None = "bound"
    encode_gives: EncodingKind | None = "codes"
    can_tile = False

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        commitment_weight: Weight = 0.25,
        codebook_weight: Weight = 1.0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.commitment_weight = check_weight("commitment_weight", commitment_weight)
        self.codebook_weight = check_weight("codebook_weight", codebook_weight)

    # What a family defines.

    def encode_levels(
        self, x: Tensor, c: Tensor = None, training: bool = False
    ) -> tuple[list[Quantized], Tensor]:
        """Returns a list of each level's `Quantized` for x (B, S), and the decoder's input."""
        raise NotImplementedError(f"{type(self).__name__} must define `encode_levels`.")

    def state_of(self, codes: Tensor, training: bool = False) -> Tensor:
        """Returns the decoder's input for a list of each level's z_q (B, ..., D)."""
        raise NotImplementedError(f"{type(self).__name__} must define `state_of`.")

    # Parts of a family's objective and terms, for all levels.

    def code_objective(self) -> dict[str, Term]:
        """Returns the `Term`s of the codes: their costs, the bound, and codebook usage."""
        levels = zip(self._names("usage"), self._names("perplexity"), self.quantizers, strict=True)
        of_codes = {}
        for usage, perplexity, quantizer in levels:
            sizes = {k: getattr(quantizer, k) for k in ("num_embeddings", "num_codebooks")}
            for name, metric in {usage: CodebookUsage, perplexity: CodebookPerplexity}.items():
                counted = functools.partial(metric, **sizes)
                of_codes[name] = Term(train=0.0, metric=counted, direction="max")
        return {
            **dict.fromkeys(self._names("kl"), Term(train=0.0, evaluate=1.0)),
            **{name: Term(train=0.0) for name in ["kl"] if name not in self._names("kl")},
            "elbo": Term(train=0.0, direction="max"),
            **of_codes,
        }

    def code_terms(self, reconstruction: Tensor, indices: Tensor, c: Tensor = None) -> dict:
        """Returns the terms of `code_objective`.

        Args:
            reconstruction: (B,) nats.
            indices: List of the codes of each level, integers (B, *positions).
            c: As `embedded` returns it.
        """
        costs = code_priors.code_costs(self.priors, indices, self.told(c), self._sizes())
        kl = sum(costs)
        return {
            **self._named("kl", costs),
            "kl": kl,
            "elbo": -(reconstruction + kl),
            **self._named("usage", indices),
            **self._named("perplexity", indices),
        }

    # Codes.

    def infer(self, x: Tensor, c: Tensor = None, training: bool = False) -> Any:
        """Returns the `Quantized` of x (B, S), or a list of one for each level."""
        return self.for_user(self.encode_levels(x, c, training)[0])

    def latent_mean(self, x: Tensor, c: Tensor = None, training: bool = False) -> Tensor:
        return self.encode_levels(x, c, training)[1]

    def encode_indices(self, x: Array, condition: Array = None, batch_size: int = 128) -> Any:
        """Returns the codes of x.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            batch_size: Integer, the number of examples per batch.

        Returns:
            int32 NumPy array (N, *positions), or a list of one for each level.

        Raises:
            ValueError: If x or the condition does not fit this model.
        """
        return self.for_user(self.indices_of(x, condition, batch_size))

    def decode_indices(
        self,
        indices: Array,
        condition: Array = None,
        seed: int | None = None,
        from_likelihood: bool = False,
    ) -> np.ndarray:
        """Decodes codes.

        Args:
            indices: Integers (N, *positions), or a list of one for each level, as `encode_indices`
                returns them.
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            seed: Integer for draws from the likelihood, or `None` for fresh noise.
            from_likelihood: Whether to draw x from p(x|z). By default the mean of p(x|z) is
                returned, or for nominal data the most probable value.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: If the indices are of another shape, or out of range.
        """
        levels = self.from_user(indices)
        given = zip(levels, self.code_shapes, self._sizes(), strict=False)
        indices = [code_priors.check_indices(*level) for level in given]
        if len(levels) != len(self.quantizers) or len({len(level) for level in indices}) > 1:
            raise ValueError(
                f"`indices` must hold codes of the same examples for each of the "
                f"{len(self.quantizers)} levels. Received: {len(levels)} levels, of shapes "
                f"{', '.join(str(level.shape) for level in indices)}."
            )
        conditions = self.conditions_for(condition, len(indices[0]))
        from_likelihood = bool(from_likelihood)
        draw = self.jitted_once(
            ("decode", from_likelihood), lambda *arrays: self._draw(from_likelihood, *arrays)
        )
        return self.drawn(draw, len(indices[0]), (*indices, *conditions), seed)

    def indices_of(
        self, x: Array, condition: Array = None, batch_size: int = 128
    ) -> list[np.ndarray]:
        """Returns a list of each level's indices for all of x, as NumPy arrays."""
        arrays = self.check_inputs(x, condition)

        def indices(x, *condition):
            quantized, _ = self.encode_levels(x, self.embedded(*condition))
            return [q.indices for q in quantized]

        run = self.jitted_once("indices", indices)
        return list(run_batches(run, *arrays, batch_size=batch_size))

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
        batch_size: int = 128,
    ) -> np.ndarray:
        """Returns log p(x|z_q(x)) + log p(codes(x)), a lower bound on log p(x).

        It is computed, not estimated, and sampling would not make it tighter: the posterior is
        deterministic. It uses the prior trained by `fit_prior`; until then codes are taken to be
        uniform.

        Args:
            x: Array (N, S).
            condition: Condition of the prior or of the model: one for all examples, or an array (N,
                ...).
            num_samples, seed: Must be `None`: nothing is sampled.
            batch_size: Integer, the number of examples per batch.

        Returns:
            NumPy array (N,), in nats.

        Raises:
            ValueError: If x or the condition does not fit this model, or `num_samples` is given.
        """
        check_exact(self, num_samples)
        x, condition = data.gathered(self, x, condition)
        (x, *conditions) = self.check_inputs(x, condition)
        if self.condition is None and self._prior_is_told():
            conditions = self.priors[-1].conditions_for(condition, len(x))

        def bound(x, *condition):
            return self.terms(x, self.given(*condition))["elbo"]

        run = self.jitted_once("bound", bound)
        return run_batches(run, x, *conditions, batch_size=batch_size)

    # Quantizers take part in this model's steps, even if another model has been given them since.

    def terms_of(self, x: Tensor, y: Tensor = None, training: bool = False) -> dict:
        self._have_quantizers_serve()
        return super().terms_of(x, y, training)

    def _have_quantizers_serve(self):
        for quantizer in self.quantizers:
            quantizer.serve(self)

    # Construction.

    def build_parts(self) -> None:
        self._have_quantizers_serve()
        super().build_parts()
        x, *condition = self.probes()
        quantized, _ = self.encode_levels(x, self.embedded(*condition))
        self.code_shapes = [tuple(q.indices.shape[1:]) for q in quantized]
        if self.is_of_any_size:
            self.stride = max(map(self._checked_stride, self.code_shapes))
            self.code_shapes = [any_size.with_unknown_size(s) for s in self.code_shapes]
        self.check_own_priors()

    def _draw(self, from_likelihood, *arrays):
        """Returns one batch of x from p(x|z) for codes."""
        indices, condition = arrays[: len(self.quantizers)], arrays[len(self.quantizers) :]
        codes = [q.embed(i) for q, i in zip(self.quantizers, indices, strict=True)]
        c = self.embedded(*condition)
        return self.shown(self.generate(self.state_of(codes), c), from_likelihood)

    def _sizes(self):
        return [quantizer.num_embeddings for quantizer in self.quantizers]

    def _names(self, kind):
        """Returns the name of a term for each level."""
        if len(self.quantizers) == 1:
            return [kind]
        return [f"{kind}_{level}" for level in range(1, len(self.quantizers) + 1)]

    def _named(self, kind, values):
        return dict(zip(self._names(kind), values, strict=True))


def check_quantizer(quantizer: Quantizer) -> Quantizer:
    """Returns `quantizer`; raises `TypeError` if it is not a `Quantizer`."""
    if not isinstance(quantizer, Quantizer):
        raise TypeError(
            "A quantizer must be a quantizer layer such as keras_vae.VectorQuantizer(512). "
            f"Received: {quantizer!r}."
        )
    return quantizer
