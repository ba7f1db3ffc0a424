"""Fixes the pixels that a network has been shown."""

from typing import Any

import keras
from keras import ops

from keras_vae.typing import Tensor

CERTAIN = 30.0  # log sigmoid(30) = -9.4e-14 nats


@keras.saving.register_keras_serializable(package="keras_vae")
class SeenPixels(keras.layers.Layer):
    """Makes a network certain of the pixels it is shown, so that it only predicts the others.

    In structured prediction by completion (Sohn et al. 2015, section 5.1) a model sees some
    quadrants of a digit, the condition c, and predicts the whole image x. The logit of a seen pixel
    becomes 30 or -30, so that log p(x_i|z, c) = -9e-14 nats: the likelihood of x is that of the
    unseen pixels alone, and images of p(x|z, c) show what was seen. No gradient reaches the logits
    of seen pixels.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as for every Keras layer. `dtype` defaults to
            `"float32"` under every policy.

    Input shape: [logits, condition], Bernoulli logits (B, H, W, C) and a condition (B, H, W, 2C):
        the pixels, 0 or 1 (0 where unseen), then the mask, 1 where a pixel is seen.
    Output shape: (B, H, W, C), logits.

    Raises:
        ValueError: When built, if the condition does not have that shape.

    Example:

    ```python
    mask = np.zeros((8, 28, 28, 1), "float32")
    mask[:, 14:, :14] = 1  # the lower left quadrant
    condition = np.concatenate([x * mask, mask], axis=-1)
    logits = SeenPixels()([decoder(z), condition])
    ```

    Reference:
        - [Sohn et al., 2015](https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html)
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, input_shape: list[tuple[Any, ...]]) -> None:
        logits, condition = (tuple(shape) for shape in input_shape)
        expected = (*logits[1:-1], 2 * logits[-1])
        if condition[1:] != expected:
            raise ValueError(
                f"`condition` must have shape (B, {', '.join(map(str, expected))}) for logits of "
                f"shape {logits[1:]}: the values of the seen pixels, then their mask, along the "
                f"last axis. Received: {condition[1:]}."
            )

    def call(self, inputs: list[Tensor]) -> Tensor:
        logits, condition = inputs
        values, mask = ops.split(condition, 2, axis=-1)  # (B, H, W, C) each
        seen = ops.where(values > 0.5, CERTAIN, -CERTAIN)
        return ops.where(mask > 0.5, seen, logits)

    def compute_output_shape(self, input_shape: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        return input_shape[0]
