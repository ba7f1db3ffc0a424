"""VQGAN: a VQ-VAE whose decoded pictures are trained to look realistic."""

import keras

from keras_vae.models.base.adversarial import AdversarialModel
from keras_vae.models.base.term import Term
from keras_vae.models.vq_vae import VQVAE
from keras_vae.quantizers import Quantizer
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class VQGAN(AdversarialModel, VQVAE):
    """`VQVAE` of pictures, trained also on how realistic its reconstructions y look:

        VQVAE + perceptual_weight * perceptual + adversarial_weight * adversarial

    `perceptual` compares x and y in the features of a frozen network. `adversarial` is -D(y) of a
    patch discriminator D, which is trained at the same time, with a hinge loss, to distinguish x
    from y. After `discriminator_start` updates, D is trained and `adversarial` counts; `perceptual`
    always does. The paper weights `adversarial` by a ratio of gradients at the last layer; here the
    weight is a number.

    In validation `loss` is the bound of `VQVAE`. Keras can average the weights over updates:
    `Adam(1e-4, use_ema=True)`. To continue training the decoder alone, set
    `model.encoder.trainable = model.quantizer.trainable = False` before `compile`.

    Args:
        encoder, decoder, quantizer: See `VQVAE`.
        discriminator: `keras.Model` from pictures to logits: (B, h, w, 1), one for each patch,
            such as `PatchDiscriminator`, or (B, 1), one for each picture.
        features: `keras.Model` from pictures to one or several feature maps, or `None`. It is given
            pixels in the range of x, and is frozen.
        perceptual_weight, adversarial_weight: Numbers of at least 0.
        discriminator_start: Integer, the number of updates before adversarial training begins.
        **kwargs: `likelihood`, `prior`, `commitment_weight`, `codebook_weight`, `condition`, `seed`
            and other arguments of `VQVAE`.

    Terms, for each example: those of `VQVAE`; `perceptual`, `adversarial` and `discriminator`. The
    first two are means over the picture, times the number of elements of x.

    Raises:
        TypeError: If a part is of the wrong type.
        ValueError: If a weight is negative, or the parts do not fit each other.

    Example:

    ```python
    shape = (None, None, 3)
    model = VQGAN(
        ResNetMapEncoder(shape, 64),
        ResNetMapDecoder(shape, 64),
        VectorQuantizer(512),
        PatchDiscriminator(shape),
        likelihood=LearnedSigmaGaussianLikelihood(initial_sigma=0.1),
        discriminator_start=5000,
    )
    adam = keras.optimizers.Adam(1e-4, beta_1=0.5)
    model.compile({"main": adam, "discriminator": keras.optimizers.Adam(1e-4, beta_1=0.5)})
    model.fit(crops, epochs=50)
    ```

    Reference:
        - [Esser et al., 2021](https://arxiv.org/abs/2012.09841), equations 5 and 6
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        quantizer: Quantizer,
        discriminator: keras.Model,
        features: keras.Model | None = None,
        perceptual_weight: float = 1.0,
        adversarial_weight: float = 0.1,
        discriminator_start: int = 0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, quantizer, **kwargs)
        self.enter_game(
            discriminator, features, perceptual_weight, adversarial_weight, discriminator_start
        )

    def objective(self) -> dict[str, Term]:
        return {**super().objective(), **self.game_objective()}

    def terms(  # type: ignore[override]  # a denoiser is not trained to look like what it is given
        self, x: Tensor, c: Tensor = None, training: bool = False
    ) -> dict[str, Tensor]:
        (quantized,), z_q = self.encode_levels(x, c, training)
        likelihood = self.generate(z_q, c, training, like=x)
        return {
            **self.bound(x, quantized, likelihood, c),
            **self.game_terms(x, self.likelihood.point(likelihood), training),
        }
