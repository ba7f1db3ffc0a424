"""VAEGAN: a VAE whose decoded pictures are trained to look realistic."""

import keras

from keras_vae.models.base.adversarial import AdversarialModel
from keras_vae.models.base.term import Term
from keras_vae.models.vae import VAE
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class VAEGAN(AdversarialModel, VAE):
    """`VAE` of pictures, trained also on how realistic its reconstructions y look:

        -ELBO + perceptual_weight * perceptual + adversarial_weight * adversarial

    The terms are those of `VQGAN`. The autoencoders of latent diffusion models are trained in this
    way, with a `kl_weight` of about 1e-6. Larsen et al. were the first to combine the two models;
    they compare pictures in the features of the discriminator, which also judges samples.

    In validation `loss` is the plain bound. Keras can average the weights over updates:
    `Adam(1e-4, use_ema=True)`. To continue training the decoder alone, set
    `model.encoder.trainable = False` before `compile`.

    Args:
        encoder, decoder: See `VAE`.
        discriminator, features, perceptual_weight, adversarial_weight, discriminator_start: See
            `VQGAN`.
        **kwargs: `likelihood`, `prior`, `kl_weight`, `condition`, `seed` and other arguments of
            `VAE`.

    Terms, for each example: those of `VAE`, and `perceptual`, `adversarial` and `discriminator` of
    `VQGAN`.

    Raises:
        TypeError: If a part is of the wrong type.
        ValueError: If a weight is negative, or the parts do not fit each other.

    Example:

    ```python
    shape = (None, None, 3)
    model = VAEGAN(
        ResNetMapEncoder(shape, 8, num_outputs=2),
        ResNetMapDecoder(shape, 8),
        PatchDiscriminator(shape),
        likelihood=LearnedSigmaGaussianLikelihood(initial_sigma=0.1),
        discriminator_start=5000,
    )
    model.compile(keras.optimizers.Adam(1e-4))
    model.fit(crops, epochs=50)
    ```

    Reference:
        - [Larsen et al., 2016](https://arxiv.org/abs/1512.09300)
        - [Rombach et al., 2022](https://arxiv.org/abs/2112.10752), section 3.1 and appendix G
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        features: keras.Model | None = None,
        perceptual_weight: float = 1.0,
        adversarial_weight: float = 0.1,
        discriminator_start: int = 0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        self.enter_game(
            discriminator, features, perceptual_weight, adversarial_weight, discriminator_start
        )

    def objective(self) -> dict[str, Term]:
        return {**super().objective(), **self.game_objective()}

    def terms(  # type: ignore[override]  # a denoiser is not trained to look like what it is given
        self, x: Tensor, c: Tensor = None, training: bool = False
    ) -> dict[str, Tensor]:
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training))
        likelihood = self.generate(z, c, training, like=x)
        return {
            **self.bound(x, posterior, z, c, training, likelihood),
            **self.game_terms(x, self.likelihood.point(likelihood), training),
        }
