"""Autoregressive models of integers: priors over codes, and models of pixels."""

import functools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.batching import run_batches
from keras_vae.checks import check_count
from keras_vae.conditions import Condition
from keras_vae.distributions import Categorical
from keras_vae.indexing import at
from keras_vae.indexing import with_at
from keras_vae.likelihoods.categorical import CategoricalLikelihood
from keras_vae.models.base.conditional_model import ConditionalModel
from keras_vae.models.base.generative_model import LikelihoodKind
from keras_vae.models.base.generative_model import check_exact
from keras_vae.models.base.term import Term
from keras_vae.operations import plain
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor
from keras_vae.typing import Weight


class AutoregressiveModel(ConditionalModel):
    """Base class of p(x|c) = prod_i p(x_i | x_1 ... x_{i-1}, c) for integers in raster order.

    A family defines `logits`, which computes all positions at once, and `start` and `step`, which
    compute the same one position at a time for sampling. They cache earlier results, so the cost
    of a step does not grow with the positions before it.

    Args:
        shape: Tuple of ints, the shape of one x: (h, w) for codes, (H, W, 1) for pictures.
        num_embeddings: Integer, K. x contains integers from 0 to K - 1.
        condition: `Condition`, or `None`.
        seed: Integer in [0, 2**31), or `None`. Determines all noise and the order of the batches.

    Terms: `nll` = -log p(x|c), in nats per example, exact. The logs contain `loss`, `nll` and
    `nll_per_code`, in nats per element of x.

    Raises:
        ValueError: If a size is not a positive integer. Also raised by `fit` if `x` does not
            contain integers from 0 to K - 1.
    """

    log_likelihood_is: LikelihoodKind | None = "exact"
    sample_draws = "elements"
    fixed_likelihood = CategoricalLikelihood

    def __init__(
        self,
        shape: Shape,
        num_embeddings: int,
        condition: Condition | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs,
    ):
        super().__init__(condition, seed=seed, name=name, dtype=dtype, **kwargs)
        self.shape = _check_shape(shape)
        self.num_embeddings = check_count("num_embeddings", num_embeddings, least=2)

    # What a family defines.

    def logits(self, x: Tensor, condition: Tensor = None, training: bool = False) -> Tensor:
        """Returns the logits of every p(x_i | x_<i, c), (B, *shape, K), for x (B, *shape).

        Args:
            x: Integers.
            condition: (B, ...) as `embedded` returns it, or `None`.
            training: Bool.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `logits`.")

    def start(self, condition: Tensor, batch_size: int) -> Any:
        """Returns the cache of `step` before the first position, a nested structure of tensors.

        Args:
            condition: (B, ...) as `embedded` returns it, or `None`.
            batch_size: Integer, B.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `start`.")

    def step(self, cache: Any, codes: Tensor, position: Tensor) -> tuple[Tensor, Any]:
        """Returns the logits of p(x_i | x_<i, c), (B, K), and the cache for the next position.

        Args:
            cache: The cache returned by `start` or by the previous step. It must not be reused.
            codes: int32 (B, N), flattened x: codes before `position` are known, the others 0.
            position: Scalar integer i, which may be a tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `step`.")

    def stepper(self) -> Callable:
        """Returns `step` as a function for a loop over positions, with the weights already read.

        A family that overrides this avoids the overhead of Keras' layer calls at each position.
        """
        return self.step

    # What follows from these.

    @property
    def num_codes(self) -> int:
        """N, the number of integers in one x."""
        return math.prod(self.shape)

    def distribution(self, x: Tensor, c: Tensor = None, training: bool = False) -> Categorical:
        """Returns p(x_i | x_<i, c) for all positions, a `Categorical` over (B, *shape), for c as
        `embedded` returns it."""
        return Categorical(self.logits(ops.cast(x, "int32"), c, training))

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns log p(x_i = k | x_<i, c) for every k, (B, *shape, K), as `predict` does."""
        x, condition = self.split_inputs(inputs)
        return self.distribution(x, self.embedded(condition), training).log_probs

    def objective(self) -> dict[str, Term]:
        return {"nll": Term(evaluate=1.0), "nll_per_code": Term(train=0.0)}

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        nll = -self.distribution(x, c, training).log_prob(x)
        return {"nll": nll, "nll_per_code": nll / self.num_codes}

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
        batch_size: int = 128,
    ) -> np.ndarray:
        """Returns log p(x|c), exactly.

        Args:
            x: Integers (N, *shape).
            condition: In a conditional model: one condition for all examples, or an array (N, ...)
                of one for each.
            num_samples, seed: Must be `None`: nothing is sampled.
            batch_size: Integer, the number of examples per batch.

        Returns:
            NumPy array (N,), in nats.

        Raises:
            ValueError: If x or the condition does not fit this model, or `num_samples` is given.
        """
        check_exact(self, num_samples)

        def log_p(x, *condition):
            return self.distribution(x, self.embedded(*condition)).log_prob(x)

        arrays = self.check_inputs(x, condition)
        return run_batches(self.jitted_once("log_p", log_p), *arrays, batch_size=batch_size)

    def sample(
        self,
        num_samples: int,
        condition: Array = None,
        seed: int | None = None,
        temperature: Weight = 1.0,
        top_k: int | None = None,
    ) -> np.ndarray:
        """Returns new x, drawn code by code, each at the cost of one position.

        Args:
            num_samples: Integer. Samples are drawn in batches, so memory use does not grow.
            condition: In a conditional model: one condition for all samples, or an array
                (num_samples, ...) of one for each.
            seed: Integer, or `None` for fresh noise.
            temperature: Positive number by which the logits are divided; 1 samples from the model,
                and a lower value favours more probable codes.
            top_k: Integer, or `None`. Samples from the k most probable values only.

        Returns:
            NumPy array (num_samples, *shape), int32.

        Raises:
            ValueError: If `temperature` or `top_k` is out of range, or `condition` does not fit.
        """
        num_samples = self.check_num_samples(num_samples)
        top_k = check_top_k(top_k, self.num_embeddings)
        temperature = np.float32(check_temperature(temperature))
        conditions = self.conditions_for(condition, num_samples)
        # Few samples need no full batch; powers of two keep the number of compilations small.
        size = min(self.sample_batch_size, 1 << (num_samples - 1).bit_length())
        draw = self.jitted_once(
            ("sample", size, top_k), lambda *inputs: self._draw(size, top_k, *inputs)
        )
        draw = functools.partial(draw, temperature)
        return self.drawn(draw, num_samples, conditions, seed, size)

    # Construction.

    def known_shape(self) -> tuple | None:
        return (None, *self.shape)

    def symbolic_pair(self) -> tuple[keras.KerasTensor, ...]:
        x, *condition = super().symbolic_pair()
        return (keras.KerasTensor(x.shape, "int32"), *condition)

    def build_parts(self) -> None:
        x, *condition = self.symbolic_pair()
        self.distribution(x, self.embedded(*condition))

    def check_values(self, x: np.ndarray, name: str = "x") -> None:
        CategoricalLikelihood(self.num_embeddings).check(x, name)

    def _draw(self, size, top_k, temperature, condition=None):
        """Returns x (size, *shape), each code drawn through its inverse distribution function."""
        stream = self.noise.stream(training=False)
        # For a full batch, so that a seed gives the same first x whatever their number.
        noise = keras.random.uniform((self.sample_batch_size, self.num_codes), seed=stream)[:size]
        step = self.stepper()

        def body(i, state):
            codes, cache = state
            logits, cache = step(cache, codes, i)
            code = inverse_cdf(most_probable(logits / temperature, top_k), at(noise, i, 1))
            return with_at(codes, i, 1, code), cache

        start = (
            ops.zeros((size, self.num_codes), "int32"),
            self.start(self.embedded(condition), size),
        )
        codes, _ = ops.fori_loop(0, self.num_codes, body, start)
        return ops.reshape(codes, (size, *self.data_shape))


