"""A decoder for the rates of counts with known exposure."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras

from keras_vae.layers.log_offset import LogOffset
from keras_vae.networks.condition import latent_inputs
from keras_vae.networks.heads import dense_output
from keras_vae.networks.network import Decoder
from keras_vae.networks.trunks import dense_layers
from keras_vae.typing import Shape
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class ExposureDecoder(Decoder, default_name="decoder"):
    """Maps z to the parameters of counts per unit of a known exposure: an `MLPDecoder` with offset.

    The condition c of an example is the logarithm of its exposure, such as the time in which its
    events were counted. It is only added to the log-means: twice the exposure doubles the expected
    counts.

    Args:
        output_shape, latent_dim, hidden_units, activation: See `MLPDecoder`.
        num_parameters: Int, the `num_parameters` of the likelihood; c is added to the first.
        name, dtype, trainable: As for every Keras layer.

    Input shape: [z, c], with z (B, latent_dim) and c (B, 1).
    Output shape: (B, ..., C * num_parameters), float32.

    Raises:
        ValueError: If a size or count is not a positive integer.

    Example:

    ```python
    model = CVAE(
        MLPEncoder((33,), 8, condition_shape=(1,)),
        ExposureDecoder((33,), 8),
        ArrayCondition((1,)),
        PoissonLikelihood(),
    )
    model.fit(counts, np.log(exposure)[:, None])
    ```
    """

    def __init__(
        self,
        output_shape: Shape,
        latent_dim: int,
        hidden_units: Sequence[int] = (256, 512),
        activation: str | Callable[[Tensor], Tensor] = "relu",
        num_parameters: int = 1,
        **kwargs: Any,
    ) -> None:
        (z, offset), _ = latent_inputs(latent_dim, (1,))
        x = dense_layers(z, hidden_units, activation)
        x = dense_output(x, output_shape, num_parameters)
        x = LogOffset(num_parameters, dtype="float32", name="log_offset")([x, offset])
        super().__init__([z, offset], x, **kwargs)
