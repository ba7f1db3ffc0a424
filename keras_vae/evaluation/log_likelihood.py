"""The marginal log-likelihood of a trained model."""

import inspect

import keras
import numpy as np

from keras_vae.typing import Array


def log_likelihood(
    model: keras.Model,
    x: Array,
    num_samples: int | None = None,
    *,
    condition: Array | None = None,
    proposal: str = "posterior",
    seed: int | None = None,
    verbose: int | str = 0,
) -> np.ndarray:
    """Returns log p(x), estimated by importance sampling unless the model computes it exactly.

    See the model's own `log_likelihood`, such as `LatentVariableModel.log_likelihood`.

    Args:
        model: Model with a likelihood.
        x: Array (N, *S) of data in the support of the model's likelihood.
        num_samples: Positive integer, the exact number of draws K, by default 1,000; `None` for a
            model that draws nothing.
        condition: Array (N, ...), the conditions of a conditional model, for which log p(x|c) is
            estimated.
        proposal: `"posterior"` or `"prior"`, the distribution to draw from.
        seed: Integer, for a reproducible estimate, or `None`.
        verbose: 1 to show a progress bar, if the model has one.

    Returns:
        NumPy array (N,), in nats.

    Raises:
        ValueError: If `x` or `condition` is not valid data for the model, if `num_samples` is not
            a positive integer, or if `proposal` or `seed` is not one of the values above.
    """
    parameters = inspect.signature(model.log_likelihood).parameters
    if "proposal" not in parameters and proposal != "posterior":
        raise ValueError(
            "`proposal` is for models that estimate log p(x) from draws of z, and "
            f"{type(model).__name__} does not. Received: {proposal!r}. Leave it out."
        )
    options = {"proposal": proposal, "verbose": verbose}
    taken = {name: value for name, value in options.items() if name in parameters}
    return model.log_likelihood(x, condition, num_samples, seed, **taken)
