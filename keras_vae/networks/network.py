"""What encoders and decoders share: checks of sizes, the config, the first output bias."""

from numbers import Integral

import keras
import numpy as np
from keras import ops


def check_count(argument, value):
    """Returns `value` as an int of at least 1.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"`{argument}` must be an integer of at least 1, got {value!r}.")
    return int(value)


def check_counts(argument, values):
    """Returns `values` as a tuple of ints of at least 1, one a layer (or stage).

    Raises:
        ValueError: not a list or tuple, or an element that is not such an integer.
    """
    if not isinstance(values, list | tuple):
        raise ValueError(
            f"`{argument}` must be a tuple with one integer a layer, got {values!r}. "
            f"For one layer write ({values!r},)."
        )
    return tuple(check_count(f"{argument}[{i}]", value) for i, value in enumerate(values))


def check_stages(argument, values):
    """`check_counts` for convolutional networks, which need at least one stage."""
    values = check_counts(argument, values)
    if not values:
        raise ValueError(
            f"`{argument}` must name at least one stage, got (). Each stage halves (encoder) or "
            f"doubles (decoder) height and width: write (32,), say. "
            f"For a network without stages take MLPEncoder or MLPDecoder with hidden_units=()."
        )
    return values


def check_shape(argument, shape):
    """Returns the shape of one example, a picture (H, W, C) or a vector (N,), as ints.

    Raises:
        ValueError: any other shape, or a size that is not an integer of at least 1.
    """
    expected = f"`{argument}` must be the shape of one example, (H, W, C) or (N,)"
    if not isinstance(shape, list | tuple):
        raise ValueError(f"{expected}, got {shape!r}. For vectors of N numbers write (N,).")
    shape = tuple(shape)
    if len(shape) == 2:
        raise ValueError(f"{expected}, got {shape}. The channels lack: write {(*shape, 1)}.")
    if len(shape) not in (1, 3):
        raise ValueError(f"{expected}, got {shape} of {len(shape)} axes. Leave out the batch axis.")
    if any(isinstance(n, bool) or not isinstance(n, Integral) or n < 1 for n in shape):
        raise ValueError(
            f"{expected}, every size an integer of at least 1, got {shape}. "
            f"The network is built at once, so no size can be left open."
        )
    return tuple(int(n) for n in shape)


def check_picture_shape(argument, shape):
    """`check_shape` for networks of convolutions, which cannot take a flat vector.

    Raises:
        ValueError: as `check_shape`, and for (N,).
    """
    shape = check_shape(argument, shape)
    if len(shape) == 1:
        raise ValueError(
            f"`{argument}` must be a picture's (H, W, C), got the flat vector {shape}. "
            f"A convolution needs rows and columns: take MLPEncoder and MLPDecoder for vectors, "
            f"or reshape the data to (N, H, W, C)."
        )
    return shape


def halved_sizes(height, width, times):
    """Sizes of a picture halved `times` times, rounded up as stride 2 with "same" padding does.

    Example: `halved_sizes(7, 5, 2)` is `[(7, 5), (4, 3), (2, 2)]`; 1 stays 1.
    """
    sizes = [(height, width)]
    for _ in range(times):
        sizes.append(tuple((n + 1) // 2 for n in sizes[-1]))
    return sizes


def gaussian_heads(x, latent_dim):
    """Two dense layers in float32 under every policy: `z_mean` and `z_log_var`, each (B, D)."""
    names = ("z_mean", "z_log_var")
    return tuple(keras.layers.Dense(latent_dim, dtype="float32", name=name)(x) for name in names)


class Network(keras.Model):
    """A functional model whose config is its constructor's arguments.

    A subclass wires layers from `keras.Input` on in its constructor, so it is built at once:
    `summary()` and `load_weights()` need no data. `name` also opens the path of its variables
    ("encoder/conv_1/kernel"), which then does not depend on what else was built before.

    Args:
        inputs, outputs: as of a functional `keras.Model`.
        config: the constructor's arguments, without the following three.
        name, dtype, trainable: as for every Keras layer.
    """

    def __init__(self, inputs, outputs, config, name, dtype, trainable):
        super().__init__(inputs, outputs, name=name, trainable=trainable)
        self.dtype_policy = dtype
        self.latent_dim = config["latent_dim"]
        self._arguments = config

    def get_config(self):
        return {
            **self._arguments,
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "trainable": self.trainable,
        }


class Decoder(Network):
    """A network from z to the parameters of a likelihood, ending in an `OutputBias`."""

    def set_output_bias(self, value):
        """Sets the bias of the first parameter, the logits or the mean, of every output.

        The published recipe starts at the training data: the logit of each pixel's mean for
        Bernoulli logits, the mean itself for a Gaussian. Further parameters keep their bias.

        Args:
            value: number or array that broadcasts to `output_shape`, in units of the output.

        Raises:
            ValueError: `value` does not broadcast, or is not finite.

        Example:

        ```python
        mean = np.clip(x_train.mean(axis=0), 1e-3, 1 - 1e-3)
        decoder.set_output_bias(np.log(mean / (1 - mean)))
        ```
        """
        shape = self._arguments["output_shape"]
        value = np.asarray(ops.convert_to_numpy(value), dtype="float32")
        if not np.isfinite(value).all():
            raise ValueError(
                "`value` must be finite, got NaN or infinity. The logit of a mean of exactly 0 or "
                "1 is infinite: clip the mean first, np.clip(mean, 1e-3, 1 - 1e-3)."
            )
        try:
            value = np.broadcast_to(value, shape)
        except ValueError as error:
            raise ValueError(
                f"`value` must broadcast to the output shape {shape}, got shape {value.shape}. "
                f"Average the training data over its first axis only, x.mean(axis=0)."
            ) from error
        variable = self.get_layer("output_bias").bias  # (*shape[:-1], num_parameters * shape[-1])
        bias = np.array(ops.convert_to_numpy(variable))
        bias[..., : shape[-1]] = value
        variable.assign(bias)
