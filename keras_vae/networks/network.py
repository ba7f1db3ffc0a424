"""What encoders and decoders share: checks of arguments, the config, the first output bias."""

from numbers import Integral

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count


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


def check_condition_shape(argument, shape):
    """`check_shape` for the shape of a condition, which is `None` where there is no condition."""
    return None if shape is None else check_shape(argument, shape)


def check_num_outputs(argument, value):
    """Returns the number of an encoder's outputs, 1, 2 or 3.

    Raises:
        ValueError: anything else.
    """
    if check_count(argument, value) > 3:
        raise ValueError(
            f"`{argument}` must be 1 (a single tensor z), 2 (z_mean, z_log_var) or 3 (z_mean, "
            f"z_log_var, features), got {value!r}. The size of z is `latent_dim`."
        )
    return int(value)


def serialized_activation(argument, value):
    """Returns the config of an activation, a name or a function."""
    function = keras.activations.get(value)
    # A name is its config. To serialise anything Keras imports TensorFlow, where that is installed.
    return value if isinstance(value, str) else keras.activations.serialize(function)


CHECKS = {  # argument of any network -> what checks it
    "input_shape": check_shape,
    "output_shape": check_shape,
    "condition_shape": check_condition_shape,
    "latent_dim": check_count,
    "hidden_units": check_counts,
    "filters": check_stages,
    "num_blocks": check_count,
    "kernel_size": check_count,
    "activation": serialized_activation,
    "num_outputs": check_num_outputs,
    "num_parameters": check_count,
}


def checked(**arguments):
    """Returns a network's config: its arguments, each checked as `CHECKS` says for its name."""
    return {name: CHECKS[name](name, value) for name, value in arguments.items()}


def halved_sizes(height, width, times):
    """Sizes of a picture halved `times` times, rounded up as stride 2 with "same" padding does.

    Example: `halved_sizes(7, 5, 2)` is `[(7, 5), (4, 3), (2, 2)]`; 1 stays 1.
    """
    sizes = [(height, width)]
    for _ in range(times):
        sizes.append(tuple((n + 1) // 2 for n in sizes[-1]))
    return sizes


def flatten(x, dtype, name="flatten"):
    """(B, ...) to (B, F), channels last whatever Keras is configured to."""
    return keras.layers.Flatten(data_format="channels_last", dtype=dtype, name=name)(x)


def encoder_heads(features, latent_dim, num_outputs):
    """The end of an encoder: dense layers in float32 under every policy, each to (B, latent_dim).

    Args:
        features: (B, F), the last hidden activations.
        latent_dim: D, the size of z.
        num_outputs: 1, 2 or 3.

    Returns:
        The tensor `z`; `(z_mean, z_log_var)`; or these and the features.
    """
    names = ("z",) if num_outputs == 1 else ("z_mean", "z_log_var")
    dense = [keras.layers.Dense(latent_dim, dtype="float32", name=name) for name in names]
    heads = tuple(head(features) for head in dense)
    return {1: heads[0], 2: heads, 3: (*heads, features)}[num_outputs]


class Network(keras.Model):
    """A functional model whose config is its constructor's arguments.

    A subclass wires layers from `keras.Input` on in its constructor, so it is built at once:
    `summary()` and `load_weights()` need no data. `name` also opens the path of its variables
    ("encoder/conv_1/kernel"), which then does not depend on what else was built before.

    Args:
        inputs: list of `keras.Input`, [x] or [x, condition]. The network is called on a list only
            where there are two.
        outputs: as of a functional `keras.Model`.
        config: the constructor's arguments, without the following three.
        name, dtype, trainable: as for every Keras layer.
    """

    def __init__(self, inputs, outputs, config, name, dtype, trainable):
        inputs = inputs if len(inputs) > 1 else inputs[0]
        super().__init__(inputs, outputs, name=name, trainable=trainable)
        self.dtype_policy = dtype
        self.latent_dim = config.get("latent_dim")  # a network from c alone has no z
        self._arguments = config

    def get_config(self):
        return {
            **self._arguments,
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "trainable": self.trainable,
        }


class Decoder(Network):
    """A network to the parameters of a likelihood, with an `OutputBias` for each of them."""

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
