"""What models with quantized latents share, of one level or several."""

import functools

import keras

from keras_vae.batching import map_batches
from keras_vae.checks import check_count
from keras_vae.metrics.codebook_usage import CodebookPerplexity
from keras_vae.metrics.codebook_usage import CodebookUsage
from keras_vae.models import code_priors
from keras_vae.models.base.encoder_decoder import EncoderDecoderModel
from keras_vae.noise import check_seed
from keras_vae.noise import child_seed
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.schedules import check_weight
from keras_vae.schedules import serialized_weight


class QuantizedModel(EncoderDecoderModel):
    """A model p(x|z) p(z) whose z are codes, found by an encoder and its quantizers.

    The posterior has all its mass on the codes of x, so that the ELBO is no estimate:

        log p(x) >= log p(x|z_q(x)) + log p(codes(x))

    The prior p(codes) is uniform, K^-N for N codes, until `fit_prior` has trained another.

    A family defines `encode_levels` and `state_of`, and whether users see lists of levels.

    Args:
        encoder, decoder, likelihood, condition: as of `EncoderDecoderModel`.
        quantizers: list of `Quantizer`s, that of the level next to the data first.
        priors: list of as many `AutoregressiveModel`s, or empty for the uniform prior.
        commitment_weight: number or schedule, beta, of the cost that keeps z_e near its codes.
        codebook_weight: number or schedule, of the cost that moves the codes.
    """

    def __init__(
        self,
        encoder,
        decoder,
        quantizers,
        likelihood=None,
        priors=(),
        commitment_weight=0.25,
        codebook_weight=1.0,
        **kwargs,
    ):
        quantizers = [_check_quantizer(quantizer) for quantizer in quantizers]
        self.code_sizes = [(q.num_embeddings, q.num_codebooks) for q in quantizers]  # for metrics
        super().__init__(encoder, decoder, likelihood, **kwargs)
        self.commitment_weight = check_weight("commitment_weight", commitment_weight)
        self.codebook_weight = check_weight("codebook_weight", codebook_weight)
        self.quantizers = quantizers
        for quantizer in quantizers:
            quantizer.across_replicas = self.across_replicas
        self.priors = list(priors)  # last, as `fit_prior` adds its own at the end

    # What a family gives.

    def encode_levels(self, x, condition=None, training=False):
        """Returns the list of each level's `Quantized` of x (B, S), and what the decoder is
        given."""
        raise NotImplementedError(f"{type(self).__name__} must define `encode_levels`.")

    def state_of(self, codes, training=False):
        """Returns what the decoder is given of the list of each level's z_q (B, ..., D)."""
        raise NotImplementedError(f"{type(self).__name__} must define `state_of`.")

    def for_user(self, levels):
        """Returns a list with an entry for each level as users see it."""
        return levels

    def from_user(self, value):
        """Returns what users give as a list with an entry for each level."""
        return list(value)

    # Training.

    def terms(self, x, y=None, training=False):
        condition = None if self.condition is None else self.shown(y, training)
        quantized, state = self.encode_levels(x, condition, training)
        indices = [q.indices for q in quantized]
        return {
            "reconstruction": -self.decode(state, condition, training).log_prob(x),
            "commitment": sum(q.commitment for q in quantized),
            "codebook": sum(q.codebook for q in quantized),
            **self._named("kl", code_priors.code_costs(self.priors, indices, y, self._sizes())),
            **self._named("indices", indices),
        }

    def term_weights(self):
        return {
            "reconstruction": 1.0,
            "commitment": self.commitment_weight,
            "codebook": self.codebook_weight,
        }

    def evaluation_weights(self):
        return {"reconstruction": 1.0, **dict.fromkeys(self._names("kl"), 1.0)}

    def metric_names(self):
        kl = dict.fromkeys([*self._names("kl"), "kl"])
        usage = [*self._names("usage"), *self._names("perplexity")]
        return ("reconstruction", *kl, "elbo", "commitment", "codebook", *usage)

    def metric(self, name):
        of_codes = {"usage": CodebookUsage, "perplexity": CodebookPerplexity}
        for kind, metric in of_codes.items():
            if name in self._names(kind):
                return metric(*self.code_sizes[self._names(kind).index(name)], name=name)
        return super().metric(name)

    def reports(self, terms):
        kl = sum(terms[name] for name in self._names("kl"))
        indices = [terms[name] for name in self._names("indices")]
        return {
            "kl": kl,
            "elbo": -(terms["reconstruction"] + kl),
            **self._named("usage", indices),
            **self._named("perplexity", indices),
        }

    # Codes.

    def encode(self, x, condition=None, training=False):
        """Returns the `Quantized` of x (B, S), of several levels a list."""
        return self.for_user(self.encode_levels(x, condition, training)[0])

    def latent_mean(self, x, condition=None, training=False):
        return self.encode_levels(x, condition, training)[1]

    def encode_indices(self, x, condition=None, batch_size=128):
        """Returns the codes of x.

        Args:
            x: array (N, S).
            condition: in a conditional model, one condition for all or (N, ...), one for each.
            batch_size: int, examples computed at once.

        Returns:
            int32 NumPy array (N, *positions), of several levels a list of them.

        Raises:
            ValueError: x or the condition is not data of this model.
        """
        return self.for_user(self._indices(x, condition, batch_size))

    def decode_indices(self, indices, condition=None, seed=None, from_likelihood=False):
        """Returns what codes stand for.

        Args:
            indices: integers (N, *positions), of several levels a list, as `encode_indices` gives
                them.
            condition: in a conditional model, one condition for all or (N, ...), one for each.
            seed: int, of draws from the likelihood, or `None` for fresh noise.
            from_likelihood: whether to draw x from p(x|z). By default the mean of p(x|z) is
                returned.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: indices of another shape, or out of range.
        """
        given = zip(self.from_user(indices), self.code_shapes, self._sizes(), strict=True)
        indices = [code_priors.check_indices(*level) for level in given]
        conditions = self.conditions_for(condition, len(indices[0]))

        def draw(*batch):
            return self._decoder(*batch)[int(from_likelihood)]

        return self.drawn(draw, len(indices[0]), (*indices, *conditions), seed)

    # The prior.

    @property
    def sample_condition(self):
        """The `Condition` of what `sample` is told, the model's or its prior's, or `None`."""
        of_prior = self.priors[-1].condition if self.priors else None
        return of_prior if self.condition is None else self.condition

    def fit_prior(
        self, x, condition=None, prior=None, optimizer="adam", validation_data=None, **kwargs
    ):
        """Trains a prior of the codes of x, which the model then has, and saves with itself.

        Args:
            x: array (N, S).
            condition: what the (top) prior is told of each example, where it is conditional.
            prior: `AutoregressiveModel`, of several levels a list. By default the one that the
                model has already, or a new `PixelCNN` (of codes that are no grid, a
                `TransformerPrior`). Below the top they have a `CodeCondition` of the codes above.
            optimizer: of Keras, for a prior that is not compiled.
            validation_data: x, or (x, condition), held out.
            **kwargs: for the prior's `fit`.

        Returns:
            What the prior's `fit` returns, of several levels a list.

        Raises:
            ValueError: x is not data of this model, or the prior is not made for its codes. The
                model is then as it was.
        """
        priors = self.priors if prior is None else self.from_user(prior)
        priors = priors or code_priors.default_priors(self.code_shapes, self._sizes())
        priors = code_priors.check_priors(priors, self.code_shapes, self._sizes())
        pairs = self.prior_pairs(priors, x, condition)
        held_out = [None] * len(pairs)
        if validation_data is not None:
            is_pair = isinstance(validation_data, tuple)
            validation_data = validation_data if is_pair else (validation_data,)
            held_out = self.prior_pairs(priors, *validation_data)
        histories = [
            code_priors.train(*level, **kwargs)
            for level in zip(priors, pairs, [optimizer] * len(pairs), held_out, strict=True)
        ]
        self.take_priors(priors)
        return self.for_user(histories)

    def sample(
        self,
        num_samples,
        condition=None,
        seed=None,
        temperature=1.0,
        top_k=None,
        from_likelihood=False,
    ):
        """Returns new examples: codes from the prior, decoded.

        Args:
            num_samples: int, N.
            condition: of the prior or of the model: one condition for all or (N, ...).
            seed: int, or `None` for fresh noise.
            temperature: positive number that the prior's logits are divided by.
            top_k: int, or `None`: codes are drawn from the k most probable only.
            from_likelihood: whether to draw x from p(x|z). By default the mean of p(x|z) is
                returned.

        Returns:
            NumPy array (N, S).

        Raises:
            ValueError: there is no trained prior, or an argument is not as above.
        """
        if not self.priors:
            raise ValueError(
                f"This {type(self).__name__} has no prior of its codes to sample from. Train one: "
                "`model.fit_prior(x_train, epochs=10)`."
            )
        num_samples, seed = check_count("num_samples", num_samples), check_seed(seed)
        seeds = [child_seed(seed, f"level {i}") for i in range(len(self.priors))]
        of_prior = condition if self.condition is None or self._prior_is_told() else None
        of_model = None if self.condition is None else condition
        indices = code_priors.draw_codes(
            self.priors, num_samples, of_prior, seeds, temperature=temperature, top_k=top_k
        )
        return self.decode_indices(self.for_user(indices), of_model, seed, from_likelihood)

    def log_likelihood(self, x, condition=None, batch_size=128):
        """Returns log p(x|z_q(x)) + log p(codes(x)), a lower bound of log p(x).

        It is not an estimate, and no number of samples makes it tighter: the posterior is
        deterministic. With the prior that `fit_prior` trains it is the two-stage model's; without,
        codes count as uniform.

        Args:
            x: array (N, S).
            condition: of the prior or of the model: one condition for all or (N, ...).
            batch_size: int, examples computed at once.

        Returns:
            NumPy array (N,), nats.

        Raises:
            ValueError: x or the condition is not data of this model.
        """
        (x, *conditions) = self.check_inputs(x, None if self.condition is None else condition)
        if self.condition is None and self._prior_is_told():
            conditions = self.priors[-1].conditions_for(condition, len(x))

        def bound(*batch):
            terms = self.terms(*batch)
            return -sum(terms[name] for name in self.evaluation_weights())

        return map_batches(self, bound, x, *conditions, batch_size=batch_size)

    # Plumbing.

    def check_condition(self, y, x, name="y"):
        if self.condition is None and self._prior_is_told():
            return self.priors[-1].check_condition(y, x, name)
        return super().check_condition(y, x, name)

    def checked_inputs(self, x):
        if self.condition is None and self._prior_is_told():
            return self.checked_examples(x)
        return super().checked_inputs(x)

    def build(self, input_shape):
        """Builds every part from the shape of a batch of x, (None, *S)."""
        if self.built:  # loading a `.keras` file asks once more
            return
        super().build(input_shape)
        x = keras.KerasTensor((None, *self.data_shape), "float32")
        condition = None if self.condition is None else self.condition.symbolic()
        quantized, _ = self.encode_levels(x, condition)
        self.code_shapes = [tuple(q.indices.shape[1:]) for q in quantized]
        if self.priors:
            code_priors.check_priors(self.priors, self.code_shapes, self._sizes())
            _freeze(self.priors)

    def get_config(self):
        weights = ("commitment_weight", "codebook_weight")
        return {
            **super().get_config(),
            **{name: serialized_weight(getattr(self, name)) for name in weights},
        }

    @functools.cached_property
    def _decoder(self):
        return self.jitted(self._draw)

    def _draw(self, *arrays):
        """Returns the means of one batch of p(x|z) for codes, and a draw from each."""
        num_levels = len(self.quantizers)
        indices, condition = arrays[:num_levels], [*arrays[num_levels:], None][0]
        codes = [q.embed(i) for q, i in zip(self.quantizers, indices, strict=True)]
        likelihood = self.decode(self.state_of(codes), condition)
        return likelihood.mean, likelihood.sample(self.noise.stream(training=False))

    def _indices(self, x, condition=None, batch_size=128):
        """Returns the list of each level's indices of all of x, NumPy arrays."""
        arrays = self.check_inputs(x, condition)

        def indices(*batch):
            return [q.indices for q in self.encode_levels(*batch)[0]]

        return list(map_batches(self, indices, *arrays, batch_size=batch_size))

    def prior_pairs(self, priors, x, condition=None):
        """Returns what each prior learns from."""
        indices = self._indices(x, None if self.condition is None else condition)
        is_told = self.condition is None or priors[-1].condition is not None
        return code_priors.training_pairs(priors, indices, condition if is_told else None)

    def take_priors(self, priors):
        """Makes trained priors a part of the model."""
        _freeze(priors)
        self._tracker.unlock()  # as Keras' own layers do where they grow after they are built
        self.priors.clear()
        self.priors.extend(priors)
        self._tracker.lock()
        # What has been compiled had another prior.
        self.train_function = self.test_function = self.predict_function = None

    def _prior_is_told(self):
        return bool(self.priors) and self.priors[-1].condition is not None

    def _sizes(self):
        return [num_embeddings for num_embeddings, _ in self.code_sizes]

    def _names(self, kind):
        """Returns the name of a kind of term or metric for each level."""
        if len(self.code_sizes) == 1:
            return [kind]
        return [f"{kind}_{level}" for level in range(1, len(self.code_sizes) + 1)]

    def _named(self, kind, values):
        return dict(zip(self._names(kind), values, strict=True))


def _freeze(priors):
    """The codes' own model trains without them."""
    for prior in priors:
        prior.trainable = False


def _check_quantizer(quantizer):
    if not isinstance(quantizer, Quantizer):
        raise TypeError(
            "A quantizer must be a quantizer layer such as keras_vae.VectorQuantizer(512). "
            f"Received: {quantizer!r}."
        )
    return quantizer
