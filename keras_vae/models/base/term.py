"""One row of a model's objective."""

import dataclasses
from collections.abc import Callable

import keras

from keras_vae.checks import check_choice
from keras_vae.schedules import Schedule
from keras_vae.schedules import check_weight

MAIN = "main"  # the group of all weights that are in no other group


@dataclasses.dataclass(frozen=True)
class Term:
    """How one of the quantities that a model's `terms` returns is used.

    `objective()` of a model names each quantity once, with a `Term`. In training, each group of
    weights minimises the sum of its terms, each weighted by `train`. In evaluation the loss is the
    sum of all terms, each weighted by `evaluate`: 1 for the terms of the bound itself, so that
    `val_loss` is the bound whatever was annealed in training, and 0 for costs added to it.

    Args:
        train: Number of at least 0, or schedule over the updates made so far: the weight in
            training. A term of weight 0 is logged but not trained on.
        evaluate: Number of at least 0: the weight in evaluation.
        group: String, the attribute of the model whose weights minimise this term. By default those
            that no other term names.
        metric: `keras.metrics.Metric` class, or a function of `name` that returns a metric, which
            is updated with the term. By default the mean over examples. `None` keeps the term out
            of the logs.
        direction: "min" or "max": whether lower or higher values of the metric are better. `fit`
            tells callbacks that monitor it, so that `EarlyStopping("val_elbo")` needs no `mode`.

    Raises:
        ValueError: If a weight is negative or not a number, or another argument is invalid.

    Example:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class SparseVAE(keras_vae.VAE):
        def __init__(self, encoder, decoder, sparsity=0.1, **kwargs):
            super().__init__(encoder, decoder, **kwargs)
            self.sparsity = sparsity

        def objective(self):
            return {**super().objective(), "sparsity": keras_vae.Term(train=self.sparsity)}

        def terms(self, x, c=None, training=False):
            posterior = self.infer(x, c, training)
            z = posterior.sample(self.noise.stream(training))
            size = keras.ops.sum(keras.ops.abs(posterior.mean), axis=-1)  # (B,)
            return {**self.bound(x, posterior, z, c, training), "sparsity": size}
    ```
    """

    train: float | Schedule = 1.0
    evaluate: float = 0.0
    group: str = MAIN
    metric: Callable[..., keras.metrics.Metric] | None = keras.metrics.Mean
    direction: str = "min"

    def __post_init__(self):
        check_weight("train", self.train)
        check_weight("evaluate", self.evaluate)
        if not isinstance(self.group, str):
            raise ValueError(f"`group` must be the name of an attribute. Received: {self.group!r}.")
        if self.metric is not None and (
            isinstance(self.metric, keras.metrics.Metric) or not callable(self.metric)
        ):
            raise ValueError(
                "`metric` must be a class of metrics, or a function of `name` that makes one, such "
                f"as keras.metrics.Mean. Received: {self.metric!r}."
            )
        check_choice("direction", self.direction, ("min", "max"))

    @property
    def teaches(self) -> bool:
        """Whether any weights are trained on the term."""
        return callable(self.train) or self.train != 0
