"""The base of models with a latent variable, a posterior and a prior."""

import inspect
import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.distributions import kl_divergence
from keras_vae.likelihoods import Likelihood
from keras_vae.models.base import any_size
from keras_vae.models.base import importance_sampling
from keras_vae.models.base import imputation
from keras_vae.models.base import scoring
from keras_vae.models.base.encoder_decoder import EncoderDecoderModel
from keras_vae.models.base.generative_model import EncodingKind
from keras_vae.models.base.generative_model import LikelihoodKind
from keras_vae.priors import Prior
from keras_vae.priors import StandardNormal
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


class LatentVariableModel(EncoderDecoderModel):
    """A model p(x|z) p(z) with an approximate posterior q(z|x), here N(z_mean, exp(z_log_var)).

    With a condition it is p(x|z, c) p(z|c) with q(z|x, c). A family defines `objective` and
    `terms`.

    Args:
        encoder: `keras.Model` from x (B, S) to `(z_mean, z_log_var)`, each (B, D). Further
            outputs are not used.
        decoder: `keras.Model` from z (B, D) to the parameters of the likelihood.
        likelihood: `Likelihood`.
        prior: `Prior`, by default `StandardNormal()`.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`.
        seed: Integer in [0, 2**31), or `None`. Determines all noise and the order of the batches.

    Example:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class SquaredErrorVAE(keras_vae.LatentVariableModel):
        def objective(self):
            return {"error": keras_vae.Term(evaluate=1.0), "kl": keras_vae.Term(evaluate=1.0)}

        def terms(self, x, c=None, training=False):
            posterior, prior = self.infer(x, c, training), self.prior_given(c)
            z = posterior.sample(self.noise.stream(training))
            error = keras.ops.square(x - self.generate(z, c, training).mean)
            return {
                "error": keras.ops.sum(error, axis=tuple(range(1, len(error.shape)))),  # (B,)
                "kl": keras_vae.distributions.kl_divergence(posterior, prior, sample=z),
            }
    ```
    """

    log_likelihood_is: LikelihoodKind | None = "estimate"
    encode_gives: EncodingKind | None = "posterior"
    sample_draws = "latents"
    compares_latents = False  # whether terms compare the latents of different examples

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        **kwargs,
    ):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.prior = _check_prior(StandardNormal() if prior is None else prior)

    def inferred(self, outputs: list[Tensor], training: bool = False) -> Any:
        """Returns the posterior q(z|x, c), a distribution over (B, D)."""
        if len(outputs) < 2:
            arguments = inspect.signature(type(self.encoder).__init__).parameters
            cure = " Build it with `num_outputs=2`." if "num_outputs" in arguments else ""
            raise ValueError(
                f"The encoder of {type(self).__name__} must return (z_mean, z_log_var), each "
                f"(B, D) or (B, h, w, D). It returned one tensor of shape "
                f"{tuple(outputs[0].shape)}.{cure}"
            )
        return DiagonalGaussian(*outputs[:2])

    def latent_of(self, inferred: Any) -> Tensor:
        return inferred.mean

    def prior_given(self, c: Tensor = None) -> Distribution:
        """Returns the prior p(z), or p(z|c), a distribution over z."""
        return self.called(self.prior) if c is None else self.prior(c)

    def sample(
        self,
        num_samples: int,
        condition: Array = None,
        seed: int | None = None,
        from_likelihood: bool = False,
        size: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """Returns new examples: z from the prior, decoded.

        Args:
            num_samples: Integer, N.
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            seed: Integer, or `None` for fresh noise.
            from_likelihood: Whether to draw x from p(x|z). By default the mean of p(x|z) is
                returned, as in the figures of papers, or for nominal data the most probable value.
            size: (height, width) of the pictures, only for a model of pictures of any size.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: If `num_samples` is not a positive integer, the condition does not fit, or
                `size` is missing or not expected.
        """
        size = any_size.check_size(self, size)
        num_samples = self.check_num_samples(num_samples, size)
        conditions = self.conditions_for(condition, num_samples)
        from_likelihood = bool(from_likelihood)
        if size is None:
            key: tuple = ("sample", from_likelihood)
            draw = self.jitted_once(key, lambda *c: self._draw(from_likelihood, *c))
            return self.drawn(draw, num_samples, conditions, seed)
        latent_size = tuple(-(-n // self.stride) for n in size)
        draw = self.jitted_once(
            ("sample", from_likelihood, latent_size),
            lambda *c: self._draw_of_size(from_likelihood, latent_size, *c),
        )
        return self.drawn(draw, num_samples, conditions, seed)[:, : size[0], : size[1]]

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
        proposal: str = "posterior",
        verbose: int = 0,
    ) -> np.ndarray:
        """Estimates log p(x) with `num_samples` draws from q(z|x):

            log p(x) ~ log 1/K sum_k p(x, z_k) / q(z_k|x),   z_k ~ q(z|x)

        In expectation this is a lower bound, which rises with K towards log p(x); K = 1 gives the
        ELBO.
        Examples and samples are processed in chunks of one compiled shape, so memory does not grow
        with either.

        Args:
            x: Array (N, S).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            num_samples: Integer, K; 1,000 by default.
            seed: Integer that makes the estimate reproducible, or `None`.
            proposal: "posterior", as above, or "prior": z_k ~ p(z) or p(z|c) with the weights
                p(x|z_k) (Sohn et al. 2015, equation 6), which needs many more draws.
            verbose: 1 shows a progress bar.

        Returns:
            NumPy float64 array (N,), in nats. Its mean over test data is the test log-likelihood.

        Raises:
            ValueError: If `x` does not fit this model, `num_samples` is not a positive integer, or
                `proposal` is neither of the two.

        Reference: [Burda et al., 2016](https://arxiv.org/abs/1509.00519), equation 8.
        """
        if self.condition is None and isinstance(condition, int) and num_samples is None:
            raise ValueError(
                f"{type(self).__name__} has no `condition`, the second argument. Received: "
                f"{condition}. To set the number of draws, write `num_samples={condition}`."
            )
        return importance_sampling.log_likelihood(
            self, x, condition, num_samples, seed, proposal, verbose
        )

    def score(
        self,
        x: Array,
        condition: Array = None,
        method: str | None = None,
        num_samples: int | None = None,
        seed: int | None = 0,
    ) -> np.ndarray:
        return scoring.score(self, x, condition, method, num_samples, seed)

    def score_per_feature(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = 0,
    ) -> np.ndarray:
        """Returns how well each value of x fits the rest of its row, in nats; for pictures, a map.

        This is the mean of log p(x_i|z) over draws z ~ q(z|x), with the same noise for every row.
        The sum over a row, minus the KL of the row, is its bound.

        Args:
            x, condition, num_samples, seed: See `score`.

        Returns:
            NumPy array (N, S), in nats, 0 where x is not observed.

        Raises:
            ValueError: If x or the condition does not fit this model.
        """
        return scoring.score_per_feature(self, x, condition, num_samples, seed)

    def impute(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int = 1000,
        num_draws: int = 0,
        seed: int | None = 0,
        proposal: str = "posterior",
    ) -> imputation.Imputation:
        """Fills the gaps of x (NaN) with values that are likely given the observed ones.

        Draws z ~ q(z|x) are weighted by p(x_observed, z) / q(z|x), so they represent
        p(z|x_observed). With many draws the result no longer depends on the quality of q.

        Args:
            x: Array (N, S), NaN where a value is missing.
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            num_samples: Integer, K, the weighted draws of z.
            num_draws: Integer, the number of complete imputations to draw in addition, for multiple
                imputation.
            seed: Integer that determines the result, or `None` for fresh noise.
            proposal: "posterior", as above; or "prior", for an encoder that was not trained on data
                with gaps: z ~ p(z), weighted by p(x_observed|z), which needs more draws.

        Returns:
            `Imputation(values, spread, draws)`. `values` (N, S) are x with each gap filled by the
            mean of p(x|x_observed), rounded for counts and levels; for ordered classes by the
            median, and for unordered ones by the mode. They are valid data of this model. `spread`
            (N, S) is the standard deviation of a gap, or, for unordered classes, the probability
            that the value is another one. It is 0 where x is observed.
            `draws` (num_draws, N, S) are x with the gaps filled by draws, independent even if two
            come from the same z.

        Raises:
            ValueError: If the likelihood does not take gaps, the model has no single density q(z|x)
                to draw from, x or the condition does not fit it, a number is not a positive
                integer, or a row with gaps has values that are impossible under the model.

        Reference:
            - [Mattei and Frellsen, 2019](https://arxiv.org/abs/1812.02633), section 2.4
        """
        return imputation.impute(self, x, condition, num_samples, num_draws, seed, proposal)

    def bound_of_noise(self, x: Tensor, noise: Tensor, c: Tensor = None) -> Tensor:
        """Returns log p(x|z) - KL(q(z|x) || p(z)), (K, B) nats, for z from noise (K, D)."""
        posterior = self.infer(x, c)
        z = posterior.sample_from(noise)
        kl = kl_divergence(posterior, self.prior_given(c), sample=z)
        return self.log_p_x(x, z, c) - kl

    def log_p_of_elements(self, x: Tensor, z: Tensor, c: Tensor = None) -> Tensor:
        """Returns log p(x_i|z) of every element of x (B, S), (K, B, S) nats, for z (K, B, ...)."""
        num_samples = z.shape[0]
        rows = ops.reshape(z, (-1, *z.shape[2:]))
        c = None if c is None else repeated(c, num_samples)
        values = self.generate(rows, c, like=x).log_prob_of_elements(repeated(x, num_samples))
        return ops.reshape(values, (num_samples, -1, *values.shape[1:]))

    def log_weights_of_noise(self, x: Tensor, noise: Tensor, c: Tensor = None) -> Tensor:
        """Returns `log_importance_weights` for z ~ q(z|x) computed from noise (K, D)."""
        posterior = self.infer(x, c)
        z = posterior.sample_from(noise)
        return self.log_p_x(x, z, c) + self.prior_given(c).log_prob(z) - posterior.log_prob(z)

    def log_importance_weights(self, x: Tensor, num_samples: int, c: Tensor = None) -> Tensor:
        """Returns log w = log p(x|z) + log p(z) - log q(z|x), (K, B) nats, for z ~ q(z|x).

        Their log-mean-exp over K bounds log p(x) from below (Burda et al. 2016, equation 8).
        """
        posterior = self.infer(x, c)
        z = posterior.sample(self.noise.stream(training=False), num_samples)  # (K, B, D)
        return self.log_p_x(x, z, c) + self.prior_given(c).log_prob(z) - posterior.log_prob(z)

    def log_prior_weights(self, x: Tensor, num_samples: int, c: Tensor = None) -> Tensor:
        """Returns log p(x|z), (K, B) nats, for z ~ p(z), or p(z|c).

        Their log-mean-exp over K also estimates log p(x|c), without q but with more draws (Sohn et
        al. 2015, equation 6).
        """
        return self.log_p_x(x, self.draws_of_prior(self.prior_given(c), num_samples, x), c)

    def draws_of_prior(self, prior: Distribution, num_samples: int, x: Tensor) -> Tensor:
        """Returns K draws of a prior for each of the examples x, (K, B, D)."""
        if self.is_of_any_size:
            prior = self.prior.over(self.latent_shape_of(x))
        z = prior.sample(self.noise.stream(training=False), num_samples)
        # Where the prior has no batch axis, one draw (K, D) serves all examples.
        return z if prior.batch_ndims else ops.repeat(z[:, None], ops.shape(x)[0], axis=1)

    def latent_shape_of(self, x: Tensor) -> Shape:
        """Returns the shape of one z for x (B, S). In a model of pictures of any size its height
        and width follow from those of x."""
        latent_shape = self.latent_shape or ()
        if not self.is_of_any_size:
            return latent_shape
        return (*(-(-n // self.stride) for n in x.shape[1:3]), *latent_shape[2:])

    def log_p_x(self, x: Tensor, z: Tensor, c: Tensor = None, training: bool = False) -> Tensor:
        """Returns log p(x|z), (K, B) nats, for x (B, S) and z (K, B, ...)."""
        num_samples = z.shape[0]
        if not training and keras.config.backend() == "torch":
            num_parts = -(-num_samples // importance_sampling.draws_in_cache(x))
            if num_parts > 1:
                parts = z.chunk(num_parts)
                return ops.concatenate([self.log_p_x(x, part, c) for part in parts])
        rows = ops.reshape(z, (-1, *ops.shape(z)[2:]))  # (KB, ...)
        c = None if c is None else repeated(c, num_samples)
        return self.generate(rows, c, training, like=x).log_prob_over_draws(x, num_samples)

    def flat(self, z: Tensor) -> Tensor:
        """Returns latents (B, ...), or parameters of them, as one vector for each example."""
        return ops.reshape(z, (-1, math.prod(z.shape[1:])))

    def build_latent(self, latent_shape: Shape) -> None:
        if self.is_of_any_size and self.compares_latents:
            raise ValueError(
                f"{type(self).__name__} compares the latents of examples, so their pictures must "
                "all have the same size. Expected: an encoder with a fixed `input_shape`. "
                f"Received: latents of shape {latent_shape}."
            )
        if self.is_of_any_size and not hasattr(self.prior, "over"):
            raise ValueError(
                f"A model of pictures of any size needs a prior of latents of any size. Expected: "
                f"StandardNormal. Received: {type(self.prior).__name__}. Give the encoder a fixed "
                "`input_shape`, or leave `prior` out."
            )
        self.prior.attach(self.infer, self.data_shape)
        if not self.prior.built:  # a prior loaded from a file is
            condition_shape = None if self.condition is None else self.condition.shape
            self.prior.build(latent_shape, condition_shape)

    def _draw(self, from_likelihood, condition=None):
        """Returns one batch of x from p(x|z), with z from the prior."""
        c = self.embedded(condition)
        z = self.draw_latents(self.prior_given(c), self.sample_batch_size)
        return self.shown(self.generate(z, c), from_likelihood)

    def _draw_of_size(self, from_likelihood, latent_size, condition=None):
        """Returns one batch of x whose latent maps have the (height, width) `latent_size`."""
        prior = self.prior.over((*latent_size, *self.latent_shape[2:]))
        z = self.draw_latents(prior, self.sample_batch_size)
        return self.shown(self.generate(z, self.embedded(condition)), from_likelihood)

    def draw_latents(self, prior: Distribution, num_samples: int) -> Tensor:
        """Returns z from a prior: one draw for each entry of its batch axis, or `num_samples` draws
        if it has none."""
        count = None if prior.batch_ndims else num_samples
        return prior.sample(self.noise.stream(training=False), count)


def repeated(x: Tensor, num_samples: int) -> Tensor:
    """Returns x (B, ...) repeated K times, (KB, ...)."""
    return ops.tile(x, (num_samples, *[1] * (len(x.shape) - 1)))


def _check_prior(prior):
    if not isinstance(prior, Prior):
        raise TypeError(
            "`prior` must be a prior layer such as keras_vae.StandardNormal(). "
            f"Received: {prior!r}."
        )
    return prior
