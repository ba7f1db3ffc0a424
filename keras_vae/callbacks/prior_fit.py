"""Fits a mixture prior to the latents of a partly trained model."""

from typing import Any

import keras
from keras import ops

from keras_vae.checks import check_count
from keras_vae.evaluation.aggregate_posterior import draw_posteriors
from keras_vae.typing import Array


class PriorFit(keras.callbacks.Callback):
    """Fits the prior to the latents once, after `epoch` epochs; training then continues.

    A mixture trained from random means uses its components badly: several for one group of
    examples, and one for several groups. Here the networks are first trained with a prior whose
    components hardly differ. Then the components are fitted to the latents by
    expectation-maximisation, and everything is trained together, so that they become latent
    classes.

    Args:
        x: Array (N, *S) of examples, whose latents are drawn from q(z|x); some thousands are
            enough.
        epoch: Positive integer.
        num_starts: Positive integer, the number of fits with different initial means, of which the
            most likely one is kept.

    Raises:
        ValueError: In `fit`, if the prior has no `fit(z)`.

    Example:

    ```python
    model = VAE(encoder, decoder, prior=GaussianMixture(10, initial_std=0.1))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x, epochs=50, callbacks=[PriorFit(x[:10_000], epoch=10)])
    ```

    Reference:
        - [Jiang et al., 2017](https://arxiv.org/abs/1611.05148), section 3.2, "Variational deep
          embedding", who pretrain an autoencoder instead of the first epochs
    """

    def __init__(self, x: Array, epoch: int, num_starts: int = 3) -> None:
        super().__init__()
        self.x, self.epoch = x, check_count("epoch", epoch)
        self.num_starts = check_count("num_starts", num_starts)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks the model."""
        if not callable(getattr(getattr(self.model, "prior", None), "fit", None)):
            raise ValueError(
                "`PriorFit` needs a model with a prior that can be fitted to latents, such as "
                "keras_vae.GaussianMixture. Received: "
                f"{type(self.model).__name__} with {getattr(self.model, 'prior', None)!r}."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Fits the prior, if this is epoch number `epoch`."""
        if epoch + 1 != self.epoch:
            return
        model = self.model  # on JAX, reading it writes the trained values back to the variables
        draws, fits = draw_posteriors(model, self.x, num_samples=1, seed=0), []
        z = draws.z.reshape(-1, *draws.latent_shape)
        for seed in range(self.num_starts):
            log_likelihood = model.prior.fit(z, seed=seed)[-1]
            weights = [ops.convert_to_numpy(w).copy() for w in model.prior.weights]
            fits.append((log_likelihood, seed, weights))
        model.prior.set_weights(max(fits, key=lambda fit: fit[:2])[2])
