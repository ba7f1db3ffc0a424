"""Prediction of y from x without a latent variable: classifiers and baselines."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.arrays import to_numpy
from keras_vae.batching import run_batches
from keras_vae.distributions import Categorical
from keras_vae.distributions import Distribution
from keras_vae.likelihoods import Likelihood
from keras_vae.likelihoods.categorical import CategoricalLikelihood
from keras_vae.models.base import data
from keras_vae.models.base.data.checks import check_examples
from keras_vae.models.base.generative_model import GenerativeModel
from keras_vae.models.base.generative_model import LikelihoodKind
from keras_vae.models.base.generative_model import check_exact
from keras_vae.models.base.networks_given import check_likelihood
from keras_vae.models.base.networks_given import known_input_shape
from keras_vae.models.base.term import Term
from keras_vae.typing import Array
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class Predictor(GenerativeModel):
    """A network trained on -log p(y|x): a classifier, or a deterministic prediction of pictures.

    With labels y it is a classifier. With pictures y it serves as the baseline of a `CVAE`: here
    the elements of y are independent given x, whereas in a `CVAE` they share a latent variable.

    Args:
        network: `keras.Model` from x (B, S) to the parameters of the likelihood, such as
            `MLPEncoder(shape, num_classes, num_outputs=1)`, which returns logits.
        likelihood: `Likelihood` of y (B, T), such as `CategoricalLikelihood(num_classes)` for
            labels (B,), or `BernoulliLikelihood()` for black and white pictures.
        seed: Integer, or `None`. It determines the order of the batches.

    Terms: `nll` = -log p(y|x), in nats per example. The logs contain `loss`, `nll` and, with a
    `CategoricalLikelihood`, `accuracy`, the fraction of y that equals the most probable class.

    Raises:
        ValueError: If the network does not fit the likelihood. Also raised by `fit` if data or
            targets are invalid or missing.

    Example:

    ```python
    model = Predictor(MLPEncoder((28, 28, 1), 10, num_outputs=1), CategoricalLikelihood(10))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, y_train, epochs=10, validation_data=(x_test, y_test))
    probabilities = model.predict(x_test)  # (N, 10)
    features = model.features(x_test)  # (N, 256)
    ```

    Reference:
        - [Sohn et al., 2015](https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html),
          section 5.1, the baseline
    """

    log_likelihood_is: LikelihoodKind | None = "exact"

    def __init__(
        self,
        network: keras.Model,
        likelihood: Likelihood,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(seed=seed, name=name, dtype=dtype)
        self.network = network
        self.likelihood = check_likelihood(likelihood)
        self.is_of_classes = isinstance(likelihood, CategoricalLikelihood)

    def objective(self) -> dict[str, Term]:
        objective = {"nll": Term(evaluate=1.0)}
        if self.is_of_classes:
            objective["accuracy"] = Term(train=0.0, direction="max")
        return objective

    def terms(self, x: Tensor, c: Tensor = None, training: bool = False) -> dict[str, Tensor]:
        y, predicted = c, self.predicted(x, training)
        terms = {"nll": -predicted.log_prob(y)}
        if self.is_of_classes:
            right = ops.cast(ops.equal(predicted.mode, ops.cast(y, "int32")), "float32")
            terms["accuracy"] = ops.mean(ops.reshape(right, (ops.shape(right)[0], -1)), axis=-1)
        return terms

    def given(self, y: Array = None, training: bool = False) -> Tensor:
        """Returns the targets y, as they are."""
        return y

    def predicted(self, x: Tensor, training: bool = False) -> Distribution:
        """Returns p(y|x), a distribution over (B, T), of x (B, S)."""
        return self.likelihood(self.output_of(self.network, ops.cast(x, "float32"), training))

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Returns the class probabilities (B, T, C) if the likelihood is categorical, otherwise the
        mean of p(y|x), (B, T), as `predict` does."""
        predicted = self.predicted(x, training)
        return predicted.probs if isinstance(predicted, Categorical) else predicted.mean

    def log_likelihood(
        self,
        x: Array,
        condition: Array = None,
        num_samples: int | None = None,
        seed: int | None = None,
        batch_size: int = 256,
    ) -> np.ndarray:
        """Returns log p(y|x), exactly.

        Args:
            x: Array (N, S).
            condition: Array (N, T), the targets y, passed in place of a condition.
            num_samples, seed: Must be `None`: nothing is sampled.
            batch_size: Integer, the number of examples per batch.

        Returns:
            NumPy array (N,), in nats.

        Raises:
            ValueError: If x or y does not fit this model, or `num_samples` is given.
        """
        check_exact(self, num_samples)
        x, condition = data.gathered(self, x, condition)
        self.check_and_build(x)
        y = self.check_condition(condition, x)
        run = self.jitted_once("log_p", lambda x, y: self.predicted(x).log_prob(y))
        return run_batches(run, x, y, batch_size=batch_size)

    def features(self, x: Array, batch_size: int = 256) -> np.ndarray:
        """Returns the input of the network's last layer: for a classifier that ends in a dense
        layer, the activations of its last hidden layer.

        Args:
            x: Array (N, S).
            batch_size: Integer, the number of examples per batch.

        Returns:
            NumPy array (N, F).

        Raises:
            ValueError: If `x` does not fit this model, or the network does not expose its layers.
        """
        x, _ = data.gathered(self, x)
        self.check_and_build(x)
        network = _without_last_layer(self.network)
        run = self.jitted_once("features", lambda batch: network(batch, training=False))
        return run_batches(run, x, batch_size=batch_size).reshape(len(x), -1)

    def sample(
        self,
        num_samples: int,
        condition: Array = None,
        seed: int | None = None,
        from_likelihood: bool = False,
    ) -> np.ndarray:
        """Raises `NotImplementedError`: a predictor has nothing to sample."""
        raise NotImplementedError(
            f"{type(self).__name__} predicts y from x and has no prior over z, so there is nothing "
            "to sample. Use CVAE."
        )

    @property
    def takes_pairs(self) -> bool:
        return True

    @property
    def takes_labels(self) -> bool:
        return self.is_of_classes and self.target_shape == ()

    def check_condition(self, y: Array, x: Array, name: str = "y") -> Any:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} learns to predict y, but `{name}` is missing. Train with "
                "`fit(x, y)`, or on a dataset of (x, y)."
            )
        y = to_numpy(y, name)
        check_examples(y, None, name)
        expected = (len(x), *self.target_shape)
        if y.shape != expected:
            of_labels = (
                " Labels are integers, one for each example: take np.argmax(y, axis=-1) of one-hot "
                "labels."
            )
            raise ValueError(
                f"`{name}` has the wrong shape. Expected: {expected}, one target for each of the "
                f"{len(x)} examples. Received: {y.shape}, dtype {y.dtype}."
                f"{'' if self.target_shape else of_labels}"
            )
        self.likelihood.check(y, name)
        return y

    # Construction.

    def known_shape(self) -> tuple | None:
        return known_input_shape(self.network)

    def symbolic_pair(self) -> tuple[keras.KerasTensor, ...]:
        dtype = "int32" if self.is_of_classes else "float32"
        return (*super().symbolic_pair(), keras.KerasTensor((None, *self.target_shape), dtype))

    @property
    def likelihood_shape(self) -> Shape:
        """Shape of one y."""
        return self.target_shape

    @property
    def input_shape(self) -> Any:
        """Shape of a batch of x, (None, *S)."""
        self._check_built("input_shape")
        return (None, *self.data_shape)

    @property
    def output_shape(self) -> Any:
        """Shape of the output of `predict` for a batch."""
        self._check_built("output_shape")
        return tuple(self.compute_output_spec(self.symbolic_pair()[0]).shape)

    def build_parts(self) -> None:
        parameters = self.network(keras.KerasTensor((None, *self.data_shape), "float32"))
        if not self.likelihood.built:  # a likelihood loaded from a file is
            self.likelihood.build(parameters.shape)
        self.target_shape = tuple(self.likelihood.data_shape(parameters.shape[1:]))


def _without_last_layer(network):
    """Returns the network up to the input of its last layer."""
    if not getattr(network, "inputs", None):
        raise ValueError(
            "`features` are the input of the network's last layer, but this "
            f"{type(network).__name__} does not expose its layers. Build it as a functional or "
            "Sequential `keras.Model`."
        )
    return keras.Model(network.inputs, network.layers[-1].input)