def inverse_cdf(logits: Tensor, uniform: Tensor) -> Tensor:
    """Returns the int32 k (B,) at which the cumulative distribution of softmax(logits) (B, K)
    exceeds uniform numbers (B,) in [0, 1)."""
    cumulative = plain(ops.cumsum)(plain(ops.softmax)(logits, -1), -1)
    # Below the total, which may round away from 1, no class without mass is chosen.
    threshold = plain(ops.minimum)(uniform, 1 - 1e-6)[:, None] * cumulative[:, -1:]
    return ops.sum(ops.cast(cumulative <= threshold, "int32"), axis=-1)


def most_probable(logits: Tensor, top_k: int) -> Tensor:
    """Returns logits (B, K) with all but the `top_k` largest at minus infinity; ties are kept."""
    if top_k is None:
        return logits
    least = ops.top_k(logits, top_k)[0][:, -1:]
    return ops.where(logits < least, -np.inf, logits)


def _check_shape(shape):
    if not isinstance(shape, list | tuple) or not shape:
        raise ValueError(
            f"`shape` must be the shape of one x, such as (7, 7). Received: {shape!r}."
        )
    return tuple(check_count(f"shape[{i}]", n) for i, n in enumerate(shape))


def check_top_k(top_k: int | None, num_embeddings: int) -> int | None:
    """Returns `top_k`; raises `ValueError` if there are fewer values than that."""
    if top_k is None or check_count("top_k", top_k) <= num_embeddings:
        return top_k
    raise ValueError(
        f"`top_k` must be at most {num_embeddings}, the number of values that a code can take. "
        f"Received: {top_k!r}."
    )


def check_temperature(temperature: float) -> float:
    """Returns a temperature; raises `ValueError` if it is not a positive number."""
    is_number = isinstance(temperature, int | float | np.number)
    if not is_number or not 0 < temperature < np.inf:
        raise ValueError(f"`temperature` must be a positive number. Received: {temperature!r}.")
    return temperature
