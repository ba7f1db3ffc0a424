"""The marginal log-likelihood of a trained model."""

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
    """Estimates log p(x) by importance sampling; see `LatentVariableModel.log_likelihood`.

    Args:
        model: Model with a latent variable.
        x: Array (N, *S) of data in the support of the model's likelihood.
        num_samples: Positive integer, the exact number of draws K. Defaults to 1,000.
        condition: Array (N, ...), the conditions of a conditional model, for which log p(x|c) is
            estimated.
        proposal: `"posterior"` or `"prior"`, the distribution to draw from.
        seed: Integer, for a reproducible estimate, or `None`.
        verbose: 1 to show a progress bar.

    Returns:
        NumPy float64 array (N,), in nats.

    Raises:
        ValueError: If `x` or `condition` is not valid data for the model, if `num_samples` is not
            a positive integer, or if `proposal` or `seed` is not one of the values above.
    """
    options = {"proposal": proposal, "verbose": verbose}
    return model.log_likelihood(x, condition, num_samples, seed, **options)
