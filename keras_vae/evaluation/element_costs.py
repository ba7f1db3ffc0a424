"""The cost of each element of x: the time steps of a series, the pixels of a picture."""

import keras
import numpy as np
from keras import ops

from keras_vae.batching import map_batches
from keras_vae.checks import check_num_draws
from keras_vae.evaluation.latent_usage import posterior_of
from keras_vae.typing import Array
from keras_vae.typing import Tensor


def element_costs(
    model: keras.Model,
    x: Array,
    num_samples: int = 16,
    *,
    seed: int | None = 0,
    condition: Array | None = None,
    batch_size: int = 32,
) -> np.ndarray:
    """Returns -E_q(z|x)[log p(x_i|z)] of each element of x, which shows where x is unusual.

    The sum over the elements is the `reconstruction` of the bound. For a series (T, C),
    `costs.sum(axis=-1)` gives the nats of each time step.

    Args:
        model: Model whose `encode(x)` returns a distribution, and whose likelihood is of
            independent elements.
        x: Array (N, *S).
        num_samples: Integer, the draws of z over which costs are averaged.
        seed: Integer for the same draws at every call, or `None` for fresh ones.
        condition: Array (N, ...), the conditions, if the model is conditional.
        batch_size: Integer, the number of examples computed at once.

    Returns:
        NumPy array (N, *S), in nats.

    Raises:
        ValueError: If `num_samples` is not a positive integer, the model has no posterior, or x is
            not valid data for it.

    Example:

    ```python
    nats = element_costs(model, series).sum(axis=-1)  # (N, T)
    suspicious = nats.argmax(axis=-1)
    ```

    Reference:
        - [An and Cho, 2015](http://dm.snu.ac.kr/static/docs/TR/SNUDM-TR-2015-03.pdf),
          "Variational autoencoder based anomaly detection using reconstruction probability"
    """
    num_samples = check_num_draws("num_samples", num_samples)

    def costs(x: Tensor, *condition: Tensor) -> Tensor:
        posterior, c = posterior_of(model, x, *condition), model.embedded(*condition)
        z = posterior.sample(model.noise.stream(training=False), num_samples)  # (K, B, ...)
        return -ops.mean(model.log_p_of_elements(x, z, c), axis=0)

    with model.noise.seeded(seed):
        return map_batches(model, costs, *model.check_inputs(x, condition), batch_size=batch_size)
