"""What models with a latent variable, a posterior and a prior share."""

import functools

from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import DiagonalGaussian
from keras_vae.models.base.encoder_decoder import EncoderDecoderModel
from keras_vae.priors import Prior
from keras_vae.priors import StandardNormal


class LatentVariableModel(EncoderDecoderModel):
    """A model p(x|z) p(z) with an approximate posterior q(z|x), here N(z_mean, exp(z_log_var)).

    With a condition it is p(x|z, c) p(z|c) with q(z|x, c). A family defines its terms.

    Args:
        encoder: `keras.Model` from x (B, S) to `(z_mean, z_log_var)`, each (B, D). Further
            outputs are not used.
        decoder: `keras.Model` from z (B, D) to the parameters of the likelihood.
        likelihood: `Likelihood`.
        prior: `Prior`, by default `StandardNormal()`.
        condition: `Condition` of a conditional model, whose networks take `[x, c]` and `[z, c]`.
        seed: int in [0, 2**31), or `None`; gives all noise and the order of the batches.
    """

    def __init__(self, encoder, decoder, likelihood=None, prior=None, **kwargs):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.prior = _check_prior(StandardNormal() if prior is None else prior)

    def encode(self, x, condition=None, training=False):
        """Returns the posterior q(z|x), a distribution over (B, D), of x (B, S)."""
        outputs = self.encoder_outputs(x, condition, training)
        if len(outputs) < 2:
            raise ValueError(
                f"The encoder of {type(self).__name__} must return (z_mean, z_log_var), each "
                f"(B, D). It returned one tensor of shape {tuple(outputs[0].shape)}."
            )
        return DiagonalGaussian(*outputs[:2])

    def latent_mean(self, x, condition=None, training=False):
        return self.encode(x, condition, training).mean

    def metric_names(self):
        return ("reconstruction", "kl", "elbo")

    def reports(self, terms):
        return {"elbo": -(terms["reconstruction"] + terms["kl"])}

    def prior_given(self, condition=None):
        """Returns the prior p(z), or p(z|c), a distribution over z."""
        if self.condition is None:
            return self.prior()
        return self.prior(self.condition(condition))

    def sample(self, num_samples, condition=None, seed=None, from_likelihood=False):
        """Returns new examples: z from the prior, decoded.

        Args:
            num_samples: int, N.
            condition: in a conditional model, one condition for all or (N, ...), one for each.
            seed: int, or `None` for fresh noise.
            from_likelihood: whether to draw x from p(x|z). By default the mean of p(x|z) is
                returned, as papers picture it.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: `num_samples` is no positive integer, or the condition does not fit.
        """
        num_samples = check_count("num_samples", num_samples)
        conditions = self.conditions_for(condition, num_samples)

        def draw(*batch):
            return self._sampler(*batch)[int(from_likelihood)]

        return self.drawn(draw, num_samples, conditions, seed)

    def log_importance_weights(self, x, num_samples, y=None):
        """Returns log w = log p(x|z) + log p(z) - log q(z|x), (K, B) nats, for z ~ q(z|x).

        Their log-mean-exp over K bounds log p(x) from below (Burda et al. 2016, equation 8).
        """
        posterior = self.encode(x, y)
        z = posterior.sample(self.noise.stream(training=False), num_samples)  # (K, B, D)
        log_p_x = self.log_p_x(x, z, y)
        return log_p_x + self.prior_given(y).log_prob(z) - posterior.log_prob(z)

    def log_prior_weights(self, x, num_samples, y=None):
        """Returns log p(x|z), (K, B) nats, for z ~ p(z), or p(z|c).

        Their log-mean-exp over K estimates log p(x|c) too, with more draws, and without q (Sohn et
        al. 2015, equation 6).
        """
        prior = self.prior_given(y)
        z = prior.sample(self.noise.stream(training=False), num_samples)
        if not prior.batch_ndims:  # one draw (K, D) serves all examples
            z = ops.repeat(z[:, None], ops.shape(x)[0], axis=1)
        return self.log_p_x(x, z, y)

    def log_p_x(self, x, z, condition=None, training=False):
        """Returns log p(x|z), (K, B) nats, of x (B, S) for z (K, B, ...)."""
        num_samples = z.shape[0]
        rows = ops.reshape(z, (-1, *z.shape[2:]))  # (KB, ...)
        condition = None if condition is None else repeated(condition, num_samples)
        likelihood = self.decode(rows, condition, training)
        return ops.reshape(likelihood.log_prob(repeated(x, num_samples)), (num_samples, -1))

    def parts(self):
        return {**super().parts(), "prior": self.prior}

    def build_latent(self, latent_shape):
        self.prior.attach(self.encode, self.data_shape)
        if not self.prior.built:  # one read from a file has been
            condition_shape = None if self.condition is None else self.condition.shape
            self.prior.build(latent_shape, condition_shape)

    @functools.cached_property
    def _sampler(self):
        return self.jitted(self._draw)

    def _draw(self, condition=None):
        """Returns the means of one batch of p(x|z), z from the prior, and a draw from each."""
        stream = self.noise.stream(training=False)
        prior = self.prior_given(condition)
        z = prior.sample(stream, None if prior.batch_ndims else self.sample_batch_size)
        likelihood = self.decode(z, condition)
        return likelihood.mean, likelihood.sample(stream)


def repeated(x, num_samples):
    """Returns x (B, ...) K times, (KB, ...)."""
    return ops.tile(x, (num_samples, *[1] * (len(x.shape) - 1)))


def _check_prior(prior):
    if not isinstance(prior, Prior):
        raise TypeError(
            "`prior` must be a prior layer such as keras_vae.StandardNormal(). "
            f"Received: {prior!r}."
        )
    return prior
