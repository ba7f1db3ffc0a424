"""The base classes of encoders and decoders: constructor, config, initial output bias."""

import functools
import inspect
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.layers.recurrence import check_recurrence
from keras_vae.networks.arguments import CHECKS
from keras_vae.networks.arguments import checked
from keras_vae.typing import Array
from keras_vae.typing import Tensor

MAX_DENSE_PARAMETERS = 50_000_000  # of one network, beyond which it warns


def _constructor(init, default_name, checks):
    """Returns the constructor that wraps a network's `__init__` (see `Network`)."""
    *own, _ = inspect.signature(init).parameters.values()
    defaults = {"name": default_name, "dtype": None, "trainable": True}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    types = {"name": str, "dtype": Any, "trainable": bool}
    common = [
        inspect.Parameter(k, kind, default=v, annotation=types[k]) for k, v in defaults.items()
    ]
    signature = inspect.Signature([*own, *common], return_annotation=None)

    @functools.wraps(init)
    def construct(self, *args, **kwargs):
        arguments = _bound(signature, self, args, kwargs)
        of_layer = {k: arguments.pop(k) for k in defaults}
        config = checked(arguments, checks)
        # The layers receive the activation itself; the config may hold only its name.
        given = config | {k: v for k, v in arguments.items() if k == "activation"}
        with keras.name_scope(of_layer["name"]), _layers_of(of_layer["dtype"]):
            init(self, **given, config=config, **of_layer)

    construct.__signature__ = signature
    return construct


def _bound(signature, network, args, kwargs):
    """Returns every argument of a call by name, without `self`."""
    try:
        bound = signature.bind(network, *args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{type(network).__name__}: {error}") from None
    bound.apply_defaults()
    return {k: v for k, v in bound.arguments.items() if k != "self"}


@contextmanager
def _layers_of(dtype):
    """Within this context layers get this dtype (policy), or Keras' default for `None`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(keras.dtype_policies.get(dtype))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class Network(keras.Model):
    """A functional model whose config is its constructor's arguments.

    A subclass connects layers, starting from `keras.Input`, in its `__init__`. It is therefore
    built at once: `summary()` and `load_weights()` need no data. The named arguments of its
    `__init__` are its own, and arrive checked. `**kwargs` are `name`, `dtype` and `trainable`,
    which every network takes last, and are passed on to `super().__init__`. Layers without a dtype
    get the network's. Variable paths begin with the network's name, "encoder/conv_1/kernel", and so
    do not depend on what was built before.

        class Linear(Network, default_name="linear"):
            def __init__(self, input_shape, latent_dim, **kwargs):
                x = keras.Input(input_shape, name="x")
                super().__init__([x], keras.layers.Dense(latent_dim)(x), **kwargs)

    Class arguments of a subclass:
        default_name: String, the default of `name`. Without it, `__init__` is left unchanged.
        checks: Dict, argument -> function of its name and value that returns the config's value.

    Args:
        inputs: List of `keras.Input`, [x] or [x, condition]. The network is called on a list only
            if there are two.
        outputs: The outputs, as for a functional `keras.Model`.
        config: Dict, the constructor's arguments without the following three.
        name, dtype, trainable: As for every Keras layer.
    """

    def __init_subclass__(
        cls,
        default_name: str | None = None,
        checks: dict[str, Callable[[str, Any], Any]] = CHECKS,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if default_name is not None:
            cls.__init__ = _constructor(  # type: ignore[method-assign]
                cls.__init__, default_name, checks
            )

    def __init__(
        self,
        inputs: list[Tensor],
        outputs: Any,
        config: dict[str, Any],
        name: str,
        dtype: Any,
        trainable: bool,
    ) -> None:
        inputs = inputs if len(inputs) > 1 else inputs[0]
        super().__init__(inputs, outputs, name=name, trainable=trainable)
        self.dtype_policy = dtype
        if not trainable:  # Keras freezes a functional model before it knows its layers
            for layer in self.layers:
                layer.trainable = False
        self.latent_dim = config.get("latent_dim")  # a network of c alone has no z
        self._arguments = config
        self._advise_on_size()

    def _advise_on_size(self):
        dense = [v for v in self._flatten_layers() if isinstance(v, keras.layers.Dense)]
        count = sum(layer.count_params() for layer in dense)
        if count > MAX_DENSE_PARAMETERS:
            warnings.warn(
                f"The dense layers of this {type(self).__name__} have {count / 1e6:,.0f} million "
                "parameters, which grow with the number of pixels. Convolutional networks with "
                "latent maps need few, and take pictures of any size: ConvMapEncoder((None, None, "
                "3), latent_dim=8, num_outputs=2) and ConvMapDecoder((None, None, 3), "
                "latent_dim=8).",
                stacklevel=5,
            )

    def get_config(self) -> dict[str, Any]:
        return {
            **self._arguments,
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "trainable": self.trainable,
        }

    def export(
        self,
        filepath: str | Path,
        format: str = "tf_saved_model",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Exports the network alone; see `keras.Model.export`.

        Raises:
            RuntimeError: If the format would be written with wrong numbers.
        """
        check_recurrence(self, format)
        super().export(filepath, format, *args, **kwargs)


class Decoder(Network):
    """A network that outputs the parameters of a likelihood, with an `OutputBias` for each."""

    def set_output_bias(self, value: Array) -> None:
        """Sets the bias of the first parameter, the logits or the mean, of every output.

        The published recipe starts at the training mean: the logit of each pixel's mean for
        Bernoulli logits, the mean itself for a Gaussian. Further parameters keep their bias.

        Args:
            value: Float or array that broadcasts to `output_shape`, in units of the output.

        Raises:
            ValueError: If `value` does not broadcast or is not finite.

        Example:

        ```python
        mean = np.clip(x_train.mean(axis=0), 1e-3, 1 - 1e-3)
        decoder.set_output_bias(np.log(mean / (1 - mean)))
        ```
        """
        shape = tuple(1 if n is None else n for n in self._arguments["output_shape"])
        value = np.asarray(ops.convert_to_numpy(value), dtype="float32")
        if not np.isfinite(value).all():
            raise ValueError(
                "`value` must be finite. Received: NaN or infinity. The logit of a mean of exactly "
                "0 or 1 is infinite: clip the mean first, np.clip(mean, 1e-3, 1 - 1e-3)."
            )
        try:
            value = np.broadcast_to(value, shape)
        except ValueError as error:
            raise ValueError(
                f"`value` must broadcast to the output shape {shape}. Received: shape "
                f"{value.shape}. Average the training data over its first axis only, "
                "x.mean(axis=0), or for pictures of any size over all but the last, "
                "x.mean(axis=(0, 1, 2))."
            ) from error
        variable = self.get_layer("output_bias").bias  # (*shape[:-1], num_parameters * shape[-1])
        bias = np.array(ops.convert_to_numpy(variable))
        bias[..., : shape[-1]] = value
        variable.assign(bias)
