"""The conditional variational autoencoder."""

import keras

from keras_vae.conditions import Condition
from keras_vae.likelihoods import Likelihood
from keras_vae.models.vae import VAE
from keras_vae.priors import Prior
from keras_vae.typing import Weight


@keras.saving.register_keras_serializable(package="keras_vae")
class CVAE(VAE):
    """Conditional variational autoencoder: maximises the evidence lower bound

        log p(x|c) >= E_q(z|x,c)[log p(x|z,c)] - KL(q(z|x,c) || p(z|c))      (equation 4)

    of x given a condition c: a label, a vector of features, or a part of the picture. Encoder and
    decoder receive c as a second input. So does the prior if it is conditional
    (`ConditionalGaussian`).

    Args:
        encoder: `keras.Model` from `[x, c]` to `(z_mean, z_log_var)`, such as
            `MLPEncoder(..., condition_shape=(10,))`.
        decoder: `keras.Model` from `[z, c]` to the parameters of the likelihood.
        condition: `Condition`, such as `LabelCondition(num_classes)` or `ArrayCondition(shape)`.
        likelihood, prior, kl_weight, free_bits, capacity, seed: See `VAE`.

    Terms and logs: Those of `VAE`.

    Raises:
        ValueError: If the parts do not fit each other. Also raised by `fit` if data or conditions
            are invalid.

    Example:

    ```python
    shape, latent_dim, labels = (28, 28, 1), 50, LabelCondition(10)
    model = CVAE(
        MLPEncoder(shape, latent_dim, condition_shape=labels.shape),
        MLPDecoder(shape, latent_dim, condition_shape=labels.shape),
        condition=labels,
        prior=ConditionalGaussian(),
    )
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(x_train, y_train, epochs=10, validation_data=(x_test, y_test))
    sevens = model.sample(16, condition=7, seed=0)
    nats = model.log_likelihood(x_test, condition=y_test)
    ```

    Reference:
        - [Sohn et al., 2015](https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        condition: Condition,
        likelihood: Likelihood | None = None,
        prior: Prior | None = None,
        kl_weight: Weight = 1.0,
        free_bits: Weight = 0.0,
        capacity: Weight | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        if condition is None:
            raise ValueError(
                "CVAE needs a `condition` such as keras_vae.LabelCondition(10). Without one, it "
                "is a VAE."
            )
        super().__init__(
            encoder,
            decoder,
            likelihood,
            prior,
            kl_weight,
            free_bits,
            capacity,
            condition=condition,
            seed=seed,
            **kwargs,
        )
